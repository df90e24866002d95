//! A power cut: of what was never made durable, any page and any name may be gone.

use agentdrop_testkit::engines::Engine;
use tokio::time::{Duration, sleep};

use super::{Disk, undo};
use crate::by_hand;
use crate::child::Child;
use crate::model::{Attempts, Chance};

/// How often the power is cut; `AGENTDROP_TEST_POWER_CUTS` says otherwise.
const CUTS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_power_cut() {
    let disk = Disk::forgetful();
    let database = disk.database(Engine::Sqlite, "");
    let (mut attempts, mut chance) = (Attempts::default(), Chance(0x70a2));
    let mut undone = undo::Undone::default();
    // From the first moment on: also the keys of a new server are there, or nothing is.
    let mut durable = undo::Names::of(&disk.at("disk"));
    let mut server: Child = disk.serve(&database).await;
    let key = server.account().await;
    for round in 0..by_hand::said("AGENTDROP_TEST_POWER_CUTS", CUTS) {
        let work: Vec<_> = (0..3)
            .map(|n| server.upload_until_killed(&key, round * 3 + n))
            .collect();
        let count = attempts.acknowledged().len() / 2;
        let (victims, others) = attempts.victims(count, &mut chance);
        let looking = server.download_until_killed(&key, others);
        let deleting = server.delete_until_killed(&key, victims);
        sleep(Duration::from_millis(chance.below(400))).await;
        server.kill();
        for uploads in work {
            attempts.extend(uploads.await.unwrap());
        }
        attempts.note(looking.await.unwrap(), deleting.await.unwrap());
        undone.undo(&disk.at("disk"), &disk.at("undo"), durable, &mut chance);
        disk.check(&database);

        durable = undo::Names::of(&disk.at("disk"));
        server = disk.serve(&database).await;
        attempts.check(&server, &key, &mut chance).await;
    }
    println!("{undone:?}, {:?}", attempts.seen);
    assert!(undone.pages > 0 && undone.names > 0, "{undone:?}");
    assert!(attempts.seen.sent > 0, "nothing was sent");
    attempts.check_all(&server, &key).await;
    attempts.delete_all(&server, &key).await;
    server.stop().await;
    let server = disk.serve(&database).await;
    server.wait_until_swept(&disk.data().join("blobs")).await;
    server.stop().await;
    disk.check(&database);
}
