//! What seals and opens the files of one transfer.

use std::fmt;

use agentdrop_cobblestone::{CHUNK_BYTES, HEADER_BYTES, Key, Opener, SALT_BYTES, Sealer};
use agentdrop_envelope::{FileHasher, FileKey, Padding, file_context};
use agentdrop_protocol::TransferId;

use super::{FileMeasuring, FileSealer, FileTail};
use crate::{OpenError, SealError, random::random_bytes};

/// What seals the files of one transfer, and nothing else: what is kept to resume an upload.
pub struct FileKeys {
    key: FileKey,
    transfer: TransferId,
    padding: Padding,
}

/// What a file's stream begins with, drawn before it is sealed: who goes on with an upload seals the same.
#[derive(Clone, Copy, Debug)]
pub struct FileSalt([u8; SALT_BYTES]);

impl FileKeys {
    /// Takes over what was kept of `transfer`, and erases it where it came from. `padding` is that of the envelope.
    pub fn take(transfer: TransferId, padding: Padding, key: &mut [u8; 32]) -> Self {
        Self::new(FileKey::take(key), transfer, padding)
    }

    pub(crate) const fn new(key: FileKey, transfer: TransferId, padding: Padding) -> Self {
        Self {
            key,
            transfer,
            padding,
        }
    }

    /// The same keys once more.
    pub(crate) fn again(&self) -> Self {
        Self::take(
            self.transfer,
            self.padding,
            &mut self.expose_secret().clone(),
        )
    }

    /// The transfer whose files they seal.
    pub const fn transfer(&self) -> TransferId {
        self.transfer
    }

    /// What stands behind each file before it is sealed.
    pub const fn padding(&self) -> Padding {
        self.padding
    }

    /// Answers the secret bytes, to be kept where only their owner can read them.
    pub const fn expose_secret(&self) -> &[u8; 32] {
        self.key.expose_secret()
    }

    /// Begins a file, as [`person::Outgoing::file`](crate::person::Outgoing::file) does, and with the same duty.
    pub fn file(&self, i: u32, salt: FileSalt, out: &mut Vec<u8>) -> FileSealer {
        let (key, context) = self.stream(i);
        let (sealer, begin) = Sealer::salted(&key, &context, salt.0);
        out.extend_from_slice(&begin);
        FileSealer::new(sealer, self.measuring(i))
    }

    /// Begins to read file `i` ahead, for what the envelope tells of it.
    pub fn measuring(&self, i: u32) -> FileMeasuring {
        FileMeasuring::new(self.hasher(i), self.padding)
    }

    /// Goes on with a file of `size` bytes at chunk `n`, each of 16 KiB, without sealing again what stands before: what it
    /// takes in now belongs at `n * 16384` of the file. Where that is behind its end, the rest is padding.
    ///
    /// What left this machine of chunk `n` and those behind it with this salt **must** have been of the same plaintext: of
    /// two that differ, whoever sees both learns their difference, and the means to forge.
    pub fn resume(&self, i: u32, salt: FileSalt, size: u64, n: u64) -> Result<FileTail, SealError> {
        let padded = self.padding.padded_len(size).ok_or(SealError::TooLong)?;
        let before = n.checked_mul(CHUNK_BYTES as u64);
        let before = before.filter(|it| *it <= padded).ok_or(SealError::Size)?;
        let (key, context) = self.stream(i);
        let sealer = Sealer::resumed(&key, &context, salt.0, n);
        Ok(FileTail::new(sealer, self.padding, before, size, padded))
    }

    /// Opens file `i` from chunk `n` on, whose stream begins with `header`.
    pub(super) fn opener(
        &self,
        i: u32,
        header: &[u8; HEADER_BYTES],
        n: u64,
    ) -> Result<Opener, OpenError> {
        let (key, context) = self.stream(i);
        Ok(Opener::resumed(&key, &context, header, n)?)
    }

    pub(super) fn hasher(&self, i: u32) -> FileHasher {
        self.key.hasher(i)
    }

    pub(crate) const fn key(&self) -> &FileKey {
        &self.key
    }

    /// `K_i`, and `"agentdrop/v2 file\0" ‖ transfer id ‖ u32be(i)`.
    fn stream(&self, i: u32) -> (Key, Vec<u8>) {
        let context = file_context(self.transfer.as_bytes(), i);
        (self.key.file(i), context)
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKeys(…)")
    }
}

impl FileSalt {
    /// Draws a salt by chance: one a file.
    pub fn generate() -> Result<Self, SealError> {
        random_bytes().map(Self)
    }

    /// The salt that was drawn before.
    pub const fn from_bytes(bytes: [u8; SALT_BYTES]) -> Self {
        Self(bytes)
    }

    /// Answers its bytes.
    pub const fn as_bytes(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }
}
