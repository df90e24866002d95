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
use tokio::time::{Instant, sleep};

use crate::by_hand;

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

    /// The same, where a process may have so many files open at first.
    pub(crate) async fn start_allowed(files: &str, data: &Path, database: &str) -> Self {
        let mut command = std::process::Command::new("sh");
        let script = format!("ulimit -Sn {files} && exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(by_hand::binary());
        let place = (data, database, &[][..]);
        Self::run(command, free_address(), place, &[], None).await
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

    /// The same, with all that can be said.
    pub(crate) async fn start_with(
        at: SocketAddr,
        place: (&Path, &str, &[&str]),
        variables: &[(&str, String)],
        log: Option<File>,
    ) -> Self {
        let command = std::process::Command::new(by_hand::binary());
        Self::run(command, at, place, variables, log).await
    }

    async fn run(
        mut command: std::process::Command,
        at: SocketAddr,
        (data, database, more): (&Path, &str, &[&str]),
        variables: &[(&str, String)],
        log: Option<File>,
    ) -> Self {
        let process = command
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
