//! What the formats are, what they refuse, and that the published client agrees.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod differential;
mod fuzzed;
mod hpke;
mod native;
mod part_mac;
mod person;
mod person_forged;
mod python;
mod receive_password;
mod refusals;
mod second_native;
mod shown;
mod stream;
mod vectors;
mod wycheproof;

use std::io::Cursor;

use agentdrop_seal::{
    ContentKey, FileSealer, Nonce, OpenError, PublicKey, SealedFile, SecretKey, compat::human,
};

/// The private key of the published vectors whose bytes count up from `first`.
fn counting_key(first: u8) -> SecretKey {
    SecretKey::take(&mut counting::<32>(first)).unwrap()
}

fn counting<const N: usize>(first: u8) -> [u8; N] {
    (first..).take(N).collect::<Vec<u8>>().try_into().unwrap()
}

fn content_key(byte: u8) -> ContentKey {
    ContentKey::take(&mut [byte; 32]).unwrap()
}

fn public_key(bytes: &[u8]) -> PublicKey {
    PublicKey::try_from(bytes).unwrap()
}

/// Bytes that look like chance and are the same in every run (`SplitMix64`).
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    });
    let mut bytes: Vec<u8> = words.take(len.div_ceil(8)).flatten().collect();
    bytes.truncate(len);
    bytes
}

fn seal(key: &ContentKey, nonce: Nonce, plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let written = FileSealer::again(key, nonce)
        .unwrap()
        .seal_to(plaintext, &mut sealed)
        .unwrap();
    assert_eq!(written, sealed.len() as u64);
    sealed
}

/// Opens into a sink that a refusal must leave empty.
fn open(key: &ContentKey, nonce: Nonce, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    finish(SealedFile::new(Cursor::new(sealed), nonce), key)
}

fn open_for_human(key: &ContentKey, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    finish(human::sealed_file(Cursor::new(sealed)), key)
}

fn finish(
    file: Result<SealedFile<Cursor<&[u8]>>, OpenError>,
    key: &ContentKey,
) -> Result<Vec<u8>, OpenError> {
    // The sink is first touched by a `VerifiedFile`: a refusal before leaves nothing that could have been written.
    let verified = file?.verify(key)?;
    let mut opened = Vec::new();
    let announced = verified.plaintext_bytes();
    let written = verified
        .open_to(&mut opened)
        .expect("what was verified opens");
    assert_eq!(
        (announced, written),
        (opened.len() as u64, opened.len() as u64)
    );
    Ok(opened)
}
