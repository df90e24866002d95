//! A blob in a bucket that is open for reading.

use std::io;

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore as _, ObjectStoreExt as _};
use tokio::sync::Mutex;

use super::{Bucket, broken};

/// Bytes that are asked for at a time: as many as make the way there and back worth it, few enough
/// for many readers, of whom some are slow.
const WINDOW: u64 = 1024 * 1024;

/// A blob that is open for reading: the one that was there then, whatever is put in its place.
#[derive(Debug)]
pub(crate) struct Object {
    bucket: Bucket,
    path: Path,
    size: u64,
    etag: Option<String>,
    window: Mutex<Window>,
}

/// Bytes that were read ahead.
#[derive(Debug, Default)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Object {
    pub(super) async fn open(bucket: Bucket, path: Path) -> io::Result<Self> {
        let meta = bucket.0.store.head(&path).await.map_err(broken)?;
        Ok(Self {
            bucket,
            path,
            size: meta.size,
            etag: meta.e_tag,
            window: Mutex::default(),
        })
    }

    pub(crate) const fn len(&self) -> u64 {
        self.size
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    pub(crate) async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(length as u64).min(self.size);
        if offset >= end {
            return Ok(Vec::new());
        }
        let mut window = self.window.lock().await;
        window.forget_before(offset);
        if window.end() < end {
            let ahead = (offset + WINDOW).max(end).min(self.size);
            let missing = window.end()..ahead;
            let options = GetOptions {
                if_match: self.etag.clone(),
                range: Some(missing.into()),
                ..GetOptions::default()
            };
            let got = self.bucket.0.store.get_opts(&self.path, options).await;
            let got = got.map_err(broken)?.bytes().await.map_err(broken)?;
            window.append(got);
        }
        let length = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let wanted = window.bytes.get(..length);
        Ok(wanted.ok_or(io::ErrorKind::UnexpectedEof)?.to_vec())
    }
}

impl Window {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Begins at `offset`, with what is known from there on.
    fn forget_before(&mut self, offset: u64) {
        let known = (self.start..=self.end()).contains(&offset);
        let before = usize::try_from(offset.wrapping_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes = if known {
            self.bytes.slice(before..)
        } else {
            Bytes::new()
        };
        self.start = offset;
    }

    fn append(&mut self, more: Bytes) {
        if self.bytes.is_empty() {
            self.bytes = more;
            return;
        }
        let mut both = BytesMut::with_capacity(self.bytes.len() + more.len());
        both.extend_from_slice(&self.bytes);
        both.extend_from_slice(&more);
        self.bytes = both.freeze();
    }
}
