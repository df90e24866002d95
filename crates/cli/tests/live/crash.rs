//! `kill -9` at random moments: what was acknowledged is there, what was not leaves no trace.

use std::time::Duration;

use crate::by_hand;
use crate::child::Child;
use crate::model::{Attempts, Chance};
use agentdrop_testkit::at_rest::small_bodies;
use agentdrop_testkit::engines::{Engine, database};

/// How often the server is killed, two times of three on SQLite; `AGENTDROP_TEST_KILLS` says
/// otherwise.
const KILLS: u32 = 60;

#[expect(clippy::print_stdout, reason = "it says what it saw")]
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_it_acknowledged() {
    let kills = by_hand::said("AGENTDROP_TEST_KILLS", KILLS);
    for (engine, rounds) in [
        (Engine::Sqlite, kills - kills / 3),
        (Engine::Postgres, kills / 3),
    ] {
        let (folder, database) = (tempfile::tempdir().unwrap(), database(engine).await);
        let data = folder.path().join("data");
        let (mut attempts, mut chance) = (Attempts::default(), Chance(0x5eed));
        let mut server = Child::start(&data, database.url()).await;
        let key = server.account().await;
        for round in 0..rounds {
            let work: Vec<_> = (0..4)
                .map(|n| server.upload_until_killed(&key, round * 4 + n))
                .collect();
            // As many go as come, or all else would soon be reading the old ones.
            let count = attempts.acknowledged().len() / 2;
            let (victims, others) = attempts.victims(count, &mut chance);
            let looking = server.download_until_killed(&key, others);
            let deleting = server.delete_until_killed(&key, victims);
            tokio::time::sleep(Duration::from_millis(20 + chance.below(400))).await;
            server.kill();
            for uploads in work {
                attempts.extend(uploads.await.unwrap());
            }
            attempts.note(looking.await.unwrap(), deleting.await.unwrap());

            server = Child::start(&data, database.url()).await;
            attempts.check(&server, &key, &mut chance).await;
        }
        println!("{engine:?}: {rounds} kills, {:?}", attempts.seen);
        let seen = &attempts.seen;
        assert!(seen.sent >= rounds as usize / 2, "hardly anything was sent");
        assert!(seen.deleted > 0 && seen.delivered > 0, "{seen:?}");
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
