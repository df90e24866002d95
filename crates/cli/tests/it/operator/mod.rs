//! Backup, restore, moving and checking, on real servers.

mod bucket;
mod faults;
mod prekeys;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::http::{Http, send};
use serde_json::{Value, json};

use crate::support::{Pair, Run, Serve, eventually, names, noise};

const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";
const RECEIVE: &str = "staple in the haystack";

/// An installation with every kind of transfer in it.
struct World {
    pair: Pair,
    /// What everybody knows the server by.
    listen: String,
    large: Vec<u8>,
    small: Vec<u8>,
    /// So small that it is kept beside the row.
    tiny: Vec<u8>,
    /// Sealed, and in parts.
    sealed: String,
    /// Sealed, and beside its row.
    sealed_tiny: String,
    /// Waits for Ann, who has no key yet: a file on the disk, and one beside the row.
    pending: String,
    /// Announced, with one of its two files there.
    announced: Value,
    /// Its time is over, and nobody has swept it.
    expired: String,
}

impl World {
    async fn new() -> Self {
        let pair = Pair::compatible();
        let listen = pair.serve.url.trim_start_matches("http://").to_owned();
        let (large, small, tiny) = (noise(33 << 20), noise(200_000), noise(500));
        pair.file("large", &large);
        pair.file("small", &small);
        pair.file("tiny", &tiny);
        let id = |sent: &Value| sent["id"].as_str().unwrap().to_owned();
        let sealed = id(&pair.json("alice", "send bob large small"));
        let sealed_tiny = id(&pair.json("alice", "send bob tiny"));
        let pending = id(&pair.json("alice", &format!("send {EMAIL} small tiny --yes")));
        let expired = id(&pair.json("alice", "send bob small"));
        let file = |name| json!({ "name": name, "size": 200_000, "content_type": "text/plain", "encryption_iv": null });
        let body = json!({ "sender": "alice", "recipient": "bob", "mode": "agent-to-agent", "files": [file("a"), file("b")] });
        let http = Http::new(pair.serve.url.clone());
        let path = "/v1/transfers/presigned";
        let announced = http.post(path, &pair.account_key, &body).await.expect(201);
        let world = Self {
            pair,
            listen,
            large,
            small,
            tiny,
            sealed,
            sealed_tiny,
            pending,
            announced,
            expired,
        };
        world.put(0).await;
        let expire = "UPDATE transfers SET expires_at = 1, bytes_until = 1 WHERE id = ?1";
        let rows = world.database();
        rows.execute(expire, [&world.expired]).unwrap();
        world
    }

    /// Puts one of the announced files where it was said that it goes.
    async fn put(&self, position: usize) {
        let http = Http::new(self.url());
        let url = &self.announced["upload_urls"][position]["upload_url"];
        let url = url.as_str().unwrap();
        let put = send(http.request("PUT", url, "").body(self.small.clone())).await;
        assert_eq!(put.status, 200, "{}", String::from_utf8_lossy(&put.bytes));
    }

    fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn data(&self) -> PathBuf {
        self.pair.path("data")
    }

    fn database(&self) -> rusqlite::Connection {
        let database = rusqlite::Connection::open(self.data().join("agentdrop.db")).unwrap();
        let patience = std::time::Duration::from_secs(10);
        database.busy_timeout(patience).unwrap();
        database
    }

    #[track_caller]
    fn admin(&self, line: &str, status: i32) -> Value {
        let line = format!("--json admin {line}");
        self.pair.sandbox.run(&line).expect(status).json()
    }

    /// Checks that a line is refused with this code.
    #[track_caller]
    fn refused(&self, line: &str, status: i32, code: &str) {
        let said = self.admin(line, status);
        assert_eq!(said["error"]["code"], code, "{line}: {said}");
    }

    fn stop(&mut self) {
        self.pair.serve.kill();
    }

    /// Starts a server on another folder, where the first one was reached.
    fn serve_on(&mut self, folder: &str, more: &[&str]) {
        self.stop();
        let log = format!("{folder}.log");
        let listen = ["--listen", &self.listen].map(str::to_owned);
        let more: Vec<&str> = listen
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        let sandbox = &self.pair.sandbox;
        self.pair.serve = Serve::start_on(sandbox, (folder, &log), &more, &[]);
    }

    fn typed(&self, line: &str, input: &str) -> Value {
        let line = format!("--json {line} --config-dir ann --server {}", self.url());
        self.pair.sandbox.typed(&line, input).expect(0).json()
    }

    #[track_caller]
    fn came(&self, folder: &str, name: &str, content: &[u8]) {
        let came = fs::read(self.pair.path(folder).join(name)).unwrap();
        assert!(came == content, "{folder}/{name}");
    }

    /// Everything that was sent arrives: what was sealed, what waited, and what was half there.
    async fn receive_all(&self) {
        let line = format!("receive {} --to sealed", self.sealed);
        self.pair.json("bob", &line);
        self.came("sealed", "large", &self.large);
        self.came("sealed", "small", &self.small);
        let line = format!("receive {} --to beside", self.sealed_tiny);
        self.pair.json("bob", &line);
        self.came("beside", "tiny", &self.tiny);

        self.put(1).await;
        let id = self.announced["id"].as_str().unwrap();
        let path = format!("/v1/transfers/{id}/confirm");
        let http = Http::new(self.url());
        let nothing = json!({});
        let confirmed = http.post(&path, &self.pair.account_key, &nothing);
        confirmed.await.expect(200);
        let line = format!("receive {id} --to plain --accept-plaintext");
        self.pair.json("bob", &line);
        self.came("plain", "a", &self.small);
        self.came("plain", "b", &self.small);

        let create = format!("account create --name Ann --email {EMAIL} --password-stdin");
        self.typed(&create, PASSWORD);
        self.typed(&format!("login {EMAIL} --password-stdin"), PASSWORD);
        self.typed("receive-password set --password-stdin", RECEIVE);
        let shown = format!("show {}", self.pending);
        eventually("it is activated", || {
            self.pair.json("alice", &shown)["status"] == "active"
        });
        let open = format!("open {} --to opened --password-stdin", self.pending);
        self.typed(&open, RECEIVE);
        self.came("opened", "small", &self.small);
        self.came("opened", "tiny", &self.tiny);

        let expired = self.pair.json("alice", &format!("show {}", self.expired));
        assert_eq!(expired["status"], "expired");
        // And new things come and go.
        let sent = self.pair.json("alice", "send bob small");
        let id = sent["id"].as_str().unwrap();
        self.pair.json("bob", &format!("receive {id} --to new"));
        self.came("new", "small", &self.small);
    }
}

/// Everything below a folder, with its mode.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![(folder.to_owned(), mode(folder))];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(modes(&path));
        } else {
            found.push((path.clone(), mode(&path)));
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn is_private(folder: &Path) {
    for (path, mode) in modes(folder) {
        let is_fit = mode == if path.is_dir() { 0o700 } else { 0o600 };
        assert!(is_fit, "{} has {mode:o}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_beside_a_server_is_received_after_all_was_lost() {
    let mut world = World::new().await;
    let made = world.admin("backup kept --data-dir data", 0);
    assert_eq!(made["server_key"], true);
    // Of the expired one the server may have let go.
    assert!(made["transfers"].as_u64().unwrap() >= 3, "{made}");
    is_private(&world.pair.path("kept"));
    let found = names(&world.pair.path("kept"));
    assert_eq!(
        found,
        ["agentdrop.db", "backup.json", "blobs", "server.key"]
    );
    // What came later is not in it.
    world.pair.json("alice", "send bob small");
    world.refused("backup kept --data-dir data", 1, "HAS_DATA");

    world.stop();
    fs::remove_dir_all(world.data()).unwrap();
    let restored = world.admin("restore kept --data-dir back", 0);
    assert_eq!(restored["transfers"], made["transfers"]);
    assert_eq!(restored["bytes"], made["bytes"]);
    assert_eq!(restored["server_key"], true);
    is_private(&world.pair.path("back"));
    world.serve_on("back", &[]);
    let well = world.admin("check --data-dir back", 0);
    assert_eq!(well["ok"], true, "{well}");
    assert_eq!(well["orphans"]["young"], 0, "{well}");
    world.receive_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_to_postgres_is_received_and_backed_up_from_there() {
    let mut world = World::new().await;
    let first = database(Engine::Postgres).await;
    let url = first.url().to_owned();
    let line = format!("migrate-store --data-dir data --to {url}");
    world.refused(&line, 1, "DATA_DIR_TAKEN");
    world.stop();
    let moved = world.admin(&line, 0);
    assert!(moved["rows"].as_u64().unwrap() > 20, "{moved}");
    world.refused(&line, 1, "HAS_DATA");

    let key = world.data().join("server.key");
    let blobs = world.data().join("blobs");
    let (key, blobs) = (key.to_str().unwrap(), blobs.to_str().unwrap());
    let on = [
        "--database-url",
        &url,
        "--blobs",
        blobs,
        "--server-key",
        key,
    ];
    world.serve_on("node", &on);
    let on = on.join(" ");
    let made = world.admin(&format!("backup kept --data-dir node {on}"), 0);
    // Of the expired one the server may have let go.
    assert!(made["transfers"].as_u64().unwrap() >= 3, "{made}");
    let well = world.admin(&format!("check --data-dir node {on}"), 0);
    assert_eq!(well["ok"], true, "{well}");

    let other = database(Engine::Postgres).await;
    let (there, taken) = (other.url(), &url);
    let line = format!("restore kept --data-dir back --database-url {taken}");
    world.refused(&line, 1, "HAS_DATA");
    assert!(!world.pair.path("back").exists());
    world.admin(
        &format!("restore kept --data-dir back --database-url {there}"),
        0,
    );
    world.serve_on("back", &["--database-url", there]);
    world.receive_all().await;
}

impl World {
    fn admin_ok(&self, line: &str) -> bool {
        let line = format!("--json admin {line}");
        let run: Run = self.pair.sandbox.run(&line);
        run.status == 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_or_no_empty_place_is_refused_and_left_alone() {
    let mut world = World::new().await;
    world.refused("check --data-dir nowhere", 2, "NO_DATA");
    world.refused("backup kept --data-dir nowhere", 1, "NO_DATA");
    world.refused("restore nowhere --data-dir back", 1, "NO_BACKUP");
    world.admin("backup kept --data-dir data --without-key", 0);
    assert!(!world.pair.path("kept/server.key").exists());
    // A place with something in it stays as it is.
    fs::create_dir(world.pair.path("taken")).unwrap();
    world.pair.file("taken/mine", b"mine");
    world.refused("restore kept --data-dir taken", 1, "HAS_DATA");
    world.refused("backup taken --data-dir data", 1, "HAS_DATA");
    world.refused("restore kept --data-dir data", 1, "HAS_DATA");
    assert_eq!(names(&world.pair.path("taken")), ["mine"]);
    // Half a restore is nothing that a server runs on.
    let blob = modes(&world.pair.path("kept/blobs"));
    let is_blob = |it: &PathBuf| it.is_file() && it.to_str().unwrap().contains(&world.pending);
    let blob = blob.into_iter().map(|it| it.0).find(is_blob).unwrap();
    fs::rename(&blob, world.pair.path("aside")).unwrap();
    world.refused("restore kept --data-dir half", 2, "LOST_BYTES");
    let half = world
        .pair
        .sandbox
        .run("--json serve --listen 127.0.0.1:0 --data-dir half");
    assert_eq!(half.expect(1).json()["error"]["code"], "BLOBS");
    fs::rename(world.pair.path("aside"), &blob).unwrap();

    // The key comes from where it was kept; another one is none.
    let key = world.data().join("server.key");
    fs::copy(&key, world.pair.path("kept-key")).unwrap();
    world.pair.file("other-key", &[7; 32]);
    let line = "restore kept --data-dir wrong --server-key other-key";
    world.refused(line, 1, "SERVER_KEY");
    let restored = world.admin("restore kept --data-dir back", 0);
    assert_eq!(restored["server_key"], false);
    world.serve_on("back", &["--server-key", "kept-key"]);
    world.receive_all().await;
    // Nothing says that it is whole, so it is not.
    fs::remove_file(world.pair.path("kept/backup.json")).unwrap();
    world.refused("restore kept --data-dir again", 1, "NO_BACKUP");
    assert!(!world.pair.path("again").exists());
}
