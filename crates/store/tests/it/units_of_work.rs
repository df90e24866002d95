//! What a unit of work promises, whatever becomes of it or of its neighbours.

use std::sync::Arc;
use std::time::Duration;

use agentdrop_store::{Constraint, Error, Result, Store, Tx};
use agentdrop_testkit::engines::{Engine, store, stores};
use tokio::sync::Barrier;
use tokio::time::timeout;

use crate::things::Cast;
use crate::{is_there, note};

#[tokio::test]
async fn a_unit_reads_what_it_wrote() {
    for store in stores().await {
        let found = store
            .write(async |tx| {
                tx.insert_instance_value("1", b"1").await?;
                tx.instance_value("1").await
            })
            .await;
        assert_eq!(found.unwrap(), Some(b"1".to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_can_read_it() {
    const IDS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
    async fn write_and_read(store: Store, id: &'static str) -> bool {
        note(&store, [id]).await.unwrap();
        is_there(&store, id).await
    }

    for store in stores().await {
        let all: tokio::task::JoinSet<_> = IDS
            .into_iter()
            .map(|id| write_and_read(store.clone(), id))
            .collect();
        assert_eq!(all.join_all().await, [true; 8], "{store:?}");
    }
}

#[tokio::test]
async fn a_failed_unit_leaves_no_trace() {
    /// A refusal by a rule, as a handler would return it.
    #[derive(Debug)]
    enum Refusal {
        No,
        Store,
    }
    impl From<Error> for Refusal {
        fn from(_: Error) -> Self {
            Self::Store
        }
    }

    for store in stores().await {
        let refused: Result<(), _> = store
            .write(async |tx| {
                tx.insert_instance_value("1", b"1").await?;
                Err(Refusal::No)
            })
            .await;
        assert!(matches!(refused, Err(Refusal::No)), "{refused:?}");
        assert!(!is_there(&store, "1").await, "{store:?}");
    }
}

#[tokio::test]
async fn a_swallowed_failure_is_not_a_success() {
    for store in stores().await {
        let swallowed = store
            .write(async |tx| {
                tx.insert_instance_value("1", b"1").await?;
                let again = tx.insert_instance_value("1", b"1").await;
                assert!(again.is_err());
                Ok(())
            })
            .await;
        assert!(matches!(swallowed, Err(Error::Aborted)), "{swallowed:?}");
        assert!(!is_there(&store, "1").await, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_unit_harms_no_other() {
    for store in stores().await {
        note(&store, ["1"]).await.unwrap();
        let slow = hold_up(&store).await;
        // While the writer is held up these gather, and go into one commit.
        let (first, taken, last) = tokio::join!(
            note(&store, ["2"]),
            note(&store, ["3", "1"]),
            note(&store, ["4"]),
        );
        slow.await.unwrap().unwrap();

        first.unwrap();
        last.unwrap();
        assert!(
            matches!(taken, Err(Error::Conflict(Constraint::InstanceName))),
            "{taken:?}"
        );
        assert!(is_there(&store, "2").await && is_there(&store, "4").await);
        assert!(!is_there(&store, "3").await, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_panic_reaches_the_caller_and_nobody_else() {
    for store in stores().await {
        let panicking = store.clone();
        let ended = tokio::spawn(async move {
            let unit = async |tx: &mut Tx| -> Result<()> {
                tx.insert_instance_value("1", b"1").await?;
                panic!("in the unit");
            };
            panicking.write(unit).await
        });
        let panic = ended.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"in the unit"));
        assert!(!is_there(&store, "1").await, "{store:?}");
        note(&store, ["1"]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_that_leaves_before_its_turn_leaves_no_trace() {
    for store in stores().await {
        note(&store, ["1"]).await.unwrap();
        let slow = hold_up(&store).await;
        // SQLite has not begun this; PostgreSQL waits in the middle, for the row that is held.
        let unit = store.write(async |tx| {
            tx.insert_instance_value("2", b"2").await?;
            tx.hold_instance_value("1").await
        });
        assert!(timeout(Duration::from_millis(50), unit).await.is_err());
        slow.await.unwrap().unwrap();

        assert!(!is_there(&store, "2").await, "{store:?}");
        note(&store, ["2"]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_whose_caller_left_is_done_whole_or_not_at_all() {
    for store in stores().await {
        for patience in (0..40).map(|it| Duration::from_micros(it * 50)) {
            // Past its time or not, either is fine.
            drop(timeout(patience, note(&store, ["1", "2"])).await);

            // Behind whatever is still under way.
            let left = store.write(async |tx| tx.delete_instance_values(&["1", "2"]).await);
            assert!(matches!(left.await.unwrap(), 0 | 2), "{store:?}");
        }
    }
}

#[tokio::test]
async fn on_sqlite_a_unit_that_waits_is_refused() {
    let store = store(Engine::Sqlite).await;
    let waited = store
        .write(async |tx| {
            tx.insert_instance_value("1", b"1").await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        })
        .await;
    assert!(matches!(waited, Err(Error::Waited)), "{waited:?}");
    assert!(!is_there(&store, "1").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_wait_for_each_other_one_gives_way() {
    let store = store(Engine::Postgres).await;
    let cast = Cast::of(&store).await;
    let (alice, bob) = ((cast.alice.id, cast.ann.id), (cast.bob.id, cast.ben.id));
    let barrier = Arc::new(Barrier::new(2));
    let unit = |[one, other]: [(_, _); 2]| {
        let (store, barrier) = (store.clone(), Arc::clone(&barrier));
        async move {
            let unit = async move |tx: &mut Tx| {
                tx.hold_agent_of(one.0, one.1).await?;
                barrier.wait().await;
                tx.hold_agent_of(other.0, other.1).await?;
                Ok(())
            };
            store.write(unit).await
        }
    };
    let (one, other) = tokio::join!(unit([alice, bob]), unit([bob, alice]));
    let ends = [one, other];
    assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{ends:?}");
    let gave_way = |it: &Result<()>| matches!(it, Err(Error::GaveWay(_)));
    assert!(ends.iter().any(gave_way), "{ends:?}");
}

/// Begins a unit that takes a while and holds `1`; returns once it is under way.
async fn hold_up(store: &Store) -> tokio::task::JoinHandle<Result<()>> {
    let (store, (begun, under_way)) = (store.clone(), tokio::sync::oneshot::channel());
    let slow = tokio::spawn(async move {
        store
            .write(async move |tx| {
                tx.hold_instance_value("1").await?;
                begun.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(200));
                Ok(())
            })
            .await
    });
    under_way.await.unwrap();
    slow
}
