//! What the server tells collectors, read by the parser of Prometheus.

use std::io::Write as _;
use std::process::{Command, Stdio};

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Http;
use agentdrop_testkit::python::python;
use agentdrop_testkit::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

/// A server that tells its counts, and what asks for them.
async fn start() -> (TestServer, Http) {
    let told = |config: &mut agentdrop_server::Config| {
        config.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    };
    let server = TestServer::start(Engine::Sqlite, told).await;
    let collector = Http::new(server.metrics_url.clone().unwrap());
    (server, collector)
}

/// What a collector makes of it.
async fn scrape(collector: &Http) -> Vec<Value> {
    let answer = collector.get("/metrics", "").await;
    assert_eq!(answer.status, 200);
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), openmetrics);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/metrics.py");
    let mut parser = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    parser
        .stdin
        .take()
        .unwrap()
        .write_all(&answer.bytes)
        .unwrap();
    let parsed = parser.wait_with_output().unwrap();
    assert!(parsed.status.success());
    serde_json::from_slice(&parsed.stdout).unwrap()
}

/// The one sample of this name and these labels.
fn value(samples: &[Value], name: &str, labels: &Value) -> Option<f64> {
    let found = samples
        .iter()
        .find(|it| it["name"] == name && it["labels"] == *labels)?;
    found["value"].as_f64()
}

#[tokio::test]
async fn a_collector_reads_what_was_counted() {
    let (server, collector) = start().await;
    server.account().await;
    server.http.get("/v1/usage", "").await.expect(401);
    server.http.get("/v1/usage", "").await.expect(401);
    let samples = scrape(&collector).await;
    let count = |name, labels| value(&samples, name, &labels);
    let made = json!({ "method": "POST", "route": "/v1/accounts", "status": "201" });
    assert_eq!(count("agentdrop_http_requests_total", made), Some(1.0));
    let refused = json!({ "method": "GET", "route": "/v1/usage", "status": "401" });
    assert_eq!(count("agentdrop_http_requests_total", refused), Some(2.0));
    let asked = json!({ "method": "GET", "route": "/v1/usage" });
    let durations = "agentdrop_http_request_duration_seconds_count";
    assert_eq!(count(durations, asked), Some(2.0));
    let version = json!({ "version": env!("CARGO_PKG_VERSION") });
    assert_eq!(count("agentdrop_build_info", version), Some(1.0));
    assert_eq!(
        count("agentdrop_http_requests_under_way", json!({})),
        Some(0.0)
    );
    // The client's connection is kept for the next request; the collector's is none of a caller.
    assert_eq!(count("agentdrop_connections", json!({})), Some(1.0));
    assert!(count("agentdrop_received_bytes_total", json!({})).unwrap() > 0.0);
    assert!(count("agentdrop_sent_bytes_total", json!({})).unwrap() > 0.0);
}

#[tokio::test]
async fn what_a_caller_makes_up_is_no_label() {
    let (server, collector) = start().await;
    for n in 0..20 {
        let method = Method::from_bytes(format!("MADEUP{n}").as_bytes()).unwrap();
        let asked = server.http.request(method.as_str(), "/v1/usage", "");
        agentdrop_testkit::http::send(asked).await;
        let path = format!("/made/up/{n}?secret={n}");
        server.http.get(&path, "").await.expect(404);
        let path = "/v1/transfers/made-up-id";
        server.http.get(path, "made-up-key").await.expect(401);
    }
    let samples = scrape(&collector).await;
    let text = serde_json::to_string(&samples).unwrap();
    for made_up in ["MADEUP", "/made", "secret", "made-up-key", "made-up-id"] {
        assert!(!text.contains(made_up), "{made_up}: {text}");
    }
    let count = |labels| value(&samples, "agentdrop_http_requests_total", &labels);
    let nowhere = json!({ "method": "GET", "route": "-", "status": "404" });
    assert_eq!(count(nowhere), Some(20.0));
    let other = json!({ "method": "other", "route": "/v1/usage", "status": "405" });
    assert_eq!(count(other), Some(20.0));
}

#[tokio::test]
async fn callers_and_collectors_do_not_meet() {
    let (server, collector) = start().await;
    server.http.get("/metrics", "").await.expect(404);
    let asked = collector.get("/v1/usage", "").await;
    assert_eq!((asked.status, asked.bytes.len()), (404, 0));
    assert_eq!(collector.get("/healthz", "").await.status, 404);
    let silent = TestServer::start(Engine::Sqlite, |_| {}).await;
    assert_eq!(silent.metrics_url, None);
}

#[tokio::test]
async fn streams_of_events_are_counted_while_they_are_open() {
    let (server, collector) = start().await;
    let account = server.account().await;
    let asked = server
        .http
        .request("GET", "/v1/events/stream", &account.key);
    let stream = asked.send().await.unwrap();
    let streams = async || {
        let samples = scrape(&collector).await;
        value(&samples, "agentdrop_event_streams", &json!({}))
    };
    assert_eq!(streams().await, Some(1.0));
    drop(stream);
    while streams().await != Some(0.0) {}
}
