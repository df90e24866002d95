//! Opening what was fetched: checked over all its bytes, whoever wrote them to this disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use agentdrop_seal::compat::human;
use agentdrop_seal::{ContentKey, Nonce, OpenError, SealedFile, VerifiedFile, person};
use tokio_util::sync::CancellationToken;

use crate::progress::{Phase, Watcher};

/// How a file is sealed, and with what it opens.
#[derive(Clone, Debug)]
pub(super) enum Seal {
    /// A chunk at a time, as file number `n` of an envelope for a person.
    Chunks(Arc<person::Incoming>, u32),
    /// As one message, with its nonce in front.
    Human(Arc<ContentKey>),
    /// As one message.
    Message(Arc<ContentKey>, Nonce),
}

impl Seal {
    /// How often each byte is read.
    pub(super) const fn passes(&self) -> u64 {
        match self {
            Self::Chunks(..) => 1,
            // Once to be checked, once to be opened.
            Self::Human(_) | Self::Message(..) => 2,
        }
    }

    /// Whether it can be opened where it lies.
    pub(super) const fn opens_in_place(&self) -> bool {
        match self {
            Self::Chunks(..) | Self::Message(..) => true,
            // The nonce in front would stay there.
            Self::Human(_) => false,
        }
    }

    /// Checks it, opens it into `opened`, and answers how many bytes that has then.
    ///
    /// On any error, throw away what `opened` holds.
    pub(super) fn open_to(&self, sealed: Watched, opened: &File) -> Result<u64, OpenError> {
        match self {
            Self::Chunks(incoming, i) => incoming.open_to(*i, sealed, opened),
            Self::Human(key) => human::sealed_file(sealed)?.verify(key)?.open_to(opened),
            Self::Message(key, nonce) => verified(sealed, key, *nonce)?.open_to(opened),
        }
    }

    /// Checks it, opens it where it lies, and answers how many bytes it has then; behind them it is
    /// cut off.
    ///
    /// On any error the file is neither the one nor the other any more.
    pub(super) fn open_in_place(&self, sealed: Watched) -> Result<u64, OpenError> {
        let (opened, bytes) = match self {
            Self::Chunks(incoming, i) => incoming.open_in_place(*i, sealed)?,
            Self::Human(_) => return Err(OpenError::Refused),
            Self::Message(key, nonce) => verified(sealed, key, *nonce)?.open_in_place()?,
        };
        opened.file.set_len(bytes)?;
        opened.file.sync_all()?;
        Ok(bytes)
    }
}

fn verified(
    sealed: Watched,
    key: &ContentKey,
    nonce: Nonce,
) -> Result<VerifiedFile<'_, Watched>, OpenError> {
    SealedFile::new(sealed, nonce)?.verify(key)
}

/// A file that counts what is read of it, and fails when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) file: File,
    pub(super) watcher: Watcher,
    pub(super) stop: CancellationToken,
    /// How often each byte is read; each time it counts for as much less.
    pub(super) passes: u64,
    pub(super) done_bytes: u64,
    pub(super) total_bytes: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("nobody waits for the file any more"));
        }
        let read = self.file.read(buffer)?;
        self.done_bytes += read as u64;
        let done_bytes = self.done_bytes / self.passes;
        self.watcher
            .report(Phase::Opening, done_bytes, self.total_bytes);
        Ok(read)
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
