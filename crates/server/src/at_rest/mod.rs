//! What the server encrypts itself before it stores it.
//!
//! File names, messages and metadata always, and the bytes of files that their sender did not
//! encrypt. Each transfer has a random key of its own, stored wrapped with the server key, which
//! lies in a file beside the database: a copy of the database or of the blobs alone tells nothing.
//! This is no end-to-end encryption. Nothing in here can open what agents seal for each other.

mod answer;
mod details;
mod file;
mod for_person;
mod gcm;
mod server_key;
mod transfer_key;
mod url_signature;

pub(crate) use answer::AnswerKey;
pub(crate) use details::{Details, FileDetails};
pub(crate) use file::{CHUNK, FileOpener, FileSealer, SEALED_CHUNK, sealed_len};
pub(crate) use for_person::ForPerson;
pub(crate) use server_key::{MailNonce, ServerKey};
pub(crate) use transfer_key::TransferKey;
pub(crate) use url_signature::UrlSignature;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

/// The bytes at rest are not what was stored, or the server key is another.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("stored bytes cannot be decrypted: they were changed, or the server key is another one")]
pub(crate) struct AtRestError;

/// Every label that a key is derived with.
mod label {
    pub(super) const ANSWER: &[u8] = b"agentdrop/at-rest/v1 answer";
    pub(super) const ANSWERS: &[u8] = b"agentdrop/at-rest/v1 answers";
    pub(super) const ATTEMPTS: &[u8] = b"agentdrop/at-rest/v1 attempts";
    pub(super) const DETAILS: &[u8] = b"agentdrop/at-rest/v1 details";
    pub(super) const FILE: &[u8] = b"agentdrop/at-rest/v1 file";
    pub(super) const FINGERPRINT: &[u8] = b"agentdrop/at-rest/v1 fingerprint";
    pub(super) const MAIL: &[u8] = b"agentdrop/at-rest/v1 mail";
    pub(super) const PART: &[u8] = b"agentdrop/at-rest/v1 part";
    pub(super) const UPLOAD_URL: &[u8] = b"agentdrop/at-rest/v1 upload url";
    pub(super) const URL: &[u8] = b"agentdrop/at-rest/v1 url";
    pub(super) const WRAP: &[u8] = b"agentdrop/at-rest/v1 wrap";
}

struct Key32;

impl KeyType for Key32 {
    fn len(&self) -> usize {
        32
    }
}

/// `HKDF-SHA256(ikm = key, salt = none, info = label ‖ context)`, 32 bytes (RFC 5869).
fn derive(key: &[u8; 32], label: &[u8], context: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, &[])
        .extract(key)
        .expand(&[label, context], Key32)
        .and_then(|okm| okm.fill(&mut derived[..]))
        .expect("32 bytes are fewer than HKDF gives");
    derived
}
