//! Which database a folder of blobs belongs to.
//!
//! A server takes for abandoned what its database does not know of. With the folder of another
//! database that would be everything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use agentdrop_store::{Constraint, Store, Tx};

use super::local::blocking;
use crate::Error;
use crate::clock::random;

/// The fact in the database, and the file in the folder, that have to be the same.
const FACT: &str = "blobs";
const FILE: &str = "installation";

/// Checks that the folder belongs to the database; one that belongs to none does from now on.
pub(crate) async fn check_installation(store: &Store, root: &Path) -> Result<(), Error> {
    let broken = |it| Error::Blobs(root.to_owned(), it);
    let known = store.read().await?.instance_value(FACT).await?;
    let path = root.join(FILE);
    let found = blocking(move || read(&path)).await.map_err(broken)?;
    match (known, found) {
        (Some(known), Some(found)) if known == found => Ok(()),
        (_, Some(_)) => Err(Error::OtherBlobs(root.to_owned())),
        // The database first: a folder that says whose it is has one that knows.
        (known, None) => {
            let id = match known {
                Some(known) => known,
                None => note(store).await?,
            };
            let root = root.to_owned();
            let path = root.join(FILE);
            blocking(move || write(&root, &path, &id))
                .await
                .map_err(broken)
        }
    }
}

/// Writes down which folder it is, unless another server just did; answers what stands there.
async fn note(store: &Store) -> Result<Vec<u8>, Error> {
    let id: [u8; 16] = random()?;
    let id = hex::encode(id).into_bytes();
    let mine = id.clone();
    let insert = async move |tx: &mut Tx| tx.insert_instance_value(FACT, &mine).await;
    match store.write(insert).await {
        Ok(()) => Ok(id),
        Err(agentdrop_store::Error::Conflict(Constraint::InstanceName)) => {
            let known = store.read().await?.instance_value(FACT).await?;
            Ok(known.unwrap_or_default())
        }
        Err(error) => Err(error.into()),
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Writes the file whole, or not at all.
fn write(root: &Path, path: &PathBuf, id: &[u8]) -> io::Result<()> {
    let name: [u8; 8] = random().map_err(io::Error::other)?;
    let coming = root.join(format!("{FILE}.{}", hex::encode(name)));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&coming)?;
    file.write_all(id)?;
    file.sync_all()?;
    fs::rename(coming, path)?;
    File::open(root)?.sync_all()
}
