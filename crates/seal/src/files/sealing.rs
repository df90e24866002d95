//! Sealing the files of an envelope, in one pass each.

use std::fmt;

use agentdrop_cobblestone::{HEADER_BYTES, Sealer, TooLong};
use agentdrop_envelope::Padding;
use aws_lc_rs::digest::{Context, SHA256};

use crate::SealError;

/// What is sealed of padding at a time.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Seals one file as it comes.
///
/// Behind it stands padding, which can be an eighth as long as the file: after the last [`update`](Self::update),
/// [`pad`](Self::pad) makes it piece by piece. [`finish`](Self::finish) makes what is left of it at once.
pub struct FileSealer {
    stream: Stream,
    digest: Context,
    sealed_size: u64,
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
    /// SHA-256 of the stream.
    pub sealed_sha256: [u8; 32],
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
    pub(super) fn new(sealer: Sealer, padding: Padding, begin: &[u8; HEADER_BYTES]) -> Self {
        let mut digest = Context::new(&SHA256);
        digest.update(begin);
        Self {
            stream: Stream {
                sealer,
                padding,
                size: 0,
                zeros: None,
            },
            digest,
            sealed_size: begin.len() as u64,
        }
    }

    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let begin = out.len();
        self.stream.update(plaintext, out)?;
        self.count(out, begin);
        Ok(())
    }

    /// Appends the next piece of padding to `out`, at most some 64 KiB, and answers whether there is more of it.
    ///
    /// No plaintext may come after it.
    pub fn pad(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        let begin = out.len();
        let more = self.stream.pad(out)?;
        self.count(out, begin);
        Ok(more)
    }

    /// Ends the file: appends what is left of its padding, and its last chunk, without which it does not open, and answers
    /// what it is.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Sealed, SealError> {
        while self.pad(out)? {}
        let begin = out.len();
        let size = self.stream.size;
        self.stream.sealer.finish(out)?;
        let end = out.get(begin..).unwrap_or_default();
        self.digest.update(end);
        let mut sealed_sha256 = [0; 32];
        sealed_sha256.copy_from_slice(self.digest.finish().as_ref());
        Ok(Sealed {
            size,
            sealed_size: self.sealed_size + end.len() as u64,
            sealed_sha256,
        })
    }

    fn count(&mut self, out: &[u8], begin: usize) {
        let sealed = out.get(begin..).unwrap_or_default();
        self.digest.update(sealed);
        self.sealed_size += sealed.len() as u64;
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
    fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        if self.zeros.is_some() && !plaintext.is_empty() {
            return Err(SealError::Size);
        }
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
