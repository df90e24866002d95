//! Where the bytes of a file go that is fetched: to disk as they come, or to a thread that opens them.

use std::fs::File;
use std::io::SeekFrom;

use bytes::Bytes;
use http::HeaderValue;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio::sync::mpsc;

use super::journal::Journal;
use crate::error::{Error, Result};

const BUFFER_BYTES: usize = 256 * 1024;
/// Pieces that wait for the thread are no larger, and no more: so little is in memory, and lost in a kill.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD: usize = 6;

/// Where the bytes of a file go.
pub(super) enum Landing<'a> {
    /// To disk, sealed as they are.
    Disk {
        file: BufWriter<tokio::fs::File>,
        /// Where it is written down what names the file, and which one it is.
        journal: (&'a Journal, usize),
    },
    /// To who opens them.
    Opener(mpsc::Sender<Piece>),
}

/// What comes to who opens a file.
pub(super) enum Piece {
    /// It comes from its beginning, under this name: whatever came of it before is void.
    Begin(Option<HeaderValue>),
    Bytes(Bytes),
    /// All of it came.
    End,
}

impl<'a> Landing<'a> {
    pub(super) fn disk(into: File, journal: &'a Journal, n: usize) -> Self {
        let file = tokio::fs::File::from_std(into);
        Self::Disk {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            journal: (journal, n),
        }
    }

    pub(super) fn opener() -> (Self, mpsc::Receiver<Piece>) {
        let (pieces, waiting) = mpsc::channel(PIECES_AHEAD);
        (Self::Opener(pieces), waiting)
    }

    /// The first `done` bytes are here.
    pub(super) async fn go_on_behind(&mut self, done: u64) -> Result<()> {
        if let Self::Disk { file, .. } = self {
            let sought = file.seek(SeekFrom::Start(done)).await;
            sought.map_err(Error::io("write", "a received file"))?;
        }
        Ok(())
    }

    /// What came is of no use.
    pub(super) async fn empty(&mut self) -> Result<()> {
        if let Self::Disk { file, .. } = self {
            let emptied = async {
                file.seek(SeekFrom::Start(0)).await?;
                file.get_mut().set_len(0).await
            };
            let emptied = emptied.await;
            emptied.map_err(Error::io("write", "a received file"))?;
        }
        // Who opens it is told when it begins again.
        Ok(())
    }

    /// It comes from its beginning.
    pub(super) async fn begin(&mut self, etag: Option<&HeaderValue>) -> Result<()> {
        match self {
            Self::Disk {
                journal: (journal, n),
                ..
            } => journal.name_part(*n, etag).await,
            Self::Opener(pieces) => hand_on(pieces, Piece::Begin(etag.cloned())).await,
        }
    }

    pub(super) async fn take(&mut self, mut piece: Bytes) -> Result<()> {
        match self {
            Self::Disk { file, .. } => {
                let written = file.write_all(&piece).await;
                written.map_err(Error::io("write", "a received file"))
            }
            Self::Opener(pieces) => {
                while !piece.is_empty() {
                    let now = piece.split_to(piece.len().min(PIECE_BYTES));
                    hand_on(pieces, Piece::Bytes(now)).await?;
                }
                Ok(())
            }
        }
    }

    /// Nothing more comes: all of it did, or it broke off.
    pub(super) async fn end(&mut self, is_whole: bool) -> Result<()> {
        match self {
            Self::Disk { file, .. } => {
                let flushed = file.flush().await;
                flushed.map_err(Error::io("write", "a received file"))
            }
            Self::Opener(pieces) if is_whole => hand_on(pieces, Piece::End).await,
            Self::Opener(_) => Ok(()),
        }
    }
}

async fn hand_on(pieces: &mpsc::Sender<Piece>, piece: Piece) -> Result<()> {
    // Why it ended it says itself, to who waits for it.
    let ended = |_| Error::Answer("what came of a file did not open".to_owned());
    pieces.send(piece).await.map_err(ended)
}
