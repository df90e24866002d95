//! A blob that is coming in to a bucket.

use std::io;
use std::mem;

use bytes::Bytes;
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{MultipartId, ObjectStoreExt as _, PutPayload};
use tokio::runtime::Handle;

use super::super::key::{BlobKey, BlobName};
use super::{Bucket, broken};

/// Bytes of each part but the last: what an upload holds in memory. Ten thousand of them, which is
/// as many as there may be, are more than the largest file.
const PART: usize = 8 * 1024 * 1024;
/// What is no larger waits in memory until it is kept, and is then one request in place of three.
const SMALL: usize = 64 * 1024;

/// A blob that is coming in. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Staging {
    bucket: Bucket,
    key: BlobKey,
    /// Begun with the first part.
    upload: Option<Upload>,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

/// A blob that came in whole, and that nobody sees yet. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct Staged {
    bucket: Bucket,
    key: BlobKey,
    bytes: Bytewise,
}

#[derive(Debug)]
enum Bytewise {
    InParts(Upload),
    Small(Vec<Bytes>),
}

/// An upload in parts that is neither put together nor given up.
#[derive(Debug)]
struct Upload {
    bucket: Bucket,
    path: Path,
    id: MultipartId,
    parts: Vec<PartId>,
    is_kept: bool,
}

impl Staging {
    pub(super) fn new(bucket: Bucket, key: BlobKey) -> Self {
        Self {
            bucket,
            key,
            upload: None,
            gathered: Vec::new(),
            gathered_bytes: 0,
        }
    }

    pub(crate) async fn write(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PART - self.gathered_bytes));
            self.gathered_bytes += piece.len();
            self.gathered.push(piece);
            if self.gathered_bytes == PART {
                self.flush().await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn finish(mut self) -> io::Result<Staged> {
        if self.upload.is_none() && self.gathered_bytes <= SMALL {
            let bytes = Bytewise::Small(mem::take(&mut self.gathered));
            return Ok(Staged {
                bucket: self.bucket,
                key: self.key,
                bytes,
            });
        }
        if self.gathered_bytes > 0 {
            self.flush().await?;
        }
        let upload = self.upload.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Staged {
            bucket: self.bucket,
            key: self.key,
            bytes: Bytewise::InParts(upload),
        })
    }

    async fn flush(&mut self) -> io::Result<()> {
        let path = self.bucket.path(self.key);
        let store = &self.bucket.0.store;
        let upload = if let Some(begun) = &mut self.upload {
            begun
        } else {
            let id = store.create_multipart(&path).await.map_err(broken)?;
            self.upload.insert(Upload {
                bucket: self.bucket.clone(),
                path: path.clone(),
                id,
                parts: Vec::new(),
                is_kept: false,
            })
        };
        let payload = PutPayload::from_iter(mem::take(&mut self.gathered));
        self.gathered_bytes = 0;
        let n = upload.parts.len();
        let part = store.put_part(&path, &upload.id, n, payload).await;
        upload.parts.push(part.map_err(broken)?);
        Ok(())
    }
}

impl Staged {
    pub(crate) fn key(&self) -> BlobKey {
        self.key
    }

    pub(crate) fn place(&self) -> Option<u32> {
        match self.key.name {
            BlobName::Part(_) => None,
            BlobName::Position(place) => Some(place),
        }
    }

    /// Lets it appear.
    pub(super) async fn keep(self) -> io::Result<()> {
        let store = &self.bucket.0.store;
        match self.bytes {
            Bytewise::Small(bytes) => {
                let path = self.bucket.path(self.key);
                let put = store.put(&path, PutPayload::from_iter(bytes)).await;
                put.map(drop).map_err(broken)
            }
            Bytewise::InParts(mut upload) => {
                let parts = mem::take(&mut upload.parts);
                let done = store
                    .complete_multipart(&upload.path, &upload.id, parts)
                    .await;
                done.map_err(broken)?;
                upload.is_kept = true;
                Ok(())
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the next look for what is left behind finds it.
        if let (false, Ok(runtime)) = (self.is_kept, Handle::try_current()) {
            let (bucket, path) = (self.bucket.clone(), mem::take(&mut self.path));
            let id = mem::take(&mut self.id);
            runtime.spawn(async move {
                if let Err(error) = bucket.abort(&path, &id).await {
                    tracing::warn!(%error, "an upload that was given up is still in the bucket");
                }
            });
        }
    }
}
