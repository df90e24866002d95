//! AES-256-GCM, with the nonce before and the tag behind.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::AtRestError;
use crate::clock::{NoChance, random};

/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;

pub(super) fn aes(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes"))
}

pub(super) fn seal(key: &[u8; 32], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, NoChance> {
    seal_with(random()?, key, aad, plaintext).map_err(|_| NoChance)
}

pub(super) fn seal_with(
    nonce: [u8; NONCE],
    key: &[u8; 32],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, AtRestError> {
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(plaintext);
    let tag = aes(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut sealed[NONCE..],
        )
        .map_err(|_| AtRestError)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

pub(super) fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or(AtRestError)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| AtRestError)?;
    let mut text = ciphertext.to_vec();
    let length = aes(key)
        .open_in_place(nonce, Aad::from(aad), &mut text)
        .map_err(|_| AtRestError)?
        .len();
    text.truncate(length);
    Ok(text)
}
