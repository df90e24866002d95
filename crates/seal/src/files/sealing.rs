//! Sealing the files of an envelope, in one pass each.

use std::fmt;

use agentdrop_cobblestone::{SALT_BYTES, Sealer, TooLong};
use agentdrop_envelope::{FileKey, file_context};
use agentdrop_protocol::TransferId;
use aws_lc_rs::digest::{Context, SHA256};

use crate::{SealError, random::random_bytes};

/// What seals the files of one transfer, and nothing else: what is kept to resume an upload.
pub struct FileKeys {
    pub(super) key: FileKey,
    pub(super) transfer: TransferId,
}

/// What a file's stream begins with, drawn before it is sealed, so that it can be sealed twice: once to learn its digest,
/// which the envelope holds and which goes ahead of it, and once to be sent.
#[derive(Clone, Copy, Debug)]
pub struct FileSalt([u8; SALT_BYTES]);

/// Seals one file as it comes.
pub struct FileSealer {
    sealer: Sealer,
    digest: Context,
    size: u64,
    sealed_size: u64,
}

/// Seals the end of a file, from any chunk on, as it comes.
pub struct FileTail(Sealer);

/// What was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of the plaintext.
    pub size: u64,
    /// Bytes of the stream.
    pub sealed_size: u64,
    /// SHA-256 of the stream.
    pub sealed_sha256: [u8; 32],
}

impl FileKeys {
    /// Takes over what was kept of `transfer`, and erases it where it came from.
    pub fn take(transfer: TransferId, key: &mut [u8; 32]) -> Self {
        Self {
            key: FileKey::take(key),
            transfer,
        }
    }

    /// The transfer whose files they seal.
    pub const fn transfer(&self) -> TransferId {
        self.transfer
    }

    /// Answers the secret bytes, to be kept where only their owner can read them.
    pub const fn expose_secret(&self) -> &[u8; 32] {
        self.key.expose_secret()
    }

    pub(crate) const fn key(&self) -> &FileKey {
        &self.key
    }

    /// Goes on with a file at chunk `n`, each of 16 KiB of plaintext, without sealing again what stands before.
    ///
    /// What left this machine of chunk `n` and those behind it with this salt **must** have been of the same plaintext: of
    /// two that differ, whoever sees both learns their difference, and the means to forge.
    pub fn resume(&self, i: u32, salt: FileSalt, n: u64) -> FileTail {
        let context = file_context(self.transfer.as_bytes(), i);
        FileTail(Sealer::resumed(&self.key.file(i), &context, salt.0, n))
    }

    /// Begins a file, as [`person::Outgoing::file`](crate::person::Outgoing::file) does, and with the same duty.
    pub fn file(&self, i: u32, salt: FileSalt, out: &mut Vec<u8>) -> FileSealer {
        begin(&self.key, self.transfer, i, salt, out)
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKeys(…)")
    }
}

/// `Cobblestone-256(K_i, "agentdrop/v2 file\0" ‖ transfer id ‖ u32be i)`; what it begins with goes to `out`.
pub(crate) fn begin(
    key: &FileKey,
    transfer: TransferId,
    i: u32,
    salt: FileSalt,
    out: &mut Vec<u8>,
) -> FileSealer {
    let context = file_context(transfer.as_bytes(), i);
    let (sealer, begin) = Sealer::salted(&key.file(i), &context, salt.0);
    out.extend_from_slice(&begin);
    let mut digest = Context::new(&SHA256);
    digest.update(&begin);
    FileSealer {
        sealer,
        digest,
        size: 0,
        sealed_size: begin.len() as u64,
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

impl FileSealer {
    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let begin = out.len();
        self.sealer.update(plaintext, out)?;
        self.size += plaintext.len() as u64;
        self.count(out.get(begin..).unwrap_or_default());
        Ok(())
    }

    /// Ends the file: appends its last chunk, without which it does not open, and answers what it is.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<Sealed, SealError> {
        let Self {
            sealer,
            mut digest,
            size,
            sealed_size,
        } = self;
        let begin = out.len();
        sealer.finish(out)?;
        let end = out.get(begin..).unwrap_or_default();
        digest.update(end);
        let mut sealed_sha256 = [0; 32];
        sealed_sha256.copy_from_slice(digest.finish().as_ref());
        Ok(Sealed {
            size,
            sealed_size: sealed_size + end.len() as u64,
            sealed_sha256,
        })
    }

    fn count(&mut self, sealed: &[u8]) {
        self.digest.update(sealed);
        self.sealed_size += sealed.len() as u64;
    }
}

impl FileTail {
    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        Ok(self.0.update(plaintext, out)?)
    }

    /// Ends the file: appends its last chunk, without which it does not open, to `out`.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), SealError> {
        Ok(self.0.finish(out)?)
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
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl From<TooLong> for SealError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}
