//! Sealing the files of an envelope, in one pass each.

use std::fmt;

use agentdrop_cobblestone::{Sealer, TooLong};
use agentdrop_envelope::{FileHasher, Padding};

use crate::SealError;

/// What is sealed of padding at a time.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Seals one file as it comes.
///
/// Behind it stands padding, which can be an eighth as long as the file: after the last [`update`](Self::update),
/// [`pad`](Self::pad) makes it piece by piece. [`finish`](Self::finish) makes what is left of it at once.
pub struct FileSealer {
    stream: Stream,
    measuring: FileMeasuring,
}

/// Reads a file ahead of sealing it, for what its envelope tells of it.
pub struct FileMeasuring {
    hasher: FileHasher,
    padding: Padding,
}

/// Seals the end of a file, from any chunk on, as it comes, and its padding.
pub struct FileTail {
    stream: Stream,
    /// Bytes of the plaintext that did not come yet.
    missing: u64,
}

/// What was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of the plaintext.
    pub size: u64,
    /// Bytes of the stream, in which the padding is too.
    pub sealed_size: u64,
    /// What the plaintext is known by: [`FileHasher`] makes it.
    pub digest: [u8; 32],
}

/// Plaintext, and the zeros that its length asks for.
struct Stream {
    sealer: Sealer,
    padding: Padding,
    /// Bytes of the plaintext, from the file's beginning.
    size: u64,
    /// Zeros that are to come, once they began.
    zeros: Option<u64>,
}

impl FileSealer {
    pub(super) const fn new(sealer: Sealer, measuring: FileMeasuring) -> Self {
        Self {
            stream: Stream {
                sealer,
                padding: measuring.padding,
                size: 0,
                zeros: None,
            },
            measuring,
        }
    }

    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.stream.expect(plaintext)?;
        self.measuring.update(plaintext);
        self.stream.update(plaintext, out)
    }

    /// Appends the next piece of padding to `out`, at most some 64 KiB, and answers whether there is more of it.
    ///
    /// No plaintext may come after it.
    pub fn pad(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        self.stream.pad(out)
    }

    /// Ends the file: appends what is left of its padding, and its last chunk, without which it does not open, and answers
    /// what it is.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Sealed, SealError> {
        while self.pad(out)? {}
        self.stream.sealer.finish(out)?;
        self.measuring.finish()
    }
}

impl FileMeasuring {
    pub(super) const fn new(hasher: FileHasher, padding: Padding) -> Self {
        Self { hasher, padding }
    }

    /// Takes plaintext in.
    pub fn update(&mut self, plaintext: &[u8]) {
        self.hasher.update(plaintext);
    }

    /// Ends the file, and answers what it is.
    pub fn finish(self) -> Result<Sealed, SealError> {
        let size = self.hasher.size();
        Ok(Sealed {
            size,
            sealed_size: self.padding.sealed_len(size).ok_or(SealError::TooLong)?,
            digest: self.hasher.finish(),
        })
    }
}

impl FileTail {
    /// What stands at `before` and behind it, of a file of `size` bytes, which is sealed as `padded` bytes.
    pub(super) fn new(
        sealer: Sealer,
        padding: Padding,
        before: u64,
        size: u64,
        padded: u64,
    ) -> Self {
        Self {
            stream: Stream {
                sealer,
                padding,
                size: before.min(size),
                zeros: (before > size).then(|| padded.saturating_sub(before)),
            },
            missing: size.saturating_sub(before),
        }
    }

    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let left = self.missing.checked_sub(plaintext.len() as u64);
        self.missing = left.ok_or(SealError::Size)?;
        self.stream.update(plaintext, out)
    }

    /// Appends the next piece of padding to `out`, at most some 64 KiB, and answers whether there is more of it.
    pub fn pad(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        if self.missing > 0 {
            return Err(SealError::Size);
        }
        self.stream.pad(out)
    }

    /// Ends the file: appends what is left of its padding, and its last chunk, without which it does not open, to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        while self.pad(out)? {}
        Ok(self.stream.sealer.finish(out)?)
    }
}

impl Stream {
    /// Nothing comes behind padding.
    const fn expect(&self, plaintext: &[u8]) -> Result<(), SealError> {
        if self.zeros.is_some() && !plaintext.is_empty() {
            return Err(SealError::Size);
        }
        Ok(())
    }

    fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.expect(plaintext)?;
        self.sealer.update(plaintext, out)?;
        self.size += plaintext.len() as u64;
        Ok(())
    }

    fn pad(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        let left = if let Some(left) = self.zeros {
            left
        } else {
            let padded = self.padding.padded_len(self.size);
            padded.ok_or(SealError::TooLong)?.saturating_sub(self.size)
        };
        let now = usize::try_from(left).map_or(ZEROS.len(), |it| it.min(ZEROS.len()));
        self.sealer
            .update(ZEROS.get(..now).unwrap_or_default(), out)?;
        let left = left.saturating_sub(now as u64);
        self.zeros = Some(left);
        Ok(left > 0)
    }
}

impl fmt::Debug for FileMeasuring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileMeasuring")
            .field("size", &self.hasher.size())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FileTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileTail(…)")
    }
}

impl fmt::Debug for FileSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSealer")
            .field("size", &self.stream.size)
            .finish_non_exhaustive()
    }
}

impl From<TooLong> for SealError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}
