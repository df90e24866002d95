//! Which blobs a transfer stands on, and how long each has to be.

use std::io;

use agentdrop_domain::transfers::{AtRest, File, Transfer};
use agentdrop_protocol::{PartTag, TransferId};
use agentdrop_store::Store;

use crate::at_rest::{FileOpener, TransferKey, sealed_len};
use crate::blob::{Blob, BlobKey, BlobName, Blobs};

/// Transfers that are in memory at a time.
const BATCH: u32 = 100;

/// A blob that has bytes of a file, or what is in the database in the place of one.
#[derive(Clone, Debug)]
pub(super) struct Needed {
    /// What it is called.
    pub(super) key: BlobKey,
    /// The place of the file among those of its transfer.
    pub(super) file: u32,
    /// Which part of the file it is, if it is one.
    pub(super) part: Option<u32>,
    /// Whether it may still be on its way.
    pub(super) is_coming: bool,
    /// The bytes that its sender sent.
    plain: u64,
    at_rest: AtRest,
    tag: Option<PartTag>,
    etag: Option<String>,
    /// Whether it is kept beside the row, and there is no blob.
    pub(super) in_database: bool,
}

/// The blobs of one file.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) needed: Vec<Needed>,
    /// The first part that no row knows of, though its file is whole.
    pub(super) missing_part: Option<u32>,
}

impl Needed {
    /// How many bytes are stored.
    pub(super) const fn stored_len(&self) -> u64 {
        match self.at_rest {
            AtRest::Sender => self.plain,
            AtRest::Server => sealed_len(self.plain),
        }
    }

    /// How many bytes were sent.
    pub(super) const fn plain_len(&self) -> u64 {
        self.plain
    }

    /// Opens it where it is.
    pub(super) async fn open(&self, blobs: &Blobs) -> io::Result<Blob> {
        blobs.read(self.key, self.etag.as_deref()).await
    }

    /// What is stored of it beside the row, if it is kept there and there is something.
    pub(super) async fn small(&self, store: &Store) -> agentdrop_store::Result<Option<Vec<u8>>> {
        let BlobName::Position(number) = self.key.name else {
            return Ok(None);
        };
        let mut reader = store.read().await?;
        reader.small_body(self.key.transfer, number).await
    }

    /// Whether a transfer stands on it, as things are in `store` now.
    pub(super) async fn is_still(&self, store: &Store) -> agentdrop_store::Result<bool> {
        let BlobKey { transfer, name } = self.key;
        let mut reader = store.read().await?;
        match name {
            BlobName::Part(tag) => reader.needs_part(transfer, tag).await,
            BlobName::Position(at) if self.in_database => {
                reader.needs_small_body(transfer, at).await
            }
            BlobName::Position(at) => reader.needs_blob(transfer, at).await,
        }
    }

    /// What decrypts it, if the server encrypted it.
    pub(super) fn opener(&self, key: &TransferKey) -> Option<FileOpener> {
        match (self.at_rest, self.tag) {
            (AtRest::Sender, _) => None,
            (AtRest::Server, Some(tag)) => Some(FileOpener::of_part(key, tag, self.plain)),
            (AtRest::Server, None) => Some(FileOpener::new(key, self.file, self.plain)),
        }
    }
}

/// The transfers behind `after` whose bytes are there.
pub(super) async fn transfers(
    store: &Store,
    after: Option<TransferId>,
) -> agentdrop_store::Result<Vec<Transfer>> {
    let mut reader = store.read().await?;
    reader.transfers_with_bytes(after, BATCH).await
}

/// The blobs of the file at this place.
pub(super) async fn of_file(
    store: &Store,
    transfer: &Transfer,
    (place, file): (u32, &File),
) -> agentdrop_store::Result<Inventory> {
    let is_complete = file.upload.is_some_and(|it| it.is_complete);
    let is_in_parts = !file.is_one_blob() && !file.in_database;
    let Some(upload) = file.upload.filter(|_| is_in_parts) else {
        let needed = Needed {
            key: BlobKey::file(transfer.id, file.blob_at(place)),
            file: place,
            part: None,
            is_coming: transfer.announced && !is_complete,
            plain: file.size,
            at_rest: file.at_rest,
            tag: None,
            etag: file.direct.as_ref().and_then(|it| it.etag.clone()),
            in_database: file.in_database,
        };
        return Ok(Inventory {
            needed: vec![needed],
            missing_part: None,
        });
    };
    let mut reader = store.read().await?;
    let parts = reader.parts(transfer.id, file.id, 1, u32::MAX).await?;
    let is_whole = is_complete || !transfer.announced;
    let expected = u32::try_from(upload.part_count(file.size)).unwrap_or(u32::MAX);
    let mut numbers = 1..=expected;
    let missing = numbers.find(|it| parts.binary_search_by_key(it, |part| part.number).is_err());
    let needed = parts.into_iter().map(|part| Needed {
        key: BlobKey::part(transfer.id, part.tag),
        file: place,
        part: upload.id.map(|_| part.number),
        is_coming: false,
        plain: part.bytes,
        at_rest: file.at_rest,
        tag: Some(part.tag),
        etag: None,
        in_database: false,
    });
    Ok(Inventory {
        needed: needed.collect(),
        missing_part: missing.filter(|_| is_whole),
    })
}
