//! A backup in a place of its own, where a server can run on it.
//!
//! The blobs come first, and are said to be this database's, so that a server that was started on
//! half a restore refuses them; the rows come last, all at once.

use std::fs;
use std::io;
use std::path::Path;

use agentdrop_store::{Store, Tx};
use zeroize::Zeroizing;

use super::carry::{self, Carried};
use super::manifest::{self, Manifest};
use super::place;
use super::scratch::{self, Scratch};
use crate::blob::{self, Blobs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::{Error, blobs};

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// The files.
    pub files: Carried,
    /// Whether the server key is where the server looks for it.
    pub has_key: bool,
}

/// Brings a backup back: into a data directory that is missing or empty, a database without rows,
/// files without a blob. The backup is only read.
pub async fn restore(config: &Config, from: &Path) -> Result<Restored, Error> {
    let manifest = Manifest::read(from)?;
    place::require_empty(&config.data_dir)?;
    let database = match &config.database_url {
        None => None,
        Some(url) => Some(Store::open(url).await?),
    };
    if let Some(database) = &database {
        database.require_empty().await?;
    }
    if let (None, Some(folder)) = (&config.s3, &config.blobs) {
        place::require_empty(folder)?;
    }
    // Looked at before anything is made; a folder of files may be one of the data directory.
    let bucket = match &config.s3 {
        None => None,
        Some(_) => Some(blobs(config).await?),
    };
    if let Some(bucket) = &bucket {
        place::require_no_blobs(bucket).await?;
    }
    let data_dir = DataDir::take(&config.data_dir)?;
    let unusable = |it| Error::DataDir(config.data_dir.clone(), it);
    let into = match bucket {
        Some(bucket) => bucket,
        None => blobs(config).await?,
    };

    let coming = data_dir.join("restoring.db");
    scratch::remove(&coming).map_err(unusable)?;
    copy_file(&from.join("agentdrop.db"), &coming).map_err(|it| unreadable(from, &it))?;
    let scratch = Scratch::over(&coming).await?;
    let has_key = restore_key(config, from, &manifest, &scratch.store).await?;
    blob::claim(&scratch.store, &into).await?;
    let old = Blobs::look_in_folder(&from.join("blobs"));
    let files = carry::bring_all(&scratch.store, &old, &into).await?;
    // Some were given to senders after the backup was made, and are used: none is given to two.
    let drop_prekeys = async |tx: &mut Tx| tx.drop_all_prekeys().await;
    scratch.store.write(drop_prekeys).await?;
    manifest::sync(&config.data_dir).map_err(unusable)?;
    if let Some(database) = database {
        scratch.store.copy_into(&database).await?;
    } else {
        let whole = data_dir.join("whole.db");
        scratch.store.save_as(&whole)?;
        fs::rename(whole, data_dir.join("agentdrop.db")).map_err(unusable)?;
    }
    drop(scratch);
    manifest::sync(&config.data_dir).map_err(unusable)?;
    Ok(Restored {
        manifest,
        files,
        has_key,
    })
}

/// Puts the key where the server looks for it, unless it is there; answers whether it is then.
async fn restore_key(
    config: &Config,
    from: &Path,
    manifest: &Manifest,
    store: &Store,
) -> Result<bool, Error> {
    let path = place::key_path(config);
    if manifest.server_key && !path.exists() {
        let key =
            Zeroizing::new(fs::read(from.join("server.key")).map_err(|it| unreadable(from, &it))?);
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let written = manifest::write_new(&path, &key);
        written
            .and_then(|()| fs::File::open(folder)?.sync_all())
            .map_err(|it| Error::ServerKey(path.clone(), it))?;
    }
    if !path.exists() {
        return Ok(false);
    }
    // Another one would be of no use, and is noticed before anything else is there.
    Ok(place::key(store, &path).await?.is_some())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = fs::File::open(from)?;
    manifest::write_new(to, &[])?;
    let mut to = fs::OpenOptions::new().write(true).open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

fn unreadable(folder: &Path, error: &io::Error) -> Error {
    Error::NoBackup(folder.to_owned(), error.to_string())
}
