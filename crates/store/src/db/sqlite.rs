//! SQLite: one connection that writes, a few that read.
//!
//! Reads run where they are asked for: they take microseconds, less than handing them to
//! another thread would. Writes go to the thread in `group_commit`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool::unmanaged::{Object, Pool};
use rusqlite::config::DbConfig;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE, SQLITE_IOERR_SHMSIZE};
use rusqlite::{ErrorCode, OpenFlags, OptionalExtension as _};

use super::group_commit::Writer;
use super::{Row, Value};
use crate::{Constraint, Error, Result};

/// Whoever finds all of these taken waits for one to come back.
const READERS: usize = 8;
/// More than there are statements in this crate, so that none is parsed twice.
const STATEMENTS: usize = 256;
/// Only another process can hold the lock: an administrator's command, or a backup.
const PATIENCE: Duration = Duration::from_secs(5);

mod migrations {
    refinery::embed_migrations!("migrations/sqlite");
}

#[derive(Clone)]
pub(super) struct Database {
    pub(super) path: Arc<Path>,
    readers: Pool<rusqlite::Connection>,
    pub(super) writer: Writer,
}

#[derive(Debug)]
pub(crate) enum Connection {
    Reader(Object<rusqlite::Connection>),
    Writer(rusqlite::Connection),
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self> {
        // To SQLite these are databases that nobody else can open, not even our own readers.
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            return Err(Error::Url("names no file"));
        }
        // Processes that start together make the file and its schema one after the other.
        let _opening = lock(path)?;
        create(path)?;

        // Without SQLITE_OPEN_CREATE, which would let others than the owner read the file, and
        // without SQLITE_OPEN_URI, to which some paths say more than where the file is.
        let mut writer = rusqlite::Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        writer.busy_timeout(PATIENCE)?;
        keep_plans(&writer)?;
        // Readers go on while the writer writes; FULL makes a commit outlive a power cut.
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        // A wrapped key that is deleted must not be left in a free page, for whoever gets hold of
        // the file. (The log beside it forgets when it is overwritten, or when all are closed.)
        writer.pragma_update(None, "secure_delete", true)?;
        writer.set_prepared_statement_cache_capacity(STATEMENTS);
        migrate(&mut writer)?;

        let readers = (0..READERS).map(|_| {
            let reader = rusqlite::Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            reader.busy_timeout(PATIENCE)?;
            keep_plans(&reader)?;
            reader.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(reader)
        });
        Ok(Self {
            path: path.into(),
            readers: readers.collect::<Result<Vec<_>>>()?.into(),
            writer: Writer::start(writer)?,
        })
    }

    pub(super) async fn reader(&self) -> Result<Connection> {
        let reader = self.readers.get().await.map_err(Error::engine)?;
        Ok(Connection::Reader(reader))
    }
}

/// Has a prepared statement stay as it is whatever its parameters are.
///
/// This SQLite is built to look at the values that parameters have (`SQLITE_ENABLE_STAT4`), and parses a
/// statement anew each time that one is set which is compared to an indexed column: nearly always.
fn keep_plans(connection: &rusqlite::Connection) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Brings the schema up to date, and only then has SQLite look after foreign keys.
///
/// What SQLite cannot change in a table is changed by making the table anew, and with foreign keys
/// on dropping the old one would delete all that refers to its rows: "Making Other Kinds Of Table
/// Schema Changes" in SQLite's documentation of ALTER TABLE.
fn migrate(writer: &mut rusqlite::Connection) -> Result<()> {
    writer.pragma_update(None, "foreign_keys", false)?;
    let done = migrations::migrations::runner().run(writer)?;
    if !done.applied_migrations().is_empty() {
        // A row that lost what it refers to shows here, and not some day in a request.
        let lost = writer.query_row("PRAGMA foreign_key_check", (), |row| {
            Ok((row.get("table")?, row.get("rowid")?))
        });
        if let Some((table, row)) = lost.optional()? {
            return Err(Error::Dangling { table, row });
        }
    }
    writer.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Makes others who open this database wait, until what this answers is dropped.
///
/// The lock is on a file of its own: closing any handle on the database itself would, to the
/// operating system, give up the locks that SQLite holds on it in this process.
fn lock(path: &Path) -> Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-lock");
    let beside = PathBuf::from(beside);
    owner_only()
        .create(true)
        .open(&beside)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| Error::file(&beside, &error))
}

/// Makes the database, empty, unless it is there; SQLite gives its log the same mode.
fn create(path: &Path) -> Result<()> {
    match owner_only().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::file(path, &error))
        }
        _ => Ok(()),
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

impl Connection {
    pub(super) fn fetch<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.raw().prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let (mut rows, mut read_rows) = (statement.raw_query(), Vec::new());
        while let Some(row) = rows.next()? {
            read_rows.push(read(&Row::Sqlite(row))?);
        }
        Ok(read_rows)
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let mut statement = self.raw().prepare_cached(sql)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        self.raw().is_autocommit()
    }

    fn raw(&self) -> &rusqlite::Connection {
        match self {
            Self::Reader(it) => it,
            Self::Writer(it) => it,
        }
    }
}

/// Binds `$n` to the `n`th parameter.
///
/// To SQLite `$2` is a name like `$owner`, numbered by where it is first met; PostgreSQL reads
/// the number. So each is bound by the number in its name.
fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value<'_>]) -> Result<()> {
    let count = statement.parameter_count();
    if count != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), count).into());
    }
    for index in 1..=count {
        let name = statement.parameter_name(index).unwrap_or("?");
        let value = name
            .strip_prefix('$')
            .and_then(|n| params.get(n.parse::<usize>().ok()?.checked_sub(1)?))
            .ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return Self::engine(error);
        };
        match (code.code, code.extended_code) {
            // The last is what a full disk is called while the log's index grows.
            (ErrorCode::DiskFull | ErrorCode::ReadOnly, _) | (_, SQLITE_IOERR_SHMSIZE) => {
                Self::Full(Arc::new(error))
            }
            (ErrorCode::DatabaseBusy, _) => Self::Unreachable(Arc::new(error)),
            (_, SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => message
                .as_deref()
                .and_then(|it| it.strip_prefix("UNIQUE constraint failed: "))
                .and_then(Constraint::by_columns)
                .map_or_else(|| Self::engine(error), Self::Conflict),
            _ => Self::engine(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::params;
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_number() {
        let on = Connection::Writer(rusqlite::Connection::open_in_memory().unwrap());
        let sql = "SELECT $2 || $1 || $3 || $1 AS said";
        let said = on.fetch(sql, params!["a", "b", "c"], |row| row.get::<String>("said"));
        assert_eq!(said.unwrap(), ["baca"]);
    }

    #[test]
    fn a_parameter_too_many_is_refused() {
        let on = Connection::Writer(rusqlite::Connection::open_in_memory().unwrap());
        assert!(on.execute("SELECT $1", params![1_i64, 2_i64]).is_err());
        assert!(on.execute("SELECT $2", params![1_i64]).is_err());
    }

    #[test]
    fn a_column_that_cannot_be_read_is_named() {
        let on = Connection::Writer(rusqlite::Connection::open_in_memory().unwrap());
        let read = on.fetch("SELECT 'x' AS size", params![], |row| {
            row.get::<i64>("size")
        });
        assert_eq!(read.unwrap_err().to_string(), "column size cannot be read");
    }
}
