//! Errors, no room, and writes that come to half: an answer that says so, and nothing else lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agentdrop_testkit::engines::{Engine, database};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep};

use super::{Disk, Fault};
use crate::by_hand;
use crate::calls::{Caller, Health};
use crate::child::Child;
use crate::model::{Attempt, Attempts, Chance, Outcome, content};
use crate::work::Way;

/// How often a disk falls ill of each; `AGENTDROP_TEST_DISK_FAULTS` says otherwise.
const TIMES: u64 = 20;
/// Callers at a time.
const CALLERS: u64 = 3;
/// How long a disk that is not asked for much is waited for to fail.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_errors_is_said_and_outlived() {
    outlived(Engine::Sqlite, Fault::Errors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_errors_beside_a_database_elsewhere_is_said_and_outlived() {
    outlived(Engine::Postgres, Fault::Errors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_is_said_and_outlived() {
    outlived(Engine::Sqlite, Fault::Full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_half_is_written_to_again() {
    outlived(Engine::Sqlite, Fault::Short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_half_and_then_nothing_is_said_and_outlived() {
    outlived(Engine::Sqlite, Fault::ShortThenFull).await;
}

async fn outlived(engine: Engine, fault: Fault) {
    let (disk, other) = (Disk::new(), database(engine).await);
    let database = disk.database(engine, other.url());
    let server = disk.serve(&database).await;
    let key = server.account().await;
    let (mut attempts, mut chance) = (Attempts::default(), Chance(0xd15c));
    let (mut failures, mut refusals) = (0, 0);
    for round in 0..by_hand::said("AGENTDROP_TEST_DISK_FAULTS", TIMES) {
        let ill = Arc::new(AtomicBool::new(true));
        disk.fall_ill(fault, chance.below(60), 1 + chance.below(12));
        let mut callers = JoinSet::new();
        for n in 0..CALLERS {
            let mut caller = Caller::new(&server.http, &key);
            caller.health = Health::Ill;
            let ill = Arc::clone(&ill);
            let old = attempts.acknowledged();
            callers.spawn(call(caller, ill, old, round * CALLERS + n));
        }
        let until = Instant::now() + PATIENCE;
        while disk.fired() == 0 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(chance.below(100))).await;
        ill.store(false, Ordering::Relaxed);
        for (sent, refused) in callers.join_all().await {
            refusals += refused;
            attempts.extend(sent);
        }
        failures += disk.recover();
        // At once, and by itself.
        let label = format!("well-{round}");
        let caller = Caller::new(&server.http, &key);
        let sent = caller.send(&label, content(&label, 70_000)).await;
        let outcome = Outcome::Acknowledged(sent.expect("the server runs"));
        attempts.extend(vec![Attempt::new(label, 70_000, outcome)]);
        attempts.check(&server, &key, &mut chance).await;
        server.http.get("/readyz", "").await.expect(200);
    }
    println!(
        "{engine:?} {fault:?}: {failures} failures, {refusals} refused, {:?}",
        attempts.seen
    );
    assert!(failures > 0, "nothing failed");
    match fault {
        Fault::Short => assert_eq!(refusals, 0, "{}", disk.log()),
        _ => assert!(refusals > 0, "nobody noticed"),
    }
    attempts.check_all(&server, &key).await;
    server.stop().await;
    disk.check(&database);
    restarted(&disk, &database, &key, &mut attempts, &mut chance).await;
}

/// The next start finds all of it, too, and throws away what was left.
async fn restarted(
    disk: &Disk,
    database: &str,
    key: &str,
    attempts: &mut Attempts,
    chance: &mut Chance,
) {
    let server: Child = disk.serve(database).await;
    attempts.check(&server, key, chance).await;
    attempts.check_all(&server, key).await;
    attempts.delete_all(&server, key).await;
    server.stop().await;
    let server = disk.serve(database).await;
    server.wait_until_swept(&disk.data().join("blobs")).await;
    server.stop().await;
    disk.check(database);
}

/// Sends and fetches as long as the disk is ill; answers what was tried, and how often it was refused.
async fn call(
    caller: Caller,
    ill: Arc<AtomicBool>,
    old: Vec<Attempt>,
    seed: u64,
) -> (Vec<Attempt>, usize) {
    let (mut attempts, mut refused, mut chance) = (Vec::new(), 0, Chance(seed + 1));
    for n in 0.. {
        let label = format!("i{seed}-{n}");
        let (way, size) = Way::by(&mut chance);
        let sent = way.send(&caller, &label, content(&label, size)).await;
        refused += usize::from(sent.is_none());
        let outcome = sent.map_or(Outcome::Unknown, Outcome::Acknowledged);
        attempts.push(Attempt::new(label, size, outcome));
        if !ill.load(Ordering::Relaxed) {
            break;
        }
        if !old.is_empty() {
            let at = usize::try_from(chance.below(old.len() as u64)).unwrap();
            let (id, before) = (old[at].id(), &old[at]);
            let fetched = caller.fetch(id).await;
            refused += usize::from(fetched.is_none());
            if let Some((download, bytes)) = fetched {
                assert!(bytes == content(&before.label, before.size), "{before:?}");
                refused += usize::from(caller.acknowledge(id, &download).await.is_none());
            }
        }
    }
    (attempts, refused)
}
