//! Which database the blobs of a folder or a bucket belong to.
//!
//! A server takes for abandoned what its database does not know of. With those of another
//! database that would be everything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use agentdrop_store::{Constraint, Store, Tx};

use super::Blobs;
use super::local::blocking;
use crate::Error;
use crate::clock::random;

/// The fact in the database, and what is called so beside the blobs, which have to be the same.
const FACT: &str = "blobs";
const FILE: &str = "installation";

/// Checks that blobs belong to the database; those that belong to none do from now on, if the database
/// has none yet.
pub(crate) async fn check_installation(store: &Store, blobs: &Blobs) -> Result<(), Error> {
    let mut reader = store.read().await?;
    // Without an account there is no file: a first start may have ended between the two notes.
    if reader.instance_value(FACT).await?.is_some()
        && found(blobs).await?.is_none()
        && !reader.accounts().await?.is_empty()
    {
        return Err(Error::NotItsBlobs(blobs.to_string()));
    }
    drop(reader);
    claim(store, blobs).await
}

/// Makes blobs that belong to no database this one's.
pub(crate) async fn claim(store: &Store, blobs: &Blobs) -> Result<(), Error> {
    let broken = |it| Error::Blobs(blobs.to_string(), it);
    let known = store.read().await?.instance_value(FACT).await?;
    match (known, found(blobs).await?) {
        (Some(known), Some(found)) if known == found => Ok(()),
        (_, Some(_)) => Err(Error::OtherBlobs(blobs.to_string())),
        // The database first: blobs that say whose they are have one that knows.
        (known, None) => {
            let id = match known {
                Some(known) => known,
                None => note(store).await?,
            };
            let written = match blobs {
                Blobs::Folder(folder) => {
                    let root = folder.root().to_owned();
                    blocking(move || write(&root, &root.join(FILE), &id)).await
                }
                Blobs::S3(bucket) => bucket.write_note(FILE, id).await,
            };
            written.map_err(broken)
        }
    }
}

/// Whether blobs say that they belong to the database, or neither says anything. Nothing is written.
pub(crate) async fn is_of(store: &Store, blobs: &Blobs) -> Result<bool, Error> {
    let known = store.read().await?.instance_value(FACT).await?;
    Ok(known == found(blobs).await?)
}

/// Whether blobs belong to no database.
pub(crate) async fn is_unclaimed(blobs: &Blobs) -> Result<bool, Error> {
    Ok(found(blobs).await?.is_none())
}

/// What stands beside the blobs.
async fn found(blobs: &Blobs) -> Result<Option<Vec<u8>>, Error> {
    let found = match blobs {
        Blobs::Folder(folder) => {
            let path = folder.root().join(FILE);
            blocking(move || read(&path)).await
        }
        Blobs::S3(bucket) => bucket.note(FILE).await,
    };
    found.map_err(|it| Error::Blobs(blobs.to_string(), it))
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
fn write(root: &Path, path: &Path, id: &[u8]) -> io::Result<()> {
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
