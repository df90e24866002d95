//! SQLite's writer: a thread that puts many units of work into one commit.
//!
//! A commit costs an fsync, however little it holds, and SQLite has one writer. So all the units
//! that are waiting share a transaction, each in a savepoint of its own that a failure rolls
//! back alone; their callers are answered after the `COMMIT`, when their work is on disk.

use std::any::Any;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{Connection, Tx, sqlite};
use crate::{Error, Result};

/// Units that may wait; whoever comes then waits to be let into the queue.
const QUEUE: usize = 1024;
/// Units in a commit, so that the first does not wait long for the last.
const GROUP: usize = 256;

/// A unit of work and its caller; run in a transaction, or told that there is none.
type Unit = Box<dyn FnOnce(Result<&mut Tx>) -> Answer + Send>;
/// Tells the caller of a unit, given how the commit went.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// What a unit came to, or what it panicked with.
type Outcome<T, E> = Result<Result<T, E>, Box<dyn Any + Send>>;

/// The queue into the thread, which ends with the last clone of this.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Unit>);

impl Writer {
    pub(super) fn start(writer: rusqlite::Connection) -> Result<Self> {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let mut tx = Tx::new(Connection::Sqlite(sqlite::Connection::Writer(writer)));
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                // So that a unit which sets a timer is refused for waiting on it, and does not
                // panic for want of a runtime.
                let _in_runtime = runtime.enter();
                while let Some(first) = queue.blocking_recv() {
                    commit_group(&mut tx, first, &mut queue);
                }
            })
            .map_err(Error::engine)?;
        Ok(Self(sender))
    }

    /// Queues `unit` and waits for it to be on disk.
    ///
    /// A caller that goes away before its turn is passed over; later, its unit is kept.
    pub(super) async fn write<T, E>(
        &self,
        unit: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (caller, outcome) = oneshot::channel::<Outcome<T, E>>();
        let unit: Unit = Box::new(move |tx| {
            let outcome = match tx {
                Ok(_) if caller.is_closed() => return Box::new(|_| ()),
                Ok(tx) => in_savepoint(tx, unit),
                Err(error) => Ok(Err(error.into())),
            };
            Box::new(move |committed| {
                let outcome = outcome.map(|it| it.and_then(|done| Ok(committed.map(|()| done)?)));
                // Nobody may be left to hear it.
                drop(caller.send(outcome));
            })
        });
        self.0.send(unit).await.map_err(|_| Error::Stopped)?;
        match outcome.await.map_err(|_| Error::Stopped)? {
            Ok(outcome) => outcome,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Runs `first` and whatever else is waiting, commits, and answers.
fn commit_group(tx: &mut Tx, first: Unit, queue: &mut mpsc::Receiver<Unit>) {
    // IMMEDIATE waits for the lock here; a later upgrade would fail with SQLITE_BUSY halfway.
    if let Err(error) = run(tx, "BEGIN IMMEDIATE") {
        // Whoever is waiting would only wait as long again, one behind the other. Not who comes
        // while these are told: the lock may be free by then.
        let count = queue.len();
        let waiting = iter::from_fn(|| queue.try_recv().ok()).take(count);
        for unit in iter::once(first).chain(waiting) {
            unit(Err(error.clone()))(Ok(()));
        }
        return;
    }
    let (mut answers, mut next) = (Vec::new(), Some(first));
    // The full disk, if it was that, for which SQLite rolled everything back.
    let mut lost_to = None;
    while let Some(unit) = next {
        answers.push(unit(Ok(tx)));
        // A full disk, say, rolls the whole transaction back: the COMMIT below then fails, and
        // with it every unit so far. A further unit would open a transaction of its own.
        let lost = connection(tx).is_autocommit();
        if lost {
            lost_to = tx.failure().filter(|it| matches!(it, Error::Full(_)));
        }
        next = if lost || answers.len() == GROUP {
            None
        } else {
            queue.try_recv().ok()
        };
    }
    // To those who lost their work, that says more than that nothing is left to commit.
    let committed = run(tx, "COMMIT").map_err(|error| lost_to.unwrap_or(error));
    if committed.is_err() && !connection(tx).is_autocommit() {
        // Should this fail too, so does the next BEGIN, and its caller is told.
        drop(run(tx, "ROLLBACK"));
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// Runs `unit` so that a failure, or a panic, takes back its own work and no other's.
fn in_savepoint<T, E: From<Error>>(
    tx: &mut Tx,
    unit: impl FnOnce(&mut Tx) -> Result<T, E>,
) -> Outcome<T, E> {
    if let Err(error) = run(tx, "SAVEPOINT unit") {
        return Ok(Err(error.into()));
    }
    // Unwind safe: of what a panic may have left half done, only the savepoint outlives it.
    let outcome = catch_unwind(AssertUnwindSafe(|| unit(tx)));
    let ended = match outcome {
        Ok(Ok(_)) => Ok(()),
        _ => run(tx, "ROLLBACK TO unit"),
    }
    .and_then(|()| run(tx, "RELEASE unit"));
    match (ended, outcome) {
        (Ok(()), outcome) => outcome,
        (Err(error), outcome) => {
            // What this unit wrote cannot be told from the rest: the whole group goes.
            drop(run(tx, "ROLLBACK"));
            match outcome {
                Ok(Ok(_)) => Ok(Err(error.into())),
                failed => failed,
            }
        }
    }
}

fn run(tx: &Tx, sql: &str) -> Result<()> {
    connection(tx).execute(sql, &[]).map(drop)
}

fn connection(tx: &Tx) -> &sqlite::Connection {
    match &tx.on {
        Connection::Sqlite(it) => it,
        Connection::Postgres(_) => unreachable!("`Writer::start` made it"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::poll_once;
    use super::*;

    fn execute(sql: &'static str) -> impl FnOnce(&mut Tx) -> Result<u64> {
        move |tx| poll_once(tx.run(async |tx| tx.execute(sql, &[]).await)).unwrap()
    }

    /// A writer on a database of its own, with a table of rows.
    fn in_memory() -> rusqlite::Connection {
        let raw = rusqlite::Connection::open_in_memory().unwrap();
        raw.execute_batch("CREATE TABLE rows (n)").unwrap();
        raw
    }

    /// A unit that takes a while, so that those who come meanwhile share the commit.
    fn slow() -> impl FnOnce(&mut Tx) -> Result<()> {
        |_| {
            std::thread::sleep(Duration::from_millis(50));
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_lost_transaction_fails_every_unit_in_it_and_no_other() {
        let writer = Writer::start(in_memory()).unwrap();
        // `ROLLBACK` stands for what SQLite does by itself when the disk is full.
        let (slow, before, lost, after) = tokio::join!(
            writer.write(slow()),
            writer.write(execute("INSERT INTO rows VALUES (1)")),
            writer.write(execute("ROLLBACK")),
            writer.write(execute("INSERT INTO rows VALUES (2)")),
        );
        assert!(slow.is_err() && before.is_err() && lost.is_err());
        assert_eq!(after.unwrap(), 1);
        let left = writer.write(execute("DELETE FROM rows")).await;
        assert_eq!(left.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_told_to_every_unit_that_lost_its_work() {
        let raw = in_memory();
        raw.pragma_update(None, "max_page_count", 16).unwrap();
        let writer = Writer::start(raw).unwrap();
        let fill = "INSERT INTO rows VALUES (zeroblob(100000))";
        let (first, before, full, after) = tokio::join!(
            writer.write(slow()),
            writer.write(execute("INSERT INTO rows VALUES (1)")),
            writer.write(execute(fill)),
            writer.write(execute("INSERT INTO rows VALUES (2)")),
        );
        assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
        for unit in [first.map(|()| 0), before] {
            assert!(matches!(unit, Ok(_) | Err(Error::Full(_))), "{unit:?}");
        }
        assert_eq!(after.unwrap(), 1, "there is room for a small one");
    }

    #[tokio::test]
    async fn while_another_process_writes_all_who_wait_are_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let open = || rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
        let (raw, other) = (open(), open());
        raw.execute_batch("CREATE TABLE rows (n)").unwrap();
        raw.busy_timeout(Duration::from_millis(500)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();

        let writer = Writer::start(raw).unwrap();
        let insert = || writer.write(execute("INSERT INTO rows VALUES (1)"));
        let begun = std::time::Instant::now();
        let (one, two, three, four) = tokio::join!(insert(), insert(), insert(), insert());
        for unit in [one, two, three, four] {
            assert!(matches!(unit, Err(Error::Unreachable(_))), "{unit:?}");
        }
        assert!(begun.elapsed() < Duration::from_millis(1500));

        other.execute_batch("COMMIT").unwrap();
        assert_eq!(insert().await.unwrap(), 1);
    }
}
