//! What a statement runs on: a [`Reader`], or the [`Tx`] of a unit of work.

use std::ops::{Deref, DerefMut};

use super::{Connection, Row, Value};
use crate::{Error, Result};

/// Reads. Each statement sees what was committed before it began.
#[derive(Debug)]
pub struct Reader {
    pub(crate) on: Connection,
    /// What the last statement failed with.
    failure: Option<Error>,
}

/// Reads and writes, in a unit of work: all of what it wrote is kept, or nothing.
#[derive(Debug)]
pub struct Tx {
    reader: Reader,
    /// Whether other servers are to be told that this was committed.
    tells: bool,
}

impl Reader {
    pub(super) const fn new(on: Connection) -> Self {
        Self { on, failure: None }
    }

    /// Runs a query; answers every row, as `read` reads it.
    ///
    /// Name the columns, for a `SELECT *` that PostgreSQL keeps prepared fails when another
    /// server's migration adds one. `SUM` wants a `CAST(… AS BIGINT)`: of BIGINTs, PostgreSQL
    /// makes it a NUMERIC.
    pub(crate) async fn fetch_all<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.check()?;
        let rows = match &mut self.on {
            Connection::Sqlite(it) => it.fetch(sql, params, read),
            Connection::Postgres(it) => it.fetch(sql, params, read).await,
        };
        self.failure = rows.as_ref().err().cloned();
        rows
    }

    /// Runs a query; answers its row, if there is one.
    pub(crate) async fn fetch_optional<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let rows = self.fetch_all(sql, params, read).await?;
        Ok(rows.into_iter().next())
    }

    /// Runs a query that always has a row, as `COUNT` does; answers the first.
    pub(crate) async fn fetch_one<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.fetch_optional(sql, params, read)
            .await?
            .ok_or_else(|| Error::engine(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Refuses to go on after a failed statement, on either engine.
    ///
    /// PostgreSQL makes a transaction's `COMMIT` a silent `ROLLBACK` after one, so a unit that
    /// swallows the error would be told that its work is kept.
    const fn check(&self) -> Result<()> {
        if self.failure.is_some() {
            return Err(Error::Aborted);
        }
        Ok(())
    }
}

impl Tx {
    pub(super) const fn new(on: Connection) -> Self {
        Self {
            reader: Reader::new(on),
            tells: false,
        }
    }

    /// Runs a statement; answers how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64> {
        self.check()?;
        let touched = match &mut self.reader.on {
            Connection::Sqlite(it) => it.execute(sql, params),
            Connection::Postgres(it) => it.execute(sql, params).await,
        };
        self.reader.failure = touched.as_ref().err().cloned();
        touched
    }

    /// Runs `unit`, which may have swallowed a failure.
    pub(super) async fn run<T, E: From<Error>>(
        &mut self,
        unit: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.reader.failure = None;
        let done = unit(self).await?;
        self.check()?;
        Ok(done)
    }

    /// Has other servers told when this is committed, who may have somebody listening.
    pub(crate) const fn tell(&mut self) {
        self.tells = true;
    }

    pub(super) const fn tells(&self) -> bool {
        self.tells
    }

    /// What the last statement failed with, if it failed.
    pub(super) fn failure(&self) -> Option<Error> {
        self.reader.failure.clone()
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self.reader.on {
            // Its thread does, for many units at once.
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(it) => it.commit().await,
        }
    }
}

impl Deref for Tx {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}
