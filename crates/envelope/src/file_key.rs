//! The key of an envelope, and what is derived from it: every label in one place.

use std::fmt;

use agentdrop_cobblestone::Key;
use aws_lc_rs::digest::{SHA512, SHA512_OUTPUT_LEN, digest};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::FileHasher;

const MANIFEST_KEY: &[u8] = b"agentdrop/v2 km\0";
const FILE_KEY: &[u8] = b"agentdrop/v2 kf\0";
const DIGEST_KEY: &[u8] = b"agentdrop/v2 kd\0";
const MANIFEST: &[u8] = b"agentdrop/v2 manifest\0";
const FILE: &[u8] = b"agentdrop/v2 file\0";

/// The key of one envelope: whoever has it opens all of it.
#[derive(ZeroizeOnDrop)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// Takes over the bytes of a key, and erases them where they came from.
    pub fn take(bytes: &mut [u8; 32]) -> Self {
        let key = Self(*bytes);
        bytes.zeroize();
        key
    }

    /// The 32 bytes, to be wrapped for a recipient.
    pub const fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// `HKDF-Expand-SHA512(FK, "agentdrop/v2 km\0", 32)`.
    pub(crate) fn manifest(&self) -> Key {
        Key::take(&mut self.derive(&[MANIFEST_KEY]))
    }

    /// The key of file `i`, from 1: `HKDF-Expand-SHA512(FK, "agentdrop/v2 kf\0" ‖ u32be i, 32)`.
    pub fn file(&self, i: u32) -> Key {
        Key::take(&mut self.derive(&[FILE_KEY, &i.to_be_bytes()]))
    }

    /// Begins the digest of file `i`, from 1, under `HKDF-Expand-SHA512(FK, "agentdrop/v2 kd\0" ‖ u32be i, 32)`.
    pub fn hasher(&self, i: u32) -> FileHasher {
        FileHasher::new(&self.derive(&[DIGEST_KEY, &i.to_be_bytes()]))
    }

    fn derive(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        Prk::new_less_safe(HKDF_SHA512, &self.0)
            .expand(info, Length)
            .and_then(|it| it.fill(&mut *out))
            .expect("32 bytes are one block of SHA-512");
        out
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

/// What the stream of the manifest is: `"agentdrop/v2 manifest\0" ‖ SHA-512(all bytes before)`.
pub(crate) fn manifest_context(before: &[u8]) -> Vec<u8> {
    let mut context = Vec::with_capacity(MANIFEST.len() + SHA512_OUTPUT_LEN);
    context.extend_from_slice(MANIFEST);
    context.extend_from_slice(digest(&SHA512, before).as_ref());
    context
}

/// What the stream of file `i` is: `"agentdrop/v2 file\0" ‖ transfer id ‖ u32be i`.
pub fn file_context(transfer: &[u8; 16], i: u32) -> Vec<u8> {
    [FILE, transfer, &i.to_be_bytes()].concat()
}
