//! A person's receive key, wrapped with their receive password.
//!
//! The server keeps it wrapped, so that the person can open their files wherever they are. Who has the wrapped key can try
//! passwords at their own speed: the iterations make each try slow, and only a good password makes them hopeless.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce as AeadNonce, UnboundKey};
use aws_lc_rs::pbkdf2;

use crate::{
    Nonce, OpenError, SealError, SecretKey, TAG_BYTES, random::random_bytes, secret::Secret,
};

/// Bytes of the salt.
pub const SALT_BYTES: usize = 16;
/// Bytes of the wrapped key: 32 and the tag.
pub const WRAPPED_BYTES: usize = 32 + TAG_BYTES;
/// Iterations of PBKDF2 for a key that is wrapped today: what OWASP's Password Storage Cheat Sheet asks at least.
pub const ITERATIONS: u32 = 600_000;
/// Most iterations that are worked for: a hostile server could else keep the reader busy for hours.
pub const MAX_ITERATIONS: u32 = 10_000_000;

const AAD: &[u8] = b"agentdrop/receive-password/v1";

/// A receive key that opens with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappedReceiveKey {
    /// How often PBKDF2-HMAC-SHA256 (RFC 8018 §5.2) is iterated.
    pub iterations: u32,
    /// What makes the same password another key.
    pub salt: [u8; SALT_BYTES],
    /// The nonce of AES-256-GCM.
    pub nonce: Nonce,
    /// `ciphertext ‖ tag`.
    pub ciphertext: [u8; WRAPPED_BYTES],
}

impl WrappedReceiveKey {
    /// `AES-256-GCM(PBKDF2-HMAC-SHA256(password, salt, iterations, 32), nonce, key, "agentdrop/receive-password/v1")`.
    ///
    /// `password` is UTF-8 in NFC, so that every keyboard gives the same bytes.
    pub fn wrap(key: &SecretKey, password: &str) -> Result<Self, SealError> {
        let (salt, nonce) = (random_bytes()?, Nonce::generate()?);
        let aead = wrapping_key(password, &salt, ITERATIONS).ok_or(SealError::Library)?;
        let (mut ciphertext, aad) = ([0; WRAPPED_BYTES], Aad::from(AAD));
        let (place, tag_place) = ciphertext.split_at_mut(32);
        place.copy_from_slice(key.expose_secret());
        let tag = aead.seal_in_place_separate_tag(
            AeadNonce::assume_unique_for_key(*nonce.as_bytes()),
            aad,
            place,
        );
        tag_place.copy_from_slice(tag.map_err(|_| SealError::Library)?.as_ref());
        Ok(Self {
            iterations: ITERATIONS,
            salt,
            nonce,
            ciphertext,
        })
    }

    /// Opens the key, if this is the password.
    ///
    /// It takes as long as the iterations say. Fewer than [`ITERATIONS`] are refused: whoever asks for them wants the
    /// password to be cheap to try.
    pub fn open(&self, password: &str) -> Result<SecretKey, OpenError> {
        if !(ITERATIONS..=MAX_ITERATIONS).contains(&self.iterations) {
            return Err(OpenError::Refused);
        }
        let aead = wrapping_key(password, &self.salt, self.iterations).ok_or(OpenError::Refused)?;
        let mut opened = zeroize::Zeroizing::new(self.ciphertext);
        let nonce = AeadNonce::assume_unique_for_key(*self.nonce.as_bytes());
        let key = aead.open_in_place(nonce, Aad::from(AAD), opened.as_mut_slice());
        let key = key.map_err(|_| OpenError::Refused)?;
        SecretKey::take(key).map_err(|_| OpenError::Refused)
    }
}

fn wrapping_key(password: &str, salt: &[u8], iterations: u32) -> Option<LessSafeKey> {
    let iterations = NonZeroU32::new(iterations)?;
    let derived = Secret::fill(|out| {
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            salt,
            password.as_bytes(),
            out,
        );
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(derived) = derived;
    let key = UnboundKey::new(&AES_256_GCM, derived.expose()).ok()?;
    Some(LessSafeKey::new(key))
}
