//! The published Python client, unmodified, in several versions, against our server on both engines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use agentdrop_server::CancellationToken;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::python::{client, python};
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// The version in `scripts/requirements.txt`.
const LATEST: &str = "0.3.5";

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_and_receives() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let folder = tempfile::tempdir().unwrap();
        run(
            LATEST,
            "first_drop.py",
            &[
                &server.url,
                &account.key,
                &folder.path().display().to_string(),
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_and_receives_across_accounts() {
    across_accounts(LATEST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_client_sends_and_receives_across_accounts() {
    across_accounts("0.2.16").await;
}

/// The oldest that opens what comes through a channel.
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_client_sends_and_receives_across_accounts() {
    across_accounts("0.2.2").await;
}

/// Whole, and in parts of which some fail twice.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_what_is_large() {
    for server in TestServer::each().await {
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::new(&server.url).await;
        let mut arguments = vec![server.url.clone(), folder.path().display().to_string()];
        for (name, email) in [("Alex", "alex@example.org"), ("Jamie", "jamie@example.com")] {
            let body = json!({ "name": name, "email": email });
            let made = server.http.post("/v1/accounts", "", &body).await;
            arguments.push(text(&made.expect(201), "api_key"));
        }
        arguments.push(proxy.url.clone());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(LATEST, "presigned.py", &arguments).await;
        let failed = proxy.failed.lock().unwrap().clone();
        assert_eq!(
            failed.len(),
            3,
            "two parts of one file, and one of the other: {failed:?}"
        );
        assert!(failed.values().all(|it| *it == TIMES), "{failed:?}");
    }
}

/// The same to and from a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_what_is_large_to_a_bucket() {
    let bucket = TestBucket::new().await;
    let server = TestServer::in_bucket(Engine::Sqlite, &bucket).await;
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec![server.url.clone(), folder.path().display().to_string()];
    for (name, email) in [("Alex", "alex@example.org"), ("Jamie", "jamie@example.com")] {
        let body = json!({ "name": name, "email": email });
        let made = server.http.post("/v1/accounts", "", &body).await;
        arguments.push(text(&made.expect(201), "api_key"));
    }
    // No part fails: an address is signed for the one host.
    arguments.push(server.url.clone());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(LATEST, "presigned.py", &arguments).await;
    let objects = bucket.objects().await;
    assert_eq!(objects.len(), 6, "two files, three times: {objects:?}");
    // How it sends whole files, no S3 server takes: they come through the server.
    let relayed = objects.iter().filter(|it| it.0.contains("part-")).count();
    assert_eq!(relayed, 2, "{objects:?}");
    assert!(!server.data_dir().join("blobs").exists());
}

/// How often a part fails.
const TIMES: u32 = 2;

/// A way to a server on which some parts fail before they come through.
struct Proxy {
    url: String,
    /// How often each address failed.
    failed: Arc<Mutex<HashMap<String, u32>>>,
    stop: CancellationToken,
}

impl Proxy {
    async fn new(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (failed, stop) = (Arc::<Mutex<_>>::default(), CancellationToken::new());
        let (failures, target) = (Arc::clone(&failed), server.replace("http://", ""));
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            loop {
                let (here, _) = listener.accept().await.unwrap();
                let there = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(pass(here, there, Arc::clone(&failures)));
            }
        }));
        Self { url, failed, stop }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Answers that the server is busy, or lets what comes through.
async fn pass(mut here: TcpStream, mut there: TcpStream, failed: Arc<Mutex<HashMap<String, u32>>>) {
    let mut came = Vec::new();
    let end = loop {
        if here.read_buf(&mut came).await.unwrap() == 0 {
            return;
        }
        if let Some(at) = came.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(came[..end].to_vec()).unwrap();
    let address = head.split(' ').nth(1).unwrap().to_owned();
    let is_chosen = ["part=1&", "part=12&"]
        .iter()
        .any(|it| address.contains(it));
    let fails = is_chosen && {
        let mut failed = failed.lock().unwrap();
        let times = failed.entry(address).or_insert(0);
        let fails = *times < TIMES;
        *times += u32::from(fails);
        fails
    };
    if !fails {
        there.write_all(&came).await.unwrap();
        drop(copy_bidirectional(&mut here, &mut there).await);
        return;
    }
    let length = head.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    // All of it first: closed before, the client would see no answer.
    while came.len() < end + length {
        assert!(here.read_buf(&mut came).await.unwrap() > 0);
    }
    let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    here.write_all(busy).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_listens() {
    for version in [LATEST, "0.3.0", "0.2.16"] {
        for server in TestServer::each().await {
            let account = server.account().await;
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().display().to_string();
            let arguments = [&*server.url, &account.key, &folder];
            run(version, "listen.py", &arguments).await;
        }
    }
}

/// What a person's browser sealed is opened by the agent that it was sent to.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_opens_what_a_person_sent() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let session = server.session_of(&account).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let arguments = [LATEST, &server.url, &path, &account.key, &session];
        run(LATEST, "from_people.py", &arguments).await;
    }
}

async fn across_accounts(version: &str) {
    for server in TestServer::each().await {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec![
            version.to_owned(),
            server.url.clone(),
            folder.path().display().to_string(),
        ];
        for (name, email) in [
            ("Alex", "alex@example.org"),
            ("Jamie", "jamie@example.com"),
            ("Kim", "kim@example.net"),
        ] {
            let body = json!({ "name": name, "email": email });
            let made = server.http.post("/v1/accounts", "", &body).await;
            arguments.push(text(&made.expect(201), "api_key"));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(version, "trust.py", &arguments).await;
    }
}

/// Runs a script on a version of the published client.
async fn run(version: &str, script: &str, arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/published_client")
        .join(script);
    let (python, arguments) = (
        python(),
        arguments
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>(),
    );
    // The latest is what the interpreter has.
    let client = (version != LATEST).then(|| client(version));
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = std::process::Command::new(python);
        if let Some(client) = client {
            command.env("PYTHONPATH", client);
        }
        command.arg(script).args(arguments).output().unwrap()
    });
    let output = ran.await.unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && out.trim_end().ends_with("equal"),
        "{out}\n{err}"
    );
}
