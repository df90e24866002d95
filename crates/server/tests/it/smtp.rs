//! Mails through a real mail server, which takes them after STARTTLS and a password.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use agentdrop_server::{Config, Smtp};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::mailbox::Mail;
use agentdrop_testkit::python::python;
use agentdrop_testkit::server::TestServer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::world::everything;

/// Certificates, and a port that nobody else has.
struct Post {
    folder: TempDir,
    port: u16,
}

/// A mail server that runs until this is dropped.
struct MailServer {
    child: Child,
    said: UnboundedReceiver<String>,
}

impl Post {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(python())
            .arg(script("certificate.py"))
            .arg(folder.path())
            .status();
        assert!(made.unwrap().success());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { folder, port }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self) -> MailServer {
        let mut child = Command::new(python())
            .arg(script("mail_server.py"))
            .arg(self.port.to_string())
            .args([self.file("cert.pem"), self.file("key.pem")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, said) = unbounded_channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines() {
                // Nobody listens any more when the test is over.
                drop(lines.send(line.unwrap()));
            }
        });
        let mut server = MailServer { child, said };
        assert_eq!(server.line().await, "ready");
        server
    }

    async fn server(&self, engine: Engine, login: &str, ca: Option<&str>) -> TestServer {
        let url = format!("smtp://{login}@localhost:{}", self.port);
        let (url, ca_file) = (url.parse().unwrap(), ca.map(|it| self.file(it)));
        let change = |config: &mut Config| {
            config.smtp = Some(Smtp { url, ca_file });
            config.mail_from = Some("AgentDrop <drop@example.org>".to_owned());
        };
        TestServer::start(engine, change).await
    }
}

impl MailServer {
    async fn line(&mut self) -> String {
        let line = timeout(Duration::from_secs(30), self.said.recv()).await;
        line.unwrap().unwrap()
    }

    /// The next mail that it takes.
    async fn mail(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(name)
}

async fn sign_up(server: &TestServer, email: &str) {
    let body = json!({ "name": "Alex", "email": email });
    let made = server.http.post("/v1/accounts", "", &body).await;
    made.expect(201);
}

async fn waiting(server: &TestServer) -> usize {
    everything(server).await["mails"].len()
}

#[tokio::test]
async fn a_mail_is_sent_protected_and_its_link_works() {
    for engine in Engine::ALL {
        let post = Post::new();
        let mut mails = post.open().await;
        let server = post.server(engine, "drop:s3cret%40%3A%2F", Some("ca.pem"));
        let server = server.await;
        sign_up(&server, "alex@example.org").await;
        let taken = mails.mail().await;
        assert_eq!(taken["tls"], true);
        assert_eq!(taken["login"], "drop");
        assert_eq!(taken["from"], "drop@example.org");
        assert_eq!(taken["to"], json!(["alex@example.org"]));
        let mail = Mail::parse(taken["raw"].as_str().unwrap());
        assert_eq!(mail.header("From"), "AgentDrop <drop@example.org>");
        assert_eq!(mail.header("Date"), "Fri, 17 Apr 2026 12:00:00 +0000");
        let body = json!({ "token": mail.token() });
        let path = "/v1/email-verifications/confirm";
        server.http.post(path, "", &body).await.expect(200);
        let sent = async || waiting(&server).await == 0;
        crate::world::until("what was sent waits no more", sent).await;
    }
}

#[tokio::test]
async fn while_the_mail_server_is_away_mails_wait() {
    for engine in Engine::ALL {
        let post = Post::new();
        let server = post.server(engine, "drop:s3cret%40%3A%2F", Some("ca.pem"));
        let server = server.await;
        sign_up(&server, "alex@example.org").await;
        let tried = async || {
            let rows = everything(&server).await["mails"].join(" ");
            rows.contains("attempts=1") || rows.contains("attempts=Integer(1)")
        };
        crate::world::until("it was tried", tried).await;
        let mut mails = post.open().await;
        server.clock.advance(Duration::from_mins(11));
        server.send_mails().await;
        assert_eq!(mails.mail().await["to"], json!(["alex@example.org"]));
        let sent = async || waiting(&server).await == 0;
        crate::world::until("what was sent waits no more", sent).await;

        // Nobody is there for a day.
        drop(mails);
        sign_up(&server, "bo@example.org").await;
        for _ in 0..3 {
            server.send_mails().await;
            server.clock.advance(Duration::from_hours(12));
        }
        server.send_mails().await;
        assert_eq!(waiting(&server).await, 0, "it was given up");
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up_and_holds_nobody_up() {
    for engine in Engine::ALL {
        let post = Post::new();
        let mut mails = post.open().await;
        let server = post.server(engine, "drop:s3cret%40%3A%2F", Some("ca.pem"));
        let server = server.await;
        sign_up(&server, "refused@example.org").await;
        sign_up(&server, "alex@example.org").await;
        assert_eq!(mails.mail().await["to"], json!(["alex@example.org"]));
        let sent = async || waiting(&server).await == 0;
        crate::world::until("neither waits", sent).await;
    }
}

/// Whoever answers in the mail server's place gets neither the password nor the mail.
#[tokio::test]
async fn nothing_goes_to_who_does_not_show_that_it_is_the_mail_server() {
    let (post, other) = (Post::new(), Post::new());
    let _mails = post.open().await;
    std::fs::copy(other.file("ca.pem"), post.file("other.pem")).unwrap();
    for (login, ca) in [
        ("drop:s3cret%40%3A%2F", Some("other.pem")),
        ("drop:wrong", Some("ca.pem")),
        // Not protected at all, as between programs of one machine, which this one refuses.
        ("drop:s3cret%40%3A%2F", None),
    ] {
        let server = post.server(Engine::Sqlite, login, ca).await;
        sign_up(&server, "alex@example.org").await;
        server.send_mails().await;
        assert_eq!(waiting(&server).await, 1, "{login} {ca:?}");
    }
}
