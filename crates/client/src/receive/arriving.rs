//! Opening a file as it comes: its plaintext is written once, where nobody looks, and what was sealed
//! is on no disk.
//!
//! What is here of it in another process is cut to whole chunks, and goes into the digest that the
//! envelope has of it. So whoever changed it there changed the digest, and it comes anew. Of one that is
//! all here nothing comes: the server may have it no more.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use agentdrop_protocol::FileName;
use agentdrop_seal::OpenError;
use agentdrop_seal::native::{FileOpening, Incoming, Kept};
use http::HeaderValue;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::journal::Naming;
use super::landing::Piece;
use super::opening::Watched;
use super::reception::refused;
use crate::error::{Error, Result};

/// So much is written at once; less, where nothing more waits.
const WRITE_BYTES: usize = 256 * 1024;
/// Room in memory for what a piece opens to, behind that.
const ROOM_BYTES: usize = WRITE_BYTES + 128 * 1024;

/// A file that is opened as it comes, on a thread of its own.
pub(super) struct Arriving {
    pub(super) incoming: Arc<Incoming>,
    /// Which file of the envelope it is, from 1.
    pub(super) i: u32,
    pub(super) name: FileName,
    pub(super) size: u64,
    /// What is here of it, to be read again.
    pub(super) file: Watched,
    pub(super) naming: Naming,
}

/// Where it stands.
struct At {
    opening: FileOpening,
    etag: Option<HeaderValue>,
    /// It is written down what it begins with.
    is_named: bool,
}

impl Arriving {
    /// Opens what comes; answers how many bytes the file has when all of it came and is the one that
    /// was sent, and nothing where it broke off. What came until then is on its way to disk.
    pub(super) fn run(
        mut self,
        kept: Option<Kept>,
        mut pieces: mpsc::Receiver<Piece>,
    ) -> Result<Option<u64>> {
        let mut at = kept.map(|it| self.go_on(&it)).transpose()?;
        // It does not grow: what a buffer leaves behind that does, nobody erases.
        let mut plain = Zeroizing::new(Vec::with_capacity(ROOM_BYTES));
        loop {
            let piece = match pieces.try_recv() {
                Ok(piece) => Some(piece),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    self.write(&mut plain)?;
                    pieces.blocking_recv()
                }
            };
            // Somebody else may go on with the file by now.
            if self.stop().is_cancelled() {
                return Ok(None);
            }
            match (piece, &mut at) {
                (Some(Piece::Begin(etag)), _) => {
                    plain.clear();
                    at = Some(self.begin(etag)?);
                }
                (Some(Piece::Bytes(bytes)), Some(at)) => {
                    let opened = at.opening.update(&bytes, &mut plain);
                    opened.map_err(|it| refused(it, &self.name))?;
                    if !at.is_named
                        && let Some(header) = at.opening.header()
                    {
                        self.naming.write(at.etag.as_ref(), header)?;
                        at.is_named = true;
                    }
                    if plain.len() >= WRITE_BYTES {
                        self.write(&mut plain)?;
                    }
                }
                (Some(Piece::End), Some(_)) => {
                    self.write(&mut plain)?;
                    return at.map(|it| self.finish(it)).transpose();
                }
                (None, _) => {
                    self.write(&mut plain)?;
                    return Ok(None);
                }
                (Some(Piece::Bytes(_) | Piece::End), None) => {
                    return Err(refused(OpenError::Refused, &self.name));
                }
            }
        }
    }

    /// Whether the file that is here is all of the one that was sent, of which then nothing has to come;
    /// answers how many bytes it has.
    pub(super) fn check_whole(mut self) -> Result<u64> {
        let begun = self.disk().rewind();
        begun.map_err(Error::io("read", self.name.as_str()))?;
        let (incoming, i) = (Arc::clone(&self.incoming), self.i);
        let checked = incoming.check_whole(i, &mut self.file);
        let bytes = checked.map_err(|it| refused(it, &self.name))?;
        self.sync(bytes)
    }

    fn begin(&self, etag: Option<HeaderValue>) -> Result<At> {
        self.cut(0)?;
        let opening = self.incoming.opening(self.i);
        Ok(At {
            opening: opening.map_err(|it| refused(it, &self.name))?,
            etag,
            is_named: false,
        })
    }

    fn go_on(&mut self, kept: &Kept) -> Result<At> {
        let bytes = kept.plain_bytes(self.size);
        self.cut(bytes)?;
        let begun = self.disk().rewind();
        begun.map_err(Error::io("read", self.name.as_str()))?;
        let (incoming, i) = (Arc::clone(&self.incoming), self.i);
        let opening = incoming.opening_from(i, &kept.header, kept.chunks, &mut self.file);
        let opening = opening.map_err(|it| refused(it, &self.name))?;
        self.cut(bytes)?;
        Ok(At {
            opening,
            etag: None,
            is_named: true,
        })
    }

    fn finish(&self, at: At) -> Result<u64> {
        let bytes = at.opening.finish().map_err(|it| refused(it, &self.name))?;
        self.sync(bytes)
    }

    /// It is on disk when this returns, and so long.
    fn sync(&self, bytes: u64) -> Result<u64> {
        let file = self.disk();
        let synced = file.sync_all().and_then(|()| file.metadata());
        let about = synced.map_err(Error::io("write", self.name.as_str()))?;
        if about.len() != bytes {
            return Err(refused(OpenError::Refused, &self.name));
        }
        Ok(bytes)
    }

    fn write(&self, plain: &mut Vec<u8>) -> Result<()> {
        self.require_awaited()?;
        let mut file = self.disk();
        let written = file.write_all(plain);
        written.map_err(Error::io("write", self.name.as_str()))?;
        plain.clear();
        Ok(())
    }

    /// Leaves so many bytes of it, and goes on behind them.
    fn cut(&self, bytes: u64) -> Result<()> {
        self.require_awaited()?;
        let mut file = self.disk();
        let cut = file.set_len(bytes);
        let cut = cut.and_then(|()| file.seek(SeekFrom::Start(bytes)));
        cut.map(drop)
            .map_err(Error::io("write", self.name.as_str()))
    }

    /// Before anything is written: somebody else may go on with the file, once nobody waits for us.
    fn require_awaited(&self) -> Result<()> {
        if self.stop().is_cancelled() {
            let unawaited = io::Error::other("nobody waits for the file any more");
            return Err(Error::io("write", self.name.as_str())(unawaited));
        }
        Ok(())
    }

    const fn disk(&self) -> &File {
        &self.file.file
    }

    const fn stop(&self) -> &CancellationToken {
        &self.file.stop
    }
}
