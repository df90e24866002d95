//! A whole server, on either engine, with a clock that the test moves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_server::{CancellationToken, Config, Server, Sweeper};
use agentdrop_store::Tx;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::clock::FrozenClock;
use crate::engines::{Database, Engine, database};
use crate::http::{Answer, Http};
use crate::mailbox::{Mail, mails_in};
use crate::s3::TestBucket;

/// What people of tests sign in with.
pub const PASSWORD: &str = "correct horse battery staple";

/// A server that runs until this is dropped, with a data directory and a database of its own.
#[derive(Debug)]
pub struct TestServer {
    /// What it is spoken to with.
    pub http: Http,
    /// Its clock.
    pub clock: FrozenClock,
    /// Where it is, without a slash at the end.
    pub url: String,
    /// Where it tells its counts, without a slash at the end; nowhere, unless it was configured.
    pub metrics_url: Option<String>,
    engine: Engine,
    folder: TempDir,
    database: Arc<Database>,
    sweeper: Sweeper,
    running: Running,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

/// An account of a test, with its first key.
#[derive(Clone, Debug)]
pub struct TestAccount {
    /// The account's id.
    pub id: String,
    /// Its key.
    pub key: String,
}

impl TestServer {
    /// One server on each engine.
    pub async fn each() -> Vec<Self> {
        let mut servers = Vec::new();
        for engine in Engine::ALL {
            servers.push(Self::start(engine, |_| {}).await);
        }
        servers
    }

    /// A server on `engine`, configured otherwise as `change` has it.
    pub async fn start(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let (database, clock) = (Arc::new(database(engine).await), FrozenClock::new());
        Self::start_on(folder, database, clock, change).await
    }

    /// Another server on the same database, with the same files, key and clock.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder can be made");
        let key = std::fs::copy(self.data_dir().join("server.key"), data.join("server.key"));
        key.expect("the key is there");
        let blobs = self.data_dir().join("blobs");
        let change = |config: &mut Config| {
            config.blobs = Some(blobs);
            change(config);
        };
        let (database, clock) = (Arc::clone(&self.database), self.clock.clone());
        Self::start_on(folder, database, clock, change).await
    }

    async fn start_on(
        folder: TempDir,
        database: Arc<Database>,
        clock: FrozenClock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let engine = database.engine();
        let mut config = Config::new(folder.path().join("data"));
        config.listen = ([127, 0, 0, 1], 0).into();
        config.database_url = Some(database.url().to_owned());
        // Tests ask by the thousand, and all from one address.
        config.rates = None;
        change(&mut config);
        let server = Server::start_at(&config, clock.to_clock())
            .await
            .expect("the server starts");
        let url = server.public_url().to_owned();
        let metrics_url = server.metrics_addr().map(|it| format!("http://{it}"));
        let sweeper = server.sweeper();
        let stop = CancellationToken::new();
        let task = Some(tokio::spawn(server.run(stop.clone())));
        let running = Running { stop, task };
        Self {
            http: Http::new(url.clone()),
            clock,
            url,
            metrics_url,
            engine,
            folder,
            database,
            sweeper,
            running,
        }
    }

    /// A server on `engine` whose files are in a bucket.
    pub async fn in_bucket(engine: Engine, bucket: &TestBucket) -> Self {
        let s3 = bucket.config();
        Self::start(engine, |config| config.s3 = Some(s3)).await
    }

    /// Which engine it runs on.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of its SQLite database, if it has one.
    pub fn database_folder(&self) -> Option<&Path> {
        self.database.folder()
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A new account.
    pub async fn account(&self) -> TestAccount {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let body =
            json!({ "name": format!("Account {n}"), "email": format!("account{n}@example.org") });
        let made = self.http.post("/v1/accounts", "", &body).await.expect(201);
        TestAccount {
            id: text(&made, "id"),
            key: text(&made, "api_key"),
        }
    }

    /// Gives an account another plan, as its operator does.
    pub async fn set_plan(&self, account: &TestAccount, plan: Plan) {
        let store = self.database.open().await;
        let id = account.id.parse().expect("it is an id");
        let mut reader = store.read().await.expect("the database is there");
        let found = reader.account(id).await.expect("it can be read");
        let email = found.expect("the account is there").email;
        let set = async move |tx: &mut Tx| tx.set_account_plan(&email, plan).await;
        store.write(set).await.expect("it can be written");
    }

    /// A new agent of `account` that has a key; answers what registering answered.
    pub async fn agent(&self, account: &TestAccount, slug: &str) -> Value {
        // Any 32 bytes are a key, but for the few of low order.
        let body = json!({ "agent_id": slug, "public_key": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=" });
        self.http
            .post("/v1/agents/register", &account.key, &body)
            .await
            .expect(201)
    }

    /// Signs in with [`PASSWORD`]; answers the session's token.
    pub async fn sign_in(&self, email: &str) -> String {
        let answer = self.try_password(email, PASSWORD).await;
        text(&answer.expect(201), "session_token")
    }

    /// Tries to sign in.
    pub async fn try_password(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.http.post("/v1/sessions", "", &body).await
    }

    /// A session of an account that has no password yet: it is set by the mailed link.
    pub async fn session_of(&self, account: &TestAccount) -> String {
        let shown = self.http.get("/v1/account", &account.key).await.expect(200);
        let email = text(&shown, "email");
        let body = json!({ "email": email });
        let asked = self.http.post("/v1/password-resets", "", &body).await;
        asked.expect(200);
        let mail = self.mail_to(&email, "Set a new password").await;
        let body = json!({ "token": mail.token(), "password": PASSWORD });
        let set = self.http.post("/v1/password-resets/confirm", "", &body);
        set.await.expect(200);
        self.sign_in(&email).await
    }

    /// The mails in the outbox, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        mails_in(&self.data_dir().join("outbox"))
    }

    /// Waits for a mail to this address about this; answers the latest.
    pub async fn mail_to(&self, address: &str, subject: &str) -> Mail {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            self.send_mails().await;
            let is_it = |it: &Mail| {
                it.header("To").contains(address) && it.header("Subject").contains(subject)
            };
            if let Some(mail) = self.mails().into_iter().rfind(is_it) {
                return mail;
            }
            assert!(Instant::now() < until, "no mail to {address}: {subject}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends the mails that are due by the clock of the test.
    pub async fn send_mails(&self) {
        let sent = self.sweeper.send_mails().await;
        sent.expect("what is due is tried");
    }

    /// Activates what waits for somebody who has a key by now.
    pub async fn activate(&self) {
        let activated = self.sweeper.activate().await;
        activated.expect("what waits is looked up");
    }

    /// Sweeps what is due by the clock of the test.
    pub async fn sweep(&self) {
        self.sweeper.sweep().await.expect("what is due is swept");
    }

    /// Deletes what no transfer needs and was written before `before`.
    pub async fn delete_orphans(&self, before: SystemTime) {
        let deleted = self.sweeper.delete_orphans(before).await;
        deleted.expect("what is not needed is looked for");
    }

    /// Stops the server the way an operator does, and waits for it.
    pub async fn stop(&mut self) {
        self.running.stop.cancel();
        if let Some(task) = self.running.task.take() {
            task.await.expect("the server does not panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A text out of an answer.
pub fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {value}"))
        .to_owned()
}
