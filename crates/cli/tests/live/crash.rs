//! `kill -9` at random moments: what was acknowledged is there, what was not leaves no trace.

use std::time::Duration;

use crate::child::Child;
use crate::model::{Attempts, Chance};
use agentdrop_testkit::at_rest::small_bodies;
use agentdrop_testkit::engines::{Engine, database};

/// How often the server is killed on each engine.
const ROUNDS: [(Engine, u32); 2] = [(Engine::Sqlite, 40), (Engine::Postgres, 20)];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_it_acknowledged() {
    for (engine, rounds) in ROUNDS {
        let (folder, database) = (tempfile::tempdir().unwrap(), database(engine).await);
        let data = folder.path().join("data");
        let (mut attempts, mut chance) = (Attempts::default(), Chance(0x5eed));
        let mut server = Child::start(&data, database.url()).await;
        let key = server.account().await;
        for round in 0..rounds {
            let work: Vec<_> = (0..4)
                .map(|n| server.upload_until_killed(&key, round * 4 + n))
                .collect();
            let looking = server.download_until_killed(&key, attempts.acknowledged());
            tokio::time::sleep(Duration::from_millis(20 + chance.below(400))).await;
            server.kill();
            for uploads in work {
                attempts.extend(uploads.await.unwrap());
            }
            looking.await.unwrap();

            server = Child::start(&data, database.url()).await;
            attempts.check(&server, &key, &mut chance).await;
        }
        assert!(
            attempts.acknowledged().len() > rounds as usize,
            "hardly anything was sent"
        );
        attempts.check_all(&server, &key).await;
        attempts.delete_all(&server, &key).await;
        server.stop().await;

        // Whatever the killed uploads left was deleted at the starts, and the rest just now.
        let server = Child::start(&data, database.url()).await;
        server.wait_until_swept(&data.join("blobs")).await;
        let left = small_bodies(&database).len();
        assert_eq!(left, 0, "small files are left");
    }
}
