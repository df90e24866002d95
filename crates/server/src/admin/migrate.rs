//! From SQLite to PostgreSQL, and from a folder to a bucket.

use agentdrop_store::Store;

use super::carry::{self, Carried};
use super::place::{self, Place};
use super::scratch::Scratch;
use crate::blob;
use crate::config::{Config, S3};
use crate::data_dir::DataDir;
use crate::{Error, blobs};

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Rows of the database.
    pub rows: u64,
    /// What came into the bucket, if one was named.
    pub files: Option<Carried>,
}

/// Copies the rows of the SQLite database in a data directory into an empty database at `to`, and
/// the files into an empty bucket, if one is named. Of what is copied nothing is changed.
///
/// The rows are there at the very end, all of them or none.
pub async fn migrate_store(
    config: &Config,
    to: &str,
    bucket: Option<S3>,
) -> Result<Migrated, Error> {
    let data_dir = DataDir::take(&config.data_dir)?;
    let target = Store::open(to).await?;
    target.require_empty().await?;
    let Some(bucket) = bucket else {
        let store = Store::open(&config.database_url()).await?;
        place::key(&store, &place::key_path(config)).await?;
        let rows = store.copy_into(&target).await?;
        return Ok(Migrated { rows, files: None });
    };
    let source = Place::look(config).await?;
    place::key(&source.store, &place::key_path(config)).await?;
    let mut there = config.clone();
    there.s3 = Some(bucket);
    let into = blobs(&there).await?;
    place::require_no_blobs(&into).await?;
    // What is other in a bucket is written into a copy.
    let scratch = Scratch::open(&data_dir.join("migrating.db")).await?;
    source.store.copy_into(&scratch.store).await?;
    blob::claim(&scratch.store, &into).await?;
    let carried = carry::bring_all(&scratch.store, &source.blobs, &into).await?;
    let rows = scratch.store.copy_into(&target).await?;
    Ok(Migrated {
        rows,
        files: Some(carried),
    })
}
