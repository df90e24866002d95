//! A database as one file, which can be put anywhere.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::OpenFlags;

use super::Target;
use crate::db::Place;
use crate::{Error, Result, Store};

impl Store {
    /// Fails, unless there is nothing in it.
    pub async fn require_empty(&self) -> Result<()> {
        Target::begin(self.place()).await.map(drop)
    }

    /// Writes what a SQLite database holds into a new file, for its owner alone: one without a log
    /// beside it, and without what was deleted. When this returns, the file is on disk; the folder
    /// it is in is up to the caller. It blocks for as long as that takes.
    pub fn save_as(&self, path: &Path) -> Result<()> {
        let Place::Sqlite(from) = self.place() else {
            return Err(Error::Url("is not that of a file"));
        };
        let failed = |error| Error::file(path, &error);
        // SQLite takes a file that is empty, and would make one that others can read.
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(path);
        drop(made.map_err(failed)?);
        let name = path.to_str().ok_or(Error::Url("is not UTF-8"))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(from, flags)?;
        connection.execute("VACUUM INTO ?1", [name])?;
        let synced = File::open(path).and_then(|it| it.sync_all());
        synced.map_err(failed)
    }
}
