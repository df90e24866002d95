//! Which server key belongs to a database.
//!
//! A server that came up with another key, one that was made anew, say, because the file was lost or
//! because a second server was begun beside the first, could read nothing of what is there, and what
//! it wrote nobody else could. So the database knows its key by a fingerprint.

use std::io;
use std::path::{Path, PathBuf};

use agentdrop_store::{Constraint, Error as StoreError, Store, Tx};

use crate::Error;
use crate::at_rest::ServerKey;

/// The fact in the database.
const NAME: &str = "server_key";

/// Where the key is.
#[derive(Debug)]
pub(crate) enum KeyFile {
    /// In the data directory, where it is made on the first start.
    Own(PathBuf),
    /// Where the operator put it.
    Given(PathBuf),
}

impl KeyFile {
    /// Reads the key that the database was written with.
    pub(crate) async fn open(&self, store: &Store) -> Result<ServerKey, Error> {
        let unreadable = |error| Error::ServerKey(self.path().to_owned(), error);
        let known = store.read().await?.instance_value(NAME).await?;
        let read = match (self, &known) {
            (Self::Own(path), None) => ServerKey::open_or_make(path).map(Some),
            (Self::Own(path) | Self::Given(path), _) => ServerKey::open(path),
        };
        let Some(key) = read.map_err(unreadable)? else {
            return Err(match known {
                Some(_) => Error::ServerKeyMissing(self.path().to_owned()),
                None => unreadable(io::ErrorKind::NotFound.into()),
            });
        };
        let fingerprint = key.fingerprint();
        let known = match known {
            Some(known) => known,
            None => remember(store, fingerprint).await?,
        };
        if known == fingerprint {
            Ok(key)
        } else {
            Err(Error::OtherServerKey(self.path().to_owned()))
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Given(path) => path,
        }
    }
}

/// Whether a server has written to the database with a key.
pub(crate) async fn has_key(store: &Store) -> Result<bool, StoreError> {
    let known = store.read().await?.instance_value(NAME).await?;
    Ok(known.is_some())
}

/// Writes the fingerprint down, and answers the one that the database has then.
async fn remember(store: &Store, fingerprint: [u8; 32]) -> Result<Vec<u8>, StoreError> {
    let insert = async move |tx: &mut Tx| tx.insert_instance_value(NAME, &fingerprint).await;
    match store.write(insert).await {
        Ok(()) => Ok(fingerprint.to_vec()),
        // Another server was as fast.
        Err(StoreError::Conflict(Constraint::InstanceName)) => {
            let known = store.read().await?.instance_value(NAME).await?;
            Ok(known.unwrap_or_default())
        }
        Err(error) => Err(error),
    }
}
