//! From agent to agent without a channel, and from a person's browser to an agent: a random key, wrapped for the recipient.
//!
//! On the wire: `encrypted_key`, the [`WrappedKey`], and a nonce for each file. A file is `ciphertext ‖ tag`.
//! A browser has no key of its own: it draws one for the transfer and sends the public half as `sender_public_key`.

use std::fmt;

use crate::{
    ContentKey, Nonce, OpenError, ParseError, PublicKey, SealError, SecretKey, UnusableKey,
    gcm::{Opener, Sealer, TAG_BYTES},
    kdf::{Label, derive},
    salt::sized,
    secret::Secret,
};

/// The name on the wire.
pub const ALGORITHM: &str = "X25519-HKDF-AES-256-GCM";

/// `nonce (12) ‖ AES-256-GCM(wrapping key, nonce, content key) (32) ‖ tag (16)`: the field `encrypted_key`, 60 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WrappedKey([u8; Self::BYTES]);

impl WrappedKey {
    /// How many bytes a wrapped key has.
    pub const BYTES: usize = 60;

    /// Answers the wrapped key that was sent along.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Answers the 60 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl TryFrom<&[u8]> for WrappedKey {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        sized("a wrapped key", bytes).map(Self)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(…)")
    }
}

/// Wraps `key` for `recipient`.
pub fn wrap(
    key: &ContentKey,
    sender: &SecretKey,
    recipient: &PublicKey,
) -> Result<WrappedKey, SealError> {
    // Two agents have one wrapping key for ever, so the nonce is drawn here and cannot be passed in.
    wrap_with(key, &wrapping_key(sender, recipient)?, &Nonce::generate()?)
}

fn wrap_with(key: &ContentKey, wrapping: &Secret, nonce: &Nonce) -> Result<WrappedKey, SealError> {
    let mut wrapped = [0; WrappedKey::BYTES];
    let (head, rest) = wrapped.split_at_mut(nonce.as_bytes().len());
    let (middle, tail) = rest.split_at_mut(rest.len() - TAG_BYTES);
    head.copy_from_slice(nonce.as_bytes());
    let mut sealer = Sealer::new(wrapping, nonce)?;
    middle.copy_from_slice(key.expose_secret());
    sealer.update(middle)?;
    tail.copy_from_slice(&sealer.finish()?);
    Ok(WrappedKey(wrapped))
}

/// Unwraps a content key that `sender` wrapped for `recipient`.
///
/// `sender` is the key that was pinned for the sending agent, or, where a person sent it, what came as `sender_public_key`.
pub fn unwrap(
    wrapped: &WrappedKey,
    recipient: &SecretKey,
    sender: &PublicKey,
) -> Result<ContentKey, OpenError> {
    let parts = wrapped.0.split_first_chunk().and_then(|(nonce, rest)| {
        rest.split_last_chunk()
            .map(|(sealed, tag)| (Nonce::from_bytes(*nonce), sealed, tag))
    });
    let (nonce, sealed, tag) = parts.ok_or(OpenError::Refused)?;
    let mut opener = Opener::new(&wrapping_key(recipient, sender)?, &nonce)?;
    let key = Secret::fill(|out| {
        out.copy_from_slice(sealed);
        opener.update(out)
    })?;
    opener.finish(tag)?;
    Ok(ContentKey::new(key))
}

/// `HKDF-SHA256(ikm = X25519(mine, peer), no salt, info = "agentdrop-file-transfer-v1", 32)`.
fn wrapping_key(mine: &SecretKey, peer: &PublicKey) -> Result<Secret, UnusableKey> {
    Ok(derive(&mine.agree(peer)?, None, Label::Wrap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapping_key_is_the_published_one() {
        let a = SecretKey::take(&mut (0x01..=0x20).collect::<Vec<u8>>()).unwrap();
        let b = SecretKey::take(&mut (0x21..=0x40).collect::<Vec<u8>>()).unwrap();
        let expected = "a6ab5d60cf557b23e07dae319c17f9c6e592eeb1c2056731a967ab19cfae3130";
        let key = wrapping_key(&a, &b.public_key()).unwrap();
        assert_eq!(hex::encode(key.expose()), expected);
        let key = wrapping_key(&b, &a.public_key()).unwrap();
        assert_eq!(hex::encode(key.expose()), expected);
    }
}
