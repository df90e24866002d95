//! Where an installation is: its database, its files, its key.

use std::io;
use std::path::{Path, PathBuf};

use agentdrop_store::Store;

use crate::at_rest::ServerKey;
use crate::blob::{self, Blobs};
use crate::config::Config;
use crate::key_file::{self, KeyFile};
use crate::{Error, blobs};

/// An installation that is looked at; a server may be running on it.
pub(super) struct Place {
    pub(super) store: Store,
    pub(super) blobs: Blobs,
}

impl Place {
    /// Opens it, and makes nothing of what is missing.
    pub(super) async fn look(config: &Config) -> Result<Self, Error> {
        let store = Store::open(&config.database_url()).await?;
        let blobs = if config.s3.is_some() {
            blobs(config).await?
        } else {
            Blobs::look_in_folder(&config.blobs())
        };
        // Those of another one would all seem lost.
        if !blob::is_of(&store, &blobs).await? {
            return Err(Error::OtherBlobs(blobs.to_string()));
        }
        Ok(Self { store, blobs })
    }
}

/// The file with the server key.
pub(super) fn key_path(config: &Config) -> PathBuf {
    let own = || config.data_dir.join("server.key");
    config.server_key.clone().unwrap_or_else(own)
}

/// The key that the database was written with; nothing, if no server has run on it yet. None is made.
pub(super) async fn key(store: &Store, path: &Path) -> Result<Option<ServerKey>, Error> {
    if !key_file::has_key(store).await? {
        // A server from before it was written down may have.
        let found = ServerKey::open(path);
        return found.map_err(|it| Error::ServerKey(path.to_owned(), it));
    }
    KeyFile::Given(path.to_owned()).open(store).await.map(Some)
}

/// Fails, unless a folder is missing or empty.
pub(super) fn require_empty(folder: &Path) -> Result<(), Error> {
    match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::Folder(folder.to_owned(), error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::HasData(folder.display().to_string())),
        },
    }
}

/// Fails, unless nothing is among these blobs.
pub(super) async fn require_no_blobs(blobs: &Blobs) -> Result<(), Error> {
    let has_data = || Err(Error::HasData(blobs.to_string()));
    if !blob::is_unclaimed(blobs).await? {
        return has_data();
    }
    for shard in 0..=u8::MAX {
        let found = blobs.in_shard(shard).await;
        if !found.map_err(|it| broken(blobs, it))?.is_empty() {
            return has_data();
        }
    }
    Ok(())
}

pub(super) fn broken(blobs: &Blobs, error: io::Error) -> Error {
    Error::Blobs(blobs.to_string(), error)
}
