//! `kill -9` of a server whose files are in a bucket.

use std::time::{Duration, SystemTime};

use agentdrop_server::{Config, Server};
use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::s3::TestBucket;

use crate::child::Child;
use crate::model::{Attempts, Chance};

/// How often the server is killed on each engine.
const ROUNDS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_in_its_bucket_and_leaves_nothing_there() {
    for engine in Engine::ALL {
        let (folder, database) = (tempfile::tempdir().unwrap(), database(engine).await);
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let bucket = TestBucket::new().await;
        let start = || Child::start_in_bucket(&data, database.url(), &bucket, &log);
        let (mut attempts, mut chance) = (Attempts::default(), Chance(0x5eed));
        let mut server = start().await;
        let key = server.account().await;
        for round in 0..ROUNDS {
            let work: Vec<_> = (0..4)
                .map(|n| server.upload_until_killed(&key, round * 4 + n))
                .collect();
            tokio::time::sleep(Duration::from_millis(100 + chance.below(600))).await;
            server.kill();
            for uploads in work {
                attempts.extend(uploads.await.unwrap());
            }
            server = start().await;
            attempts.check(&server, &key, &mut chance).await;
        }
        let sent = attempts.acknowledged().len();
        assert!(sent > ROUNDS as usize, "hardly anything was sent: {sent}");
        attempts.check_all(&server, &key).await;
        attempts.delete_all(&server, &key).await;
        server.stop().await;

        // Other servers could still be writing what is young; here there is none.
        let mut config = Config::new(data.clone());
        config.listen = ([127, 0, 0, 1], 0).into();
        config.database_url = Some(database.url().to_owned());
        config.s3 = Some(bucket.config());
        let server = Server::start(&config).await.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "the bucket has the machine's time"
        )]
        let now = SystemTime::now() + Duration::from_mins(1);
        server.sweeper().sweep().await.unwrap();
        server.sweeper().delete_orphans(now).await.unwrap();
        assert!(
            bucket.is_empty().await,
            "{:?} {}",
            bucket.objects().await,
            bucket.uploads().await
        );

        let log = std::fs::read_to_string(&log).unwrap();
        let secret = bucket.config().secret_key.expose_secret().to_owned();
        for word in [&*secret, &*key, "X-Amz-Signature", "signature="] {
            assert!(!log.contains(word), "{word} is in the log");
        }
    }
}
