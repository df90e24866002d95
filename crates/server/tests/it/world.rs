//! What many tests stand on: an account with two agents, and looks behind the server's back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agentdrop_server::Route;
use agentdrop_testkit::at_rest::{Thief, small_bodies};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::{TestAccount, TestServer, text};
use serde_json::{Value, json};

/// Columns that a request may change by being made.
const TOUCHED: [&str; 2] = ["last_seen_at", "last_used_at"];

/// A server with an account that has the agents `alice` and `bob`.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) account: TestAccount,
    pub(crate) alice: Value,
    pub(crate) bob: Value,
}

impl World {
    /// One on each engine.
    pub(crate) async fn each() -> Vec<Self> {
        let mut worlds = Vec::new();
        for server in TestServer::each().await {
            worlds.push(Self::on(server).await);
        }
        worlds
    }

    /// One on each engine, and one whose files are in a bucket.
    pub(crate) async fn everywhere() -> Vec<Self> {
        let mut worlds = Self::each().await;
        worlds.push(Self::in_bucket(Engine::Sqlite, &TestBucket::new().await).await);
        worlds
    }

    /// The same, where all files are fetched from the server.
    pub(crate) async fn everywhere_relayed() -> Vec<Self> {
        let mut worlds = Self::each().await;
        let mut s3 = TestBucket::new().await.config();
        s3.downloads = Route::Relayed;
        let server = TestServer::start(Engine::Sqlite, |it| it.s3 = Some(s3)).await;
        worlds.push(Self::on(server).await);
        worlds
    }

    /// One whose files are in a bucket.
    pub(crate) async fn in_bucket(engine: Engine, bucket: &TestBucket) -> Self {
        Self::on(TestServer::in_bucket(engine, bucket).await).await
    }

    pub(crate) async fn on(server: TestServer) -> Self {
        let account = server.account().await;
        let alice = server.agent(&account, "alice").await;
        let bob = server.agent(&account, "bob").await;
        Self {
            server,
            account,
            alice,
            bob,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.server.http.get(path, &self.account.key).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.server.http.delete(path, &self.account.key).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.server.http.post(path, &self.account.key, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.server.http.patch(path, &self.account.key, body).await
    }

    /// Sends files from alice to bob, with further fields.
    pub(crate) async fn send(
        &self,
        more: &[(&'static str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut fields = vec![("sender", "alice"), ("recipient", "bob")];
        fields.extend_from_slice(more);
        let key = &self.account.key;
        self.server
            .http
            .form("/v1/transfers", key, &fields, files)
            .await
    }

    /// Sends a small file from alice to bob; answers the transfer.
    pub(crate) async fn sent(&self, more: &[(&'static str, &str)]) -> Value {
        self.send(more, &[("a.txt", b"0123456789")])
            .await
            .expect(201)
    }

    /// Takes a download of a transfer.
    pub(crate) async fn grant(&self, transfer: &Value) -> Answer {
        let path = format!("/v1/transfers/{}/download", text(transfer, "id"));
        self.get(&path).await
    }

    /// A transfer, as it is shown now.
    pub(crate) async fn shown(&self, transfer: &Value) -> Value {
        let path = format!("/v1/transfers/{}", text(transfer, "id"));
        self.get(&path).await.expect(200)
    }

    /// Waits until the server has these blobs and no other: it may be sweeping already when it is
    /// told to.
    pub(crate) async fn has_blobs(&self, expected: &[PathBuf]) {
        self.server.sweep().await;
        let swept = async || blobs(&self.server) == expected;
        until("what is not needed is swept", swept).await;
    }

    /// A new key that acts as one agent: its id, and the key.
    pub(crate) async fn agent_key(&self, agent: &str) -> (String, String) {
        let path = format!("/v1/agents/{agent}/keys");
        let made = self.post(&path, &json!({ "name": "ci" })).await.expect(201);
        (text(&made, "id"), text(&made, "api_key"))
    }
}

/// A transfer's bytes of one of its files, fetched under a grant.
pub(crate) fn file_url(grant: &Value, position: usize) -> String {
    text(&grant["files"][position], "download_url")
}

/// Checks that two answers cannot be told apart.
pub(crate) fn assert_same(what: &str, one: &Answer, other: &Answer) {
    let said = |it: &Answer| {
        let mut body = it.json();
        if let Some(error) = body["error"].as_object_mut() {
            error.remove("request_id");
        }
        (it.status, body)
    };
    assert_eq!(said(one), said(other), "{what}");
}

/// Waits for what comes about behind an answer.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All that a server remembers, a row a line by table, less what every request may change.
pub(crate) async fn rows(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let mut found = everything(server).await;
    // They go when they are sent, which is behind the answer of whoever caused them.
    found.remove("mails");
    for rows in found.values_mut() {
        for row in rows.iter_mut() {
            let kept = row
                .split('\u{1f}')
                .filter(|it| !TOUCHED.iter().any(|touched| it.starts_with(touched)));
            *row = kept.collect::<Vec<_>>().join("|");
        }
    }
    found
}

/// The same, less the logs of accounts, of which some is written behind the answer.
pub(crate) fn unlogged(mut rows: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    rows.retain(|table, _| !table.starts_with("audit_"));
    rows
}

/// All that a server remembers, a row a line by table.
pub(crate) async fn everything(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let mut all = match server.engine() {
        Engine::Sqlite => sqlite_rows(server),
        Engine::Postgres => postgres_rows(server).await,
    };
    // Counts what was refused as well, where there may be several servers, and has digests alone.
    all.remove("attempts");
    all
}

fn sqlite_rows(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let path = server.database().url().trim_start_matches("sqlite://");
    let database = rusqlite::Connection::open(path).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    let mut found = BTreeMap::new();
    for table in names("SELECT name FROM sqlite_master WHERE type = 'table'") {
        let mut statement = database
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1"))
            .unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cells = columns.iter().enumerate().map(|(n, name)| {
                let value = row.get_ref(n).unwrap();
                let value = value.as_bytes().map_or_else(
                    |_| format!("{value:?}"),
                    |it| String::from_utf8_lossy(it).into_owned(),
                );
                format!("{name}={value}")
            });
            lines.push(cells.collect::<Vec<_>>().join("\u{1f}"));
        }
        found.insert(table, lines);
    }
    found
}

async fn postgres_rows(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let url = server.database().url();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let tables = client
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
            &[],
        )
        .await
        .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let table: String = table.get(0);
        // Bytes come as hexadecimal digits.
        let sql = format!(
            "SELECT (SELECT string_agg(key || '=' || value, chr(31))
                     FROM jsonb_each_text(to_jsonb(t))) FROM {table} t ORDER BY 1"
        );
        let rows = client.query(&sql, &[]).await.unwrap();
        let lines = rows
            .iter()
            .map(|it| it.get::<_, Option<String>>(0).unwrap_or_default());
        found.insert(table, lines.collect());
    }
    drop(client);
    connection.abort();
    found
}

/// Runs statements past the server.
pub(crate) async fn run_sql(server: &TestServer, sql: &str) {
    let url = server.database().url();
    match server.engine() {
        Engine::Sqlite => {
            let database = rusqlite::Connection::open(url.trim_start_matches("sqlite://"));
            database.unwrap().execute_batch(sql).unwrap();
        }
        Engine::Postgres => {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                .await
                .unwrap();
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
            drop(client);
            connection.abort();
        }
    }
}

/// The files under a folder, however deep.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !["lock", "installation"].iter().any(|it| path.ends_with(it)) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// What holds what was sent, whole or not: files, and what is kept beside rows in the place of one,
/// which has no folder.
pub(crate) fn blobs(server: &TestServer) -> Vec<PathBuf> {
    let mut all = files_under(&server.data_dir().join("blobs"));
    let small = small_bodies(server.database()).into_iter();
    all.extend(small.map(|it| PathBuf::from(it.name)));
    all
}

/// Whoever has stolen all that a server stores.
pub(crate) fn thief(server: &TestServer) -> Thief {
    Thief::of(&server.data_dir()).with_rows(small_bodies(server.database()))
}
