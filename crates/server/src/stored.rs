//! The bytes of a file as they were sent, wherever and in how many pieces they are stored.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use agentdrop_domain::transfers::{AtRest, File, Transfer};
use agentdrop_domain::uploads::{Part, Upload};
use agentdrop_protocol::TransferId;
use bytes::Bytes;

use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::at_rest::{CHUNK, FileOpener, SEALED_CHUNK, TransferKey, sealed_len};
use crate::blob::{Blob, BlobKey, Blobs};

/// Bytes that are read at a time: four chunks of what the server encrypted.
const READ: u64 = 4 * CHUNK as u64;
/// Where more than these read at a time, each takes one chunk: what they do not take stays in memory.
const FEW_READERS: usize = 64;

/// A file that is stored.
pub(crate) struct StoredFile {
    blobs: Blobs,
    /// All who read hold it.
    readers: Arc<()>,
    transfer: TransferId,
    /// What its bytes are decrypted with, if the server encrypted them.
    key: Option<TransferKey>,
    pieces: Pieces,
    /// The piece that was read last.
    open: Option<(u64, Piece)>,
}

/// In what pieces a file is stored.
enum Pieces {
    /// In one, by the file's place among the files and that of its blob.
    One {
        size: u64,
        position: u32,
        blob: u32,
        etag: Option<String>,
    },
    /// Beside the transfer's row, from which they were read.
    Small {
        size: u64,
        position: u32,
        bytes: Bytes,
    },
    /// In parts, of which some are known: all with the bytes that were asked for.
    Parts { upload: Upload, known: Vec<Part> },
}

/// A stream of bytes in one blob.
struct Piece {
    blob: Blob,
    opener: Option<FileOpener>,
    size: u64,
}

impl StoredFile {
    /// The file at `position` of a transfer, of which `wanted` is to be read. Its first piece is
    /// opened, so that one that is gone is noticed at once.
    pub(crate) async fn open(
        app: &App,
        transfer: &Transfer,
        position: usize,
        wanted: &Range<u64>,
    ) -> Result<Self> {
        let file: &File = transfer.files.get(position).ok_or(ApiError::NotFound)?;
        let key = match file.at_rest {
            AtRest::Sender => None,
            AtRest::Server => {
                let wrapped = &transfer.wrapped_key;
                Some(app.server_key.transfer_key(transfer.id, wrapped)?)
            }
        };
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let pieces = match file.upload {
            Some(upload) if !file.is_one_blob() => {
                let numbers = upload.parts_with(wanted.start, wanted.end);
                let mut reader = app.store.read().await?;
                let (first, last) = numbers.into_inner();
                let known = reader.parts(transfer.id, file.id, first, last).await?;
                Pieces::Parts { upload, known }
            }
            _ if file.in_database => {
                let number = file.blob_at(position);
                Pieces::Small {
                    size: file.size,
                    position,
                    bytes: small_body(app, transfer.id, number, wanted).await?,
                }
            }
            _ => Pieces::One {
                size: file.size,
                position,
                blob: file.blob_at(position),
                etag: file.direct.as_ref().and_then(|it| it.etag.clone()),
            },
        };
        let mut stored = Self {
            blobs: app.blobs.clone(),
            readers: Arc::clone(&app.readers),
            transfer: transfer.id,
            key,
            pieces,
            open: None,
        };
        if !wanted.is_empty() {
            stored.piece_at(wanted.start).await?;
        }
        Ok(stored)
    }

    /// Some bytes from the beginning of `wanted` on: at least one, if there is one in it.
    pub(crate) async fn read(&mut self, wanted: Range<u64>) -> io::Result<Vec<u8>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let few = Arc::strong_count(&self.readers) <= FEW_READERS;
        let most = if few { READ } else { CHUNK as u64 };
        let (begins, piece) = self.piece_at(wanted.start).await?;
        let start = wanted.start - begins;
        let end = (wanted.end - begins).min(piece.size).min(start + most);
        piece.read(start..end).await
    }

    /// The piece with the byte at `at`, and where it begins.
    async fn piece_at(&mut self, at: u64) -> io::Result<(u64, &Piece)> {
        let is_open = |it: &(u64, Piece)| it.0 <= at && at - it.0 < it.1.size;
        let open = match self.open.take().filter(is_open) {
            Some(open) => open,
            None => self.open_at(at).await?,
        };
        let (begins, piece) = self.open.insert(open);
        Ok((*begins, piece))
    }

    async fn open_at(&self, at: u64) -> io::Result<(u64, Piece)> {
        let key = self.key.as_ref();
        match &self.pieces {
            Pieces::One {
                size,
                position,
                blob,
                etag,
            } => {
                let opener = key.map(|it| FileOpener::new(it, *position, *size));
                let blob = BlobKey::file(self.transfer, *blob);
                let blob = self.blobs.read(blob, etag.as_deref()).await?;
                let size = *size;
                Ok((0, Piece { blob, opener, size }))
            }
            Pieces::Small {
                size,
                position,
                bytes,
            } => {
                let opener = key.map(|it| FileOpener::new(it, *position, *size));
                let (blob, size) = (Blob::Small(bytes.clone()), *size);
                Ok((0, Piece { blob, opener, size }))
            }
            Pieces::Parts { upload, known } => {
                let number = *upload.parts_with(at, at + 1).start();
                let part = known.iter().find(|it| it.number == number);
                // As good as a blob that is gone.
                let part = part.ok_or(io::ErrorKind::NotFound)?;
                let opener = key.map(|it| FileOpener::of_part(it, part.tag, part.bytes));
                let begins = u64::from(number - 1) * upload.part_bytes;
                let size = part.bytes;
                let blob = BlobKey::part(self.transfer, part.tag);
                let blob = self.blobs.read(blob, None).await?;
                Ok((begins, Piece { blob, opener, size }))
            }
        }
    }
}

/// What is stored of a small file, if some of it is wanted.
async fn small_body(
    app: &App,
    transfer: TransferId,
    number: u32,
    wanted: &Range<u64>,
) -> Result<Bytes> {
    if wanted.is_empty() {
        return Ok(Bytes::new());
    }
    let mut reader = app.store.read().await?;
    let found = reader.small_body(transfer, number).await?;
    // As good as a blob that is gone.
    let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(found.into())
}

impl Piece {
    async fn read(&self, wanted: Range<u64>) -> io::Result<Vec<u8>> {
        let bytes = match &self.opener {
            None => {
                let length = usize::try_from(wanted.end - wanted.start).unwrap_or(0);
                self.blob.read_at(wanted.start, length).await?
            }
            Some(opener) => self.read_sealed(opener, &wanted).await?,
        };
        if bytes.len() as u64 != wanted.end - wanted.start {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    /// Whole chunks are read and decrypted, and what is not wanted of them is cut off.
    async fn read_sealed(&self, opener: &FileOpener, wanted: &Range<u64>) -> io::Result<Vec<u8>> {
        const CHUNK: u64 = crate::at_rest::CHUNK as u64;
        let chunks = wanted.start / CHUNK..wanted.end.div_ceil(CHUNK);
        let from = chunks.start * SEALED_CHUNK as u64;
        let until = (chunks.end * SEALED_CHUNK as u64).min(sealed_len(self.size));
        let length = usize::try_from(until - from).unwrap_or(0);
        let mut sealed = self.blob.read_at(from, length).await?;
        let mut plain = Vec::with_capacity(sealed.len());
        for (n, chunk) in chunks.clone().zip(sealed.chunks_mut(SEALED_CHUNK)) {
            let opened = opener.open(n, chunk).map_err(io::Error::other)?;
            plain.extend_from_slice(&chunk[..opened]);
        }
        let before = usize::try_from(wanted.start - chunks.start * CHUNK).unwrap_or(0);
        plain.truncate(usize::try_from(wanted.end - chunks.start * CHUNK).unwrap_or(0));
        plain.drain(..before.min(plain.len()));
        Ok(plain)
    }
}
