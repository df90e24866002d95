//! What bytes are told apart by.

use aws_lc_rs::digest::{SHA256, digest};

/// SHA-256 (FIPS 180-4 §6.2).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
