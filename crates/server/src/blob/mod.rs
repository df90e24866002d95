//! Where the bytes of files are: in a folder, or in an S3 bucket.
//!
//! Both keep the same promises, and pass the same exam: a blob is there whole or not at all, what was
//! kept is there after a power cut, and what is dropped on the way leaves nothing behind.

mod fresh;
mod installation;
mod key;
mod local;
mod s3;
mod share;
mod stage;

#[cfg(test)]
mod exam;

pub(crate) use installation::{check_installation, claim, is_of, is_unclaimed};
pub(crate) use key::{BlobKey, BlobName};
pub(crate) use s3::{Bucket, Listed};

use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use agentdrop_protocol::TransferId;
use bytes::Bytes;

use crate::config::S3;

/// What has no more stored bytes than this, and comes whole, is kept in the database, beside the
/// transfer's row.
///
/// A file of its own waits for the disk three times, one behind the other, whatever its size, and the
/// kernel takes longer to make it than we for the rest. In the database it comes with the commit of
/// the row, and its bytes are written twice, by the one who writes rows: cheap for a few pages only.
pub(crate) const SMALL: usize = 16 * 1024;

/// Where the bytes of files are. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum Blobs {
    /// In a folder of this machine.
    Folder(local::Folder),
    /// In a bucket.
    S3(Bucket),
}

/// A blob that was come across.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// What it is called.
    pub(crate) key: BlobKey,
    /// When it was put there.
    pub(crate) put_at: SystemTime,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

/// A blob that is open for reading, or what is in the database in the place of one.
#[derive(Debug)]
pub(crate) enum Blob {
    Folder(local::OpenFile),
    S3(s3::Object),
    Small(Bytes),
}

/// A blob that is coming in. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) enum Staging {
    Folder(stage::Staging),
    S3(s3::Staging),
}

/// A blob that came in whole. Dropping it deletes it.
#[derive(Debug)]
pub(crate) enum Staged {
    Folder(stage::Staged),
    S3(s3::Staged),
}

/// A file that came in whole.
#[derive(Debug)]
pub(crate) enum Body {
    /// It has so few bytes that they are kept beside the transfer's row.
    Small(Vec<u8>),
    Blob(Staged),
}

impl Blobs {
    /// Those in a folder, of which what is missing is made.
    pub(crate) fn in_folder(root: &Path) -> io::Result<Self> {
        Ok(Self::Folder(local::Folder::open(root)?))
    }

    /// Those in a folder, for who only looks: nothing of it is made, and nothing can be put there.
    pub(crate) fn look_in_folder(root: &Path) -> Self {
        Self::Folder(local::Folder::look(root))
    }

    /// Those in a bucket, which has to take a blob and give it back.
    pub(crate) async fn in_bucket(config: &S3) -> io::Result<Self> {
        Ok(Self::S3(Bucket::open(config).await?))
    }

    /// The bucket they are in, if they are in one.
    pub(crate) const fn bucket(&self) -> Option<&Bucket> {
        match self {
            Self::Folder(_) => None,
            Self::S3(bucket) => Some(bucket),
        }
    }

    /// Whether nobody else had it open when this did; of a bucket nobody can tell.
    pub(crate) fn was_alone(&self) -> bool {
        match self {
            Self::Folder(it) => it.was_alone(),
            Self::S3(_) => false,
        }
    }

    /// Blobs from before this, by the clock that they have their times from, that have no row yet
    /// never will: whoever wrote them is gone, or they are of this age.
    pub(crate) async fn settled(&self, at_start: bool, age: Duration) -> io::Result<SystemTime> {
        match self {
            Self::Folder(it) => it.settled(at_start, age).await,
            Self::S3(it) => Ok(it.settled(age)),
        }
    }

    /// Begins to take in a whole file of a transfer.
    pub(crate) fn stage_file(&self, transfer: TransferId) -> io::Result<Staging> {
        match self {
            Self::Folder(it) => Ok(Staging::Folder(it.stage()?)),
            Self::S3(it) => Ok(Staging::S3(it.stage(Bucket::new_file(transfer)?))),
        }
    }

    /// Begins to take in what is to have this name.
    pub(crate) fn stage(&self, key: BlobKey) -> io::Result<Staging> {
        match self {
            Self::Folder(it) => Ok(Staging::Folder(it.stage()?)),
            Self::S3(it) => Ok(Staging::S3(it.stage(key))),
        }
    }

    /// Puts the whole files of a transfer, each with its place among them, where they are read, and
    /// answers what they are called; when this returns, they outlive a power cut.
    ///
    /// Where one is there, which is another transfer's, it fails, and nothing was done.
    pub(crate) async fn keep(
        &self,
        transfer: TransferId,
        staged: Vec<(u32, Staged)>,
    ) -> io::Result<Vec<BlobKey>> {
        let (places, staged): (Vec<_>, Vec<_>) = staged.into_iter().unzip();
        match self {
            Self::Folder(it) => {
                let staged = folder_staged(staged)?;
                it.keep(transfer, places.into_iter().zip(staged).collect())
                    .await
            }
            // They have their names already.
            Self::S3(it) => it.keep(bucket_staged(staged)?).await,
        }
    }

    /// The same, for blobs with names of their own, under which they were staged; one that is there
    /// is replaced.
    pub(crate) async fn put(&self, staged: Vec<(BlobKey, Staged)>) -> io::Result<()> {
        let (keys, staged): (Vec<_>, Vec<_>) = staged.into_iter().unzip();
        match self {
            Self::Folder(it) => {
                let staged = folder_staged(staged)?;
                it.put(keys.into_iter().zip(staged).collect()).await
            }
            Self::S3(it) => it.keep(bucket_staged(staged)?).await.map(drop),
        }
    }

    /// Deletes a blob, if it is there.
    pub(crate) async fn remove(&self, key: BlobKey) -> io::Result<()> {
        match self {
            Self::Folder(it) => it.remove(key).await,
            Self::S3(it) => it.remove(key).await,
        }
    }

    /// Opens a blob for reading; in a bucket, the one with this `ETag`, and none that was put in its
    /// place.
    pub(crate) async fn read(&self, key: BlobKey, etag: Option<&str>) -> io::Result<Blob> {
        match self {
            Self::Folder(it) => Ok(Blob::Folder(it.read(key).await?)),
            Self::S3(it) => Ok(Blob::S3(it.read(key, etag).await?)),
        }
    }

    /// Deletes the blobs of a transfer, as far as they are there: those of so many files, and all
    /// parts; also what is still coming to a bucket.
    pub(crate) async fn delete(&self, transfer: TransferId, count: u32) -> io::Result<()> {
        match self {
            Self::Folder(it) => it.delete(transfer, count).await,
            Self::S3(it) => it.delete(transfer).await,
        }
    }

    /// The blobs in one shard.
    pub(crate) async fn in_shard(&self, shard: u8) -> io::Result<Vec<Found>> {
        match self {
            Self::Folder(it) => it.in_shard(shard).await,
            Self::S3(it) => it.in_shard(shard).await,
        }
    }

    /// Takes over a blob of others without copying it, where that can be; answers whether it was
    /// done. It outlives a power cut once [`Blobs::sync`] returns.
    pub(crate) async fn link(&self, from: &Self, key: BlobKey) -> io::Result<bool> {
        match (self, from) {
            (Self::Folder(to), Self::Folder(from)) => to.link(from, key).await,
            _ => Ok(false),
        }
    }

    /// Waits until all that was taken over is on disk.
    pub(crate) async fn sync(&self) -> io::Result<()> {
        match self {
            Self::Folder(it) => it.sync().await,
            Self::S3(_) => Ok(()),
        }
    }

    /// Whether a blob could be written now.
    pub(crate) async fn check(&self) -> io::Result<()> {
        match self {
            Self::Folder(it) => it.check().await,
            Self::S3(it) => it.check().await,
        }
    }
}

impl fmt::Display for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(it) => it.root().display().fmt(f),
            Self::S3(it) => it.fmt(f),
        }
    }
}

impl Blob {
    /// How many bytes it has.
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::Folder(it) => it.len(),
            Self::S3(it) => Ok(it.len()),
            Self::Small(it) => Ok(it.len() as u64),
        }
    }

    /// What the bucket names its bytes by, if it is in one.
    pub(crate) fn etag(&self) -> Option<&str> {
        match self {
            Self::Folder(_) | Self::Small(_) => None,
            Self::S3(it) => it.etag(),
        }
    }

    /// Reads at most `length` bytes from `offset` on; fewer at the end of the blob.
    pub(crate) async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Folder(it) => it.read_at(offset, length).await,
            Self::S3(it) => it.read_at(offset, length).await,
            Self::Small(it) => {
                let from = usize::try_from(offset).map_or(it.len(), |at| at.min(it.len()));
                let until = from.saturating_add(length).min(it.len());
                Ok(it[from..until].to_vec())
            }
        }
    }
}

impl Staging {
    /// Takes bytes in.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Self::Folder(it) => it.write(bytes).await,
            Self::S3(it) => it.write(bytes).await,
        }
    }

    /// Writes the rest, and waits until it is there.
    pub(crate) async fn finish(self) -> io::Result<Staged> {
        match self {
            Self::Folder(it) => Ok(Staged::Folder(it.finish().await?)),
            Self::S3(it) => Ok(Staged::S3(it.finish().await?)),
        }
    }

    /// The same, less what is small and comes to a folder, of which there is no file. In a bucket
    /// nothing is small, so that all can be fetched from there.
    pub(crate) async fn finish_body(self) -> io::Result<Body> {
        match self {
            Self::Folder(it) => match it.into_small() {
                Ok(bytes) => Ok(Body::Small(bytes)),
                Err(it) => Ok(Body::Blob(Staged::Folder(it.finish().await?))),
            },
            it @ Self::S3(_) => Ok(Body::Blob(it.finish().await?)),
        }
    }
}

impl Staged {
    /// Its place among the blobs of its transfer, where that is not the place of its file.
    pub(crate) fn place(&self) -> Option<u32> {
        match self {
            Self::Folder(_) => None,
            Self::S3(it) => it.place(),
        }
    }
}

impl Body {
    /// The place of its blob, where that is not the place of its file.
    pub(crate) fn place(&self) -> Option<u32> {
        match self {
            Self::Small(_) => None,
            Self::Blob(it) => it.place(),
        }
    }
}

/// What was staged in a folder is kept there.
fn folder_staged(staged: Vec<Staged>) -> io::Result<Vec<stage::Staged>> {
    let of_folder = staged.into_iter().map(|it| match it {
        Staged::Folder(it) => Ok(it),
        Staged::S3(_) => Err(io::ErrorKind::InvalidInput.into()),
    });
    of_folder.collect()
}

fn bucket_staged(staged: Vec<Staged>) -> io::Result<Vec<s3::Staged>> {
    let of_bucket = staged.into_iter().map(|it| match it {
        Staged::Folder(_) => Err(io::ErrorKind::InvalidInput.into()),
        Staged::S3(it) => Ok(it),
    });
    of_bucket.collect()
}
