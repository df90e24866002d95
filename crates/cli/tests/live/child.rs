//! A server in a process of its own, which can be killed.

use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use agentdrop_testkit::http::Http;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::text;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::by_hand;
use crate::model::{Attempt, Chance, Outcome, content};

pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) http: Http,
    /// Where it is.
    pub(crate) url: String,
}

impl Child {
    /// Starts a server and waits until it answers.
    pub(crate) async fn start(data: &Path, database: &str) -> Self {
        Self::start_at(free_address(), data, database, &[]).await
    }

    /// The same, at this address, and with more said on its command line.
    pub(crate) async fn start_at(
        at: SocketAddr,
        data: &Path,
        database: &str,
        more: &[&str],
    ) -> Self {
        Self::start_with(at, (data, database, more), &[], None).await
    }

    /// The same with its files in a bucket; the log goes to a file.
    pub(crate) async fn start_in_bucket(
        data: &Path,
        database: &str,
        bucket: &TestBucket,
        log: &Path,
    ) -> Self {
        let s3 = bucket.config();
        let variables = [
            (
                "AGENTDROP_BLOBS",
                format!("s3://{}/{}", s3.bucket, s3.prefix),
            ),
            ("AGENTDROP_S3_ENDPOINT", s3.endpoint),
            ("AWS_ACCESS_KEY_ID", s3.access_key),
            (
                "AWS_SECRET_ACCESS_KEY",
                s3.secret_key.expose_secret().to_owned(),
            ),
            ("RUST_LOG", "debug".to_owned()),
        ];
        let log = OpenOptions::new().create(true).append(true).open(log);
        let place = (data, database, &[][..]);
        Self::start_with(free_address(), place, &variables, Some(log.unwrap())).await
    }

    async fn start_with(
        at: SocketAddr,
        (data, database, more): (&Path, &str, &[&str]),
        variables: &[(&str, String)],
        log: Option<File>,
    ) -> Self {
        let process = std::process::Command::new(by_hand::binary())
            .args(["serve", "--listen", &at.to_string()])
            .args(["--requests-per-minute", "0", "--data-dir"])
            .arg(data)
            .args(more)
            .env("AGENTDROP_DATABASE_URL", database)
            .envs(variables.iter().map(|it| (it.0, &it.1)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or_else(Stdio::null, Stdio::from))
            .spawn()
            .unwrap();
        let url = format!("http://{at}");
        let mut it = Self {
            process,
            http: Http::new(url.clone()),
            url,
        };
        let started = Instant::now();
        while it.http.request("GET", "/healthz", "").send().await.is_err() {
            assert!(it.process.try_wait().unwrap().is_none(), "the server ended");
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "the server does not come up"
            );
            sleep(Duration::from_millis(10)).await;
        }
        it
    }

    /// An account with an agent `bob`; answers its key.
    pub(crate) async fn account(&self) -> String {
        let account = json!({ "name": "Crash", "email": "crash@example.org" });
        let key = text(
            &self
                .http
                .post("/v1/accounts", "", &account)
                .await
                .expect(201),
            "api_key",
        );
        let agent = json!({ "agent_id": "bob" });
        self.http
            .post("/v1/agents/register", &key, &agent)
            .await
            .expect(201);
        key
    }

    /// Uploads one file after the other, until the server is gone.
    pub(crate) fn upload_until_killed(&self, key: &str, seed: u32) -> JoinHandle<Vec<Attempt>> {
        let (http, key) = (self.http.clone(), key.to_owned());
        tokio::spawn(async move {
            let (mut attempts, mut chance) = (Vec::new(), Chance(u64::from(seed) + 1));
            for n in 0.. {
                let label = format!("s{seed}-{n}");
                let magnitude = 4 + chance.below(17);
                let size = usize::try_from(chance.below(1 << magnitude)).unwrap();
                let bytes = content(&label, size);
                let sent = if chance.below(2) == 0 {
                    send(&http, &key, &label, bytes).await
                } else {
                    send_by_address(&http, &key, &label, bytes).await
                };
                let gone = sent.is_none();
                let outcome = sent.map_or(Outcome::Unknown, Outcome::Acknowledged);
                attempts.push(Attempt {
                    label,
                    size,
                    outcome,
                });
                if gone {
                    break;
                }
            }
            attempts
        })
    }

    /// Downloads what was acknowledged before, until the server is gone: whatever comes is right.
    pub(crate) fn download_until_killed(&self, key: &str, from: Vec<Attempt>) -> JoinHandle<()> {
        let (http, key) = (self.http.clone(), key.to_owned());
        tokio::spawn(async move {
            for attempt in from.iter().cycle().take(10_000) {
                let Some(bytes) = fetch(&http, &key, attempt.id()).await else {
                    return;
                };
                assert!(
                    bytes == content(&attempt.label, attempt.size),
                    "{attempt:?} was altered"
                );
            }
        })
    }

    /// Waits until no blob is left.
    pub(crate) async fn wait_until_swept(&self, blobs: &Path) {
        let started = Instant::now();
        loop {
            let left = files_in(blobs);
            if left.is_empty() {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "left behind: {left:?}"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Stops it the way an operator does.
    pub(crate) async fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .arg(pid)
                .status()
                .unwrap()
                .success()
        );
        let status = tokio::task::spawn_blocking(move || self.process.wait()).await;
        assert!(status.unwrap().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that was waited for is gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// An address on this machine where nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Sends a file; answers the transfer, if the server lived to acknowledge it.
async fn send(http: &Http, key: &str, label: &str, bytes: Vec<u8>) -> Option<String> {
    let file = reqwest::multipart::Part::bytes(bytes).file_name("file");
    let form = reqwest::multipart::Form::new()
        .text("sender", label.to_owned())
        .text("recipient", "bob")
        .text("max_downloads", "1000")
        .part("files", file);
    let response = http
        .request("POST", "/v1/transfers", key)
        .multipart(form)
        .send()
        .await
        .ok()?;
    let status = response.status();
    let answer: serde_json::Value = response.json().await.ok()?;
    assert_eq!(status.as_u16(), 201, "{answer}");
    Some(text(&answer, "id"))
}

/// The same by a signed address: announced, sent, confirmed.
async fn send_by_address(http: &Http, key: &str, label: &str, bytes: Vec<u8>) -> Option<String> {
    let file = json!({ "name": "file", "size": bytes.len() });
    // Of what is sealed the bytes need not come by the server.
    let sealed = bytes.len().is_multiple_of(2);
    let body = json!({
        "sender": label, "recipient": "bob", "max_downloads": 1000, "files": [file],
        "is_encrypted": sealed,
    });
    let path = "/v1/transfers/presigned";
    let response = http.request("POST", path, key).json(&body).send();
    let response = response.await.ok()?;
    let status = response.status();
    let announced: serde_json::Value = response.json().await.ok()?;
    assert_eq!(status.as_u16(), 201, "{announced}");
    let url = text(&announced["upload_urls"][0], "upload_url");
    let response = http.request("PUT", &url, "").body(bytes).send();
    assert_eq!(response.await.ok()?.status().as_u16(), 200);
    let id = text(&announced, "id");
    let path = format!("/v1/transfers/{id}/confirm");
    let response = http.request("POST", &path, key).json(&json!({})).send();
    let response = response.await.ok()?;
    let status = response.status();
    let confirmed: serde_json::Value = response.json().await.ok()?;
    assert_eq!(status.as_u16(), 200, "{confirmed}");
    Some(id)
}

/// Fetches the one file of a transfer; nothing, if the server is gone.
pub(crate) async fn fetch(http: &Http, key: &str, id: &str) -> Option<Vec<u8>> {
    let path = format!("/v1/transfers/{id}/download");
    let response = http.request("GET", &path, key).send().await.ok()?;
    let status = response.status();
    let grant: serde_json::Value = response.json().await.ok()?;
    assert_eq!(status.as_u16(), 200, "{grant}");
    let url = text(&grant["files"][0], "download_url");
    let response = http.request("GET", &url, "").send().await.ok()?;
    assert_eq!(response.status().as_u16(), 200, "{url}");
    Some(response.bytes().await.ok()?.to_vec())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_in(&path));
        } else if !["lock", "installation"].iter().any(|it| path.ends_with(it)) {
            found.push(path);
        }
    }
    found
}
