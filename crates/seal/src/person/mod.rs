//! From whoever has our client to a person who has a receive password: files of any size, with what they are called hidden.
//!
//! ```text
//! K = HKDF-SHA256(ikm = X25519(ephemeral, receive key), salt, info = "agentdrop/v2 a2h", 32)
//! object 0 = header without stanzas ‖ sealed manifest, and object i = file i, from 1, as in the native envelope with K as FK
//! ```
//!
//! On the wire: `encrypted_key` is the public half of the ephemeral key, `encryption_salt` the salt; object 0 is the first
//! file, called `envelope`. The server makes the same where it kept files until a person had a key.
//!
//! A sender does not know who a person is beyond their key: the recipient's id is zeros, or, where the server made it, the
//! account. What counts is the fingerprint: SHA-256 of the public receive key.

mod incoming;
mod outgoing;

pub use agentdrop_envelope::{File, MAX_MANIFEST_BYTES, Manifest, Padding, Policy};
pub use incoming::Incoming;
pub use outgoing::{About, Outgoing};

pub use crate::files::{FileKeys, FileOpening, FileSalt, FileSealer, Sealed};

use agentdrop_envelope::FileKey;
use aws_lc_rs::digest::{SHA256, digest};

use crate::kdf::{Label, derive};
use crate::{PublicKey, Salt, SecretKey, UnusableKey};

/// The name on the wire.
pub const ALGORITHM: &str = "AGENTDROP-2-A2H";
/// What object 0 is called.
pub const ENVELOPE: &str = "envelope";
/// The most bytes that object 0 can have.
pub const MAX_ENVELOPE_BYTES: u64 =
    (agentdrop_envelope::Header::FIXED_BYTES + 4 + MAX_MANIFEST_BYTES) as u64;

/// How many bytes a file of `plaintext` bytes has, sealed; `None` if it is too long.
pub const fn sealed_len(plaintext: u64) -> Option<u64> {
    Padding::None.sealed_len(plaintext)
}

/// `HKDF-SHA256(ikm = X25519(mine, peer), salt, info = "agentdrop/v2 a2h", 32)`, RFC 7748 §6.1 and RFC 5869 §2.
fn file_key(mine: &SecretKey, peer: &PublicKey, salt: &Salt) -> Result<FileKey, UnusableKey> {
    let shared = mine.agree(peer)?;
    let mut key = *derive(&shared, Some(salt), Label::Person).expose();
    Ok(FileKey::take(&mut key))
}

/// SHA-256 of a public receive key.
fn fingerprint(key: &PublicKey) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    fingerprint
}
