//! The folder that everything lies in.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// A data directory that this server has for itself. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes the folder, making it for its owner alone if it is not there.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        make(path).map_err(|it| Error::DataDir(path.to_owned(), it))?;
        let options = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .to_owned();
        let lock = options
            .open(path.join("server.lock"))
            .map_err(|it| Error::DataDir(path.to_owned(), it))?;
        // Two servers would delete each other's uploads as orphans.
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Taken(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(Error::DataDir(path.to_owned(), error)),
        }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes the folder for its owner alone, if it is not there.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
