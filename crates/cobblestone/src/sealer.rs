//! Sealing a stream, in one pass.

use aws_lc_rs::rand;
use zeroize::Zeroize as _;

use crate::schedule::{Key, Schedule};
use crate::{CHUNK_BYTES, HEADER_BYTES, SALT_BYTES, SEALED_CHUNK_BYTES, TooLong};

/// Seals one stream as it comes.
#[derive(Debug)]
pub struct Sealer {
    schedule: Schedule,
    next: u64,
    /// What is not a whole chunk yet.
    pending: Vec<u8>,
}

impl Sealer {
    /// Begins a stream that is `context`, and answers what stands at its beginning too.
    ///
    /// Answers `None` where the operating system gives no random bytes.
    pub fn new(key: &Key, context: &[u8]) -> Option<(Self, [u8; HEADER_BYTES])> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).ok()?;
        Some(Self::salted(key, context, salt))
    }

    /// Begins a stream with a salt that was drawn before, to make the same stream again.
    ///
    /// It **must** be of the same plaintext: of two under one key, salt and context, whoever sees
    /// both learns their difference, and the means to forge.
    pub fn salted(key: &Key, context: &[u8], salt: [u8; SALT_BYTES]) -> (Self, [u8; HEADER_BYTES]) {
        let schedule = Schedule::new(key, &salt, context);
        let mut header = [0; HEADER_BYTES];
        let (begins, commits) = header.split_at_mut(SALT_BYTES);
        begins.copy_from_slice(&salt);
        commits.copy_from_slice(&schedule.commitment);
        let sealer = Self {
            schedule,
            next: 0,
            pending: Vec::with_capacity(CHUNK_BYTES),
        };
        (sealer, header)
    }

    /// Goes on with a stream that was begun elsewhere, at chunk `n`: what is taken in now belongs at
    /// `n *` [`CHUNK_BYTES`] of the plaintext.
    ///
    /// The duty of [`Sealer::salted`] is that of each chunk on its own: what was sealed as chunk `n`
    /// under this key, context and salt, and left this machine, **must** have been the same.
    pub fn resumed(key: &Key, context: &[u8], salt: [u8; SALT_BYTES], n: u64) -> Self {
        let (mut sealer, _) = Self::salted(key, context, salt);
        sealer.next = n;
        sealer
    }

    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let whole = (self.pending.len() + plaintext.len()) / CHUNK_BYTES;
        out.reserve(whole.saturating_mul(SEALED_CHUNK_BYTES));
        if !self.pending.is_empty() {
            let missing = CHUNK_BYTES - self.pending.len();
            let (now, later) = plaintext.split_at(plaintext.len().min(missing));
            self.pending.extend_from_slice(now);
            plaintext = later;
            if self.pending.len() < CHUNK_BYTES {
                return Ok(());
            }
            let mut pending = std::mem::take(&mut self.pending);
            let sealed = self.seal(&pending, out);
            pending.zeroize();
            self.pending = pending;
            sealed?;
        }
        let mut chunks = plaintext.chunks_exact(CHUNK_BYTES);
        for chunk in &mut chunks {
            self.seal(chunk, out)?;
        }
        self.pending.extend_from_slice(chunks.remainder());
        Ok(())
    }

    /// Ends the stream: appends its last chunk, without which it does not open, to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let pending = std::mem::take(&mut self.pending);
        let sealed = self.seal(&pending, out);
        self.pending = pending;
        sealed
    }

    fn seal(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let begin = out.len();
        out.extend_from_slice(chunk);
        let place = out.get_mut(begin..).unwrap_or_default();
        match self.schedule.seal(self.next, place) {
            Ok(tag) => out.extend_from_slice(tag.as_ref()),
            Err(error) => {
                // Plaintext must not be taken for what is sealed.
                place.zeroize();
                out.truncate(begin);
                return Err(error);
            }
        }
        self.next += 1;
        Ok(())
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.pending.zeroize();
    }
}
