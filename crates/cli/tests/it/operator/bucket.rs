//! From a folder to a bucket, and on.

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::s3::TestBucket;
use serde_json::Value;

use super::{World, is_private};
use crate::support::{Run, Serve};

/// What a command is told of a bucket: its place and its service as flags, who we are in the
/// environment.
struct Told {
    url: String,
    endpoint: String,
    credentials: [(&'static str, String); 2],
}

impl Told {
    fn of(bucket: &TestBucket) -> Self {
        let it = bucket.config();
        let secret = it.secret_key.expose_secret().to_owned();
        Self {
            url: format!("s3://{}/{}", it.bucket, it.prefix),
            endpoint: it.endpoint,
            credentials: [
                ("AWS_ACCESS_KEY_ID", it.access_key),
                ("AWS_SECRET_ACCESS_KEY", secret),
            ],
        }
    }

    fn env(&self) -> [(&str, &str); 2] {
        self.credentials.each_ref().map(|it| (it.0, &*it.1))
    }
}

impl World {
    /// Runs an operator's line with the credentials of a bucket.
    #[track_caller]
    fn admin_in(&self, bucket: &Told, line: &str, status: i32) -> Value {
        let line = format!("--json admin {line} --s3-endpoint {}", bucket.endpoint);
        let mut command = self.pair.sandbox.command(line.split_whitespace());
        Run::of(command.envs(bucket.env())).expect(status).json()
    }

    /// Starts a server whose files are in a bucket, where the first one was reached.
    fn serve_in(&mut self, folder: &str, database: &str, bucket: &Told, key: &str) {
        self.stop();
        let more = [
            ["--listen", &self.listen],
            ["--database-url", database],
            ["--blobs", &bucket.url],
            ["--s3-endpoint", &bucket.endpoint],
            ["--server-key", key],
        ];
        let (sandbox, log) = (&self.pair.sandbox, format!("{folder}.log"));
        let place = (folder, &*log);
        self.pair.serve = Serve::start_on(sandbox, place, more.as_flattened(), &bucket.env());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_move_from_a_folder_to_a_bucket_and_through_a_backup_to_another() {
    let mut world = World::new().await;
    let (first, second) = (TestBucket::new().await, TestBucket::new().await);
    let (old, new) = (Told::of(&first), Told::of(&second));
    let (one, other) = (
        database(Engine::Postgres).await,
        database(Engine::Postgres).await,
    );
    world.stop();
    let key = world.data().join("server.key");
    let key = key.to_str().unwrap().to_owned();
    let migrate = format!(
        "migrate-store --data-dir data --to {} --blobs-to {}",
        one.url(),
        old.url
    );
    let moved = world.admin_in(&old, &migrate, 0);
    assert!(moved["blobs"].as_u64().unwrap() >= 7, "{moved}");
    assert!(!world.pair.path("data/migrating.db").exists());
    world.serve_in("node", one.url(), &old, &key);

    // Straight to the bucket, with all that the bucket calls it by.
    let direct = world.pair.json("alice", "send bob large small");
    let direct = direct["id"].as_str().unwrap();
    let on = format!(
        "--data-dir node --database-url {} --server-key {key} --blobs {}",
        one.url(),
        old.url
    );
    let well = world.admin_in(&old, &format!("check {on}"), 0);
    assert_eq!(well["ok"], true, "{well}");
    let made = world.admin_in(&old, &format!("backup kept {on}"), 0);
    // Of the expired one the server may have let go.
    assert!(made["transfers"].as_u64().unwrap() >= 4, "{made}");
    is_private(&world.pair.path("kept"));

    let restore = |bucket: &Told| {
        format!(
            "restore kept --data-dir back --database-url {} --blobs {}",
            other.url(),
            bucket.url
        )
    };
    let taken = world.admin_in(&old, &restore(&old), 1);
    assert_eq!(taken["error"]["code"], "HAS_DATA", "{taken}");
    assert!(!world.pair.path("back").exists());
    world.admin_in(&new, &restore(&new), 0);
    let key = world.pair.path("back/server.key");
    world.serve_in("back", other.url(), &new, key.to_str().unwrap());
    world
        .pair
        .json("bob", &format!("receive {direct} --to direct"));
    world.came("direct", "large", &world.large);
    world.came("direct", "small", &world.small);
    world.receive_all().await;
}
