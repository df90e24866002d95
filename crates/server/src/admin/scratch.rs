//! A database that is needed for a while.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use agentdrop_store::Store;

use crate::Error;

/// A database that is deleted when this is dropped; one that a try before left is begun anew.
pub(super) struct Scratch {
    pub(super) store: Store,
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty one.
    pub(super) async fn open(path: &Path) -> Result<Self, Error> {
        remove(path)?;
        Self::over(path).await
    }

    /// Opens what is there.
    pub(super) async fn over(path: &Path) -> Result<Self, Error> {
        let store = Store::open(&format!("sqlite://{}", path.display())).await?;
        let path = path.to_owned();
        Ok(Self { store, path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is in nobody's way.
        drop(remove(&self.path));
    }
}

/// Removes a database with what lies beside it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for end in ["", "-wal", "-shm", "-journal", "-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
