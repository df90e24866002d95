//! Traces of a server, as a collector gets them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message as _;
use rustix::process::Signal;

use crate::support::{Pair, Sandbox, Serve};

/// What was sent to a collector: to which path, and what.
type Sent = (String, Vec<u8>);

/// A collector, which takes everything.
fn collector() -> (String, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sink, sent) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let sink = sink.clone();
            thread::spawn(move || take(stream.unwrap(), &sink));
        }
    });
    (url, sent)
}

/// Takes what comes over one connection.
fn take(mut stream: TcpStream, sink: &Sender<Sent>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            (reader.read_until(b'\n', &mut head).ok()? > 0).then_some(())?;
        }
        let head = String::from_utf8(head).ok()?;
        let length = |line: &str| line.strip_prefix("content-length: ")?.parse().ok();
        let mut body = vec![0; head.to_lowercase().lines().find_map(length)?];
        reader.read_exact(&mut body).ok()?;
        sink.send((head.lines().next()?.to_owned(), body)).ok()?;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).ok()?;
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|it| it.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(it) => Some(it.clone()),
        Value::IntValue(it) => Some(it.to_string()),
        _ => None,
    }
}

#[test]
fn a_collector_gets_a_span_for_each_request_and_nothing_of_what_was_sent() {
    let (url, sent) = collector();
    let sandbox = Sandbox::new();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_RESOURCE_ATTRIBUTES", "zone=a"),
    ];
    let serve = Serve::start_with_env(&sandbox, &[], &environment);
    let at = serve.url.clone();
    let mut pair = Pair::at(sandbox, serve, &at);
    pair.file("weights.bin", b"the content of a file");
    pair.run("alice", "send bob weights.bin --message secretly")
        .expect(0);
    pair.run("bob", "receive --to got").expect(0);
    pair.run("bob", "show tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6")
        .expect(1);
    pair.serve.signal(Signal::TERM);
    assert_eq!(pair.serve.wait(), Some(0), "{}", pair.serve.log());

    let mut spans: Vec<Span> = Vec::new();
    while let Ok((request, body)) = sent.try_recv() {
        assert_eq!(request, "POST /v1/traces HTTP/1.1");
        for secret in [
            "weights",
            "the content",
            "secretly",
            &pair.account_key,
            "signature=",
        ] {
            let secret = secret.as_bytes();
            assert!(!body.windows(secret.len()).any(|it| it == secret));
        }
        let export = ExportTraceServiceRequest::decode(&*body).unwrap();
        for of in export.resource_spans {
            let resource = of.resource.unwrap().attributes;
            assert_eq!(text(&resource, "service.name").unwrap(), "agentdrop");
            assert_eq!(text(&resource, "zone").unwrap(), "a");
            spans.extend(of.scope_spans.into_iter().flat_map(|it| it.spans));
        }
    }
    let named = |name: &str| spans.iter().find(|it| it.name == name);
    let send = named("POST /v1/transfers").unwrap();
    assert_eq!(send.kind, SpanKind::Server as i32);
    let said = |key| text(&send.attributes, key);
    assert_eq!(said("http.request.method").unwrap(), "POST");
    assert_eq!(said("http.route").unwrap(), "/v1/transfers");
    assert_eq!(said("http.response.status_code").unwrap(), "201");
    assert!(said("account").is_some() && said("agent").is_some() && said("request_id").is_some());
    assert!(send.end_time_unix_nano > send.start_time_unix_nano);
    let file = named("GET /v1/downloads/{download_id}/files/{file_id}").unwrap();
    assert_eq!(
        text(&file.attributes, "http.response.status_code").unwrap(),
        "200"
    );
    let missing = named("GET /v1/transfers/{transfer_id}").unwrap();
    assert_ne!(
        missing.status.clone().unwrap_or_default().code,
        StatusCode::Error as i32
    );
}

#[test]
fn a_collector_that_is_not_there_keeps_nobody_waiting() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let sandbox = Sandbox::new();
    let mut serve = Serve::start_with_env(&sandbox, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    sandbox.run(&format!("doctor --server {}", serve.url));
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait(), Some(0), "{}", serve.log());
}

#[test]
fn variables_that_cannot_be_followed_are_told() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "no address");
    let run = crate::support::Run::of(&mut command).expect(1);
    assert!(run.stderr.contains("OTEL_"), "{}", run.stderr);
}
