//! The one place that knows there are two engines.
//!
//! [`Store`] opens readers and runs units of work; [`Reader`] and [`Tx`] run statements. A
//! statement is written once: what the engines do differently lies below, in `sqlite` and
//! `postgres`, and the few texts they spell differently are picked by `dialect!` and `holding!`.

mod bell;
mod group_commit;
mod postgres;
mod sqlite;
mod tx;
mod value;

use std::convert::Infallible;
use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio::sync::watch;

pub use tx::{Reader, Tx};
pub(crate) use value::{Row, Value, params};

use crate::{Error, Result};

/// A connected database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    written: watch::Sender<()>,
    /// Changes when something was written that other servers are to be told of.
    told: watch::Sender<()>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// Where a database is.
pub(crate) enum Place<'a> {
    Postgres(&'a deadpool_postgres::Pool),
    Sqlite(&'a std::path::Path),
}

#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

impl Store {
    /// Connects to `url` and brings its schema up to date.
    ///
    /// It is `sqlite://PATH`, whose file is made if it is not there, or `postgres://…` as
    /// PostgreSQL's own programs read it. Other processes may have the same database open.
    pub async fn open(url: &str) -> Result<Self> {
        let engine = if let Some(path) = url.strip_prefix("sqlite://") {
            Engine::Sqlite(sqlite::Database::open(path.as_ref())?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres(postgres::Database::open(url).await?)
        } else {
            return Err(Error::Url("begins with neither sqlite:// nor postgres://"));
        };
        Ok(Self {
            engine,
            written: watch::Sender::new(()),
            told: watch::Sender::new(()),
        })
    }

    /// Where it is, for who needs a connection of their own.
    pub(crate) fn place(&self) -> Place<'_> {
        match &self.engine {
            Engine::Sqlite(it) => Place::Sqlite(&it.path),
            Engine::Postgres(it) => Place::Postgres(it.pool()),
        }
    }

    /// Whether servers on other machines may have the same database open.
    pub const fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Takes a connection to read from.
    pub async fn read(&self) -> Result<Reader> {
        Ok(Reader::new(match &self.engine {
            Engine::Sqlite(it) => Connection::Sqlite(it.reader().await?),
            Engine::Postgres(it) => Connection::Postgres(it.connection().await?),
        }))
    }

    /// Runs a unit of work; when this returns `Ok`, what it wrote is on disk.
    ///
    /// A unit that fails leaves no trace, and one that panics panics here. If the caller goes
    /// away, the unit is done whole or not at all. Await nothing but `tx` in it: PostgreSQL
    /// would hold its locks meanwhile, and SQLite, whose one writer would stand still, refuses
    /// with [`Error::Waited`].
    pub async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    {
        let done = match &self.engine {
            Engine::Sqlite(it) => {
                it.writer
                    .write(move |tx| poll_once(tx.run(unit)).unwrap_or(Err(Error::Waited.into())))
                    .await?
            }
            Engine::Postgres(it) => {
                let mut tx = Tx::new(Connection::Postgres(it.begin().await?));
                let done = tx.run(unit).await?;
                let tells = tx.tells();
                tx.commit().await?;
                if tells {
                    self.told.send_replace(());
                }
                done
            }
        };
        self.written.send_replace(());
        Ok(done)
    }

    /// Changes whenever this store has written something, and while [`Store::keep_listening`] runs
    /// here and there, soon after another one has added to a log. What was written for a caller who
    /// went away meanwhile it does not tell.
    pub fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// Tells other servers on the same PostgreSQL when this one adds to a log, and hears when they
    /// do, for as long as it is polled.
    pub async fn keep_listening(&self) -> Infallible {
        match &self.engine {
            Engine::Sqlite(_) => std::future::pending().await,
            Engine::Postgres(it) => {
                let bell = bell::Bell {
                    config: (*it.config).clone(),
                    told: self.told.subscribe(),
                    heard: self.written.clone(),
                };
                bell.keep().await
            }
        }
    }
}

impl fmt::Debug for Engine {
    /// The name alone: pools and their settings would flood a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
        })
    }
}

/// Polls `future` where nothing can wake it: answers what it came to, or `None` if it waits.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(it) => Some(it),
        Poll::Pending => None,
    }
}

/// Picks the text of the rare statement that the engines spell differently.
macro_rules! dialect {
    ($on:expr, sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {
        match &$on.on {
            $crate::db::Connection::Sqlite(_) => $sqlite,
            $crate::db::Connection::Postgres(_) => $postgres,
        }
    };
}

/// Makes a `SELECT` hold the rows it reads until the unit of work ends.
///
/// SQLite's writer is alone already; PostgreSQL has to be asked.
macro_rules! holding {
    ($on:expr, $select:expr) => {
        $crate::db::dialect!($on, sqlite: $select, postgres: concat!($select, " FOR UPDATE"))
    };
}

pub(crate) use {dialect, holding};
