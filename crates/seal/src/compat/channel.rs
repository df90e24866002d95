//! From agent to agent over a channel: the key follows from both agents' keys and a salt, and is not sent.
//!
//! On the wire: `channel_id`, `encryption_salt`, and `encryption_ivs`, a nonce for each file in the order of `files`.
//! A file is `ciphertext ‖ tag`.

use crate::{
    ContentKey, PublicKey, Salt, SecretKey, UnusableKey,
    kdf::{Label, derive},
};

/// The name on the wire.
pub const ALGORITHM: &str = "X25519-CHANNEL-HKDF-AES-256-GCM";

/// `HKDF-SHA256(ikm = X25519(mine, peer), salt, info = "agentdrop-transfer-v1", 32)`.
///
/// Both agents arrive at the same key: RFC 7748 §6.1, RFC 5869 §2. The salt is drawn anew for every transfer.
pub fn content_key(
    mine: &SecretKey,
    peer: &PublicKey,
    salt: &Salt,
) -> Result<ContentKey, UnusableKey> {
    let shared = mine.agree(peer)?;
    Ok(ContentKey::new(derive(&shared, Some(salt), Label::Channel)))
}
