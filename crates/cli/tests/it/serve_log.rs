//! What a server says of itself where nobody sits before it: one JSON object a line, to the last.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Run, Sandbox, Serve};

/// The lines of a log, each of which is an object.
#[track_caller]
fn lines(log: &str) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|it| panic!("{it}: {line}"));
    log.lines().map(read).collect()
}

fn messages(lines: &[Value]) -> Vec<&str> {
    let messages = lines.iter();
    messages
        .filter_map(|it| it["fields"]["message"].as_str())
        .collect()
}

fn get(serve: &Serve, path: &str) -> String {
    let mut stream = TcpStream::connect(serve.url.trim_start_matches("http://")).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_that_it_starts_and_stops_and_not_that_it_was_probed() {
    let sandbox = Sandbox::new();
    let mut serve = Serve::start_with_env(&sandbox, &[], &[("RUST_LOG", "")]);
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert!(get(&serve, path).starts_with("HTTP/1.1 200"), "{path}");
    }
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait(), Some(0));
    let lines = lines(&serve.log());
    assert_eq!(
        messages(&lines),
        ["started", "answered", "stopping", "stopped"]
    );
    assert_eq!(lines[0]["fields"]["signup"], "open");
    assert_eq!(lines[1]["span"]["route"], "/openapi.json");
}

#[test]
fn what_ends_it_is_a_line_too() {
    let sandbox = Sandbox::new();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let nowhere = "s3://nowhere/x --s3-endpoint http://127.0.0.1:1";
    for (line, env, status, code, reason) in [
        (
            "serve --listen 127.0.0.1:0".to_owned(),
            [endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            1,
            "CONFIG",
            "traces cannot be sent: the protocol `grpc` is not built in",
        ),
        (
            format!("serve --listen 127.0.0.1:0 --blobs {nowhere}"),
            [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")],
            2,
            "BUCKET",
            "the bucket nowhere at http://127.0.0.1:1 cannot be used: Connection refused (os error 111)",
        ),
    ] {
        let mut command = sandbox.command(line.split_whitespace());
        let run = Run::of(command.envs(env)).expect(status);
        let lines = lines(&run.stderr);
        let last = &lines.last().unwrap()["fields"];
        assert_eq!(
            (last["code"].as_str(), last["reason"].as_str()),
            (Some(code), Some(reason))
        );
        assert_eq!(run.stdout, "");
        // Where one object is asked for, it is that.
        let asked: Vec<_> = ["--json"]
            .into_iter()
            .chain(line.split_whitespace())
            .collect();
        let mut command = sandbox.command(asked);
        let run = Run::of(command.envs(env)).expect(status);
        assert_eq!(run.json()["error"]["code"], code);
    }
}

#[test]
fn traces_that_nobody_takes_are_warned_of_once() {
    let sandbox = Sandbox::new();
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let mut serve = Serve::start_with_env(&sandbox, &[], &env);
    for _ in 0..3 {
        get(&serve, "/openapi.json");
    }
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait(), Some(0));
    let lines = lines(&serve.log());
    let warned = |it: &&&str| **it == "traces are not delivered to their collector";
    assert_eq!(messages(&lines).iter().filter(warned).count(), 1);
}
