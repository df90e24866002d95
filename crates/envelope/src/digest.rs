//! What the manifest knows the contents of a file by.

use std::fmt;

use zeroize::ZeroizeOnDrop;

/// Makes the digest of one file as it comes: BLAKE3 in its keyed mode (§2.3 of its paper) of the plaintext, without padding.
///
/// Nobody finds two contents with one digest, not even who has the key, as all recipients do: so what a sender signed is one
/// content for all of them. Without the key nobody can tell whether a digest is that of a content they guess; nor can they
/// guess a manifest, whose hash the server sees in receipts.
///
/// It is fastest where all pieces but the last have a power of two of bytes, 16 KiB at least.
#[derive(ZeroizeOnDrop)]
pub struct FileHasher(blake3::Hasher);

impl FileHasher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(blake3::Hasher::new_keyed(key))
    }

    /// Takes the next bytes of the file in.
    pub fn update(&mut self, plaintext: &[u8]) {
        self.0.update(plaintext);
    }

    /// How many bytes it took in.
    pub fn size(&self) -> u64 {
        self.0.count()
    }

    /// The digest of what was taken in.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

impl fmt::Debug for FileHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileHasher(…)")
    }
}
