//! What signs the addresses of files, which work without an API key.

use std::fmt;

use agentdrop_protocol::{DownloadId, FileId, Timestamp, TransferId};
use aws_lc_rs::hmac;

use super::ServerKey;

/// The length of what signs an address, in bytes.
const SIGNATURE: usize = 32;

/// What makes the address of a file work without an API key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UrlSignature(pub(crate) [u8; SIGNATURE]);

impl ServerKey {
    /// `HMAC-SHA256(url key, download id ‖ file id ‖ expiry in milliseconds, big-endian)`.
    pub(crate) fn sign_url(
        &self,
        download: DownloadId,
        file: FileId,
        expires_at: Timestamp,
    ) -> UrlSignature {
        sign(&self.url, &signed_bytes(download, file, expires_at))
    }

    /// Whether [`ServerKey::sign_url`] made this signature; takes the same time either way.
    pub(crate) fn verifies_url(
        &self,
        download: DownloadId,
        file: FileId,
        expires_at: Timestamp,
        signature: UrlSignature,
    ) -> bool {
        hmac::verify(
            &self.url,
            &signed_bytes(download, file, expires_at),
            &signature.0,
        )
        .is_ok()
    }

    /// `HMAC-SHA256(upload url key, transfer id ‖ file id ‖ part, big-endian ‖ expiry in
    /// milliseconds, big-endian)`.
    pub(crate) fn sign_upload_url(
        &self,
        transfer: TransferId,
        file: FileId,
        part: u32,
        expires_at: Timestamp,
    ) -> UrlSignature {
        sign(
            &self.upload_url,
            &upload_bytes(transfer, file, part, expires_at),
        )
    }

    /// Whether [`ServerKey::sign_upload_url`] made this signature; takes the same time either way.
    pub(crate) fn verifies_upload_url(
        &self,
        transfer: TransferId,
        file: FileId,
        part: u32,
        expires_at: Timestamp,
        signature: UrlSignature,
    ) -> bool {
        let signed = upload_bytes(transfer, file, part, expires_at);
        hmac::verify(&self.upload_url, &signed, &signature.0).is_ok()
    }
}

fn sign(key: &hmac::Key, bytes: &[u8]) -> UrlSignature {
    let tag = hmac::sign(key, bytes);
    let mut signature = [0; SIGNATURE];
    signature.copy_from_slice(tag.as_ref());
    UrlSignature(signature)
}

fn signed_bytes(download: DownloadId, file: FileId, expires_at: Timestamp) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..16].copy_from_slice(download.as_bytes());
    bytes[16..32].copy_from_slice(file.as_bytes());
    bytes[32..].copy_from_slice(&expires_at.as_millis().to_be_bytes());
    bytes
}

fn upload_bytes(transfer: TransferId, file: FileId, part: u32, expires_at: Timestamp) -> [u8; 44] {
    let mut bytes = [0; 44];
    bytes[..16].copy_from_slice(transfer.as_bytes());
    bytes[16..32].copy_from_slice(file.as_bytes());
    bytes[32..36].copy_from_slice(&part.to_be_bytes());
    bytes[36..].copy_from_slice(&expires_at.as_millis().to_be_bytes());
    bytes
}

impl fmt::Debug for UrlSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlSignature")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1);

    #[test]
    fn a_signature_is_for_one_file_of_one_grant_until_one_time() {
        let server = ServerKey::new(&[1; 32]);
        let (download, file) = (DownloadId::new(NOW, [1; 10]), FileId::new(NOW, [2; 10]));
        let signature = server.sign_url(download, file, NOW);
        assert!(server.verifies_url(download, file, NOW, signature));
        let (later, other) = (Timestamp::from_millis(2), FileId::new(NOW, [3; 10]));
        assert!(!server.verifies_url(download, file, later, signature));
        assert!(!server.verifies_url(download, other, NOW, signature));
        assert!(!server.verifies_url(DownloadId::new(NOW, [9; 10]), file, NOW, signature));
        assert!(!ServerKey::new(&[2; 32]).verifies_url(download, file, NOW, signature));
    }

    #[test]
    fn a_signature_is_for_one_part_of_one_file_until_one_time() {
        let server = ServerKey::new(&[1; 32]);
        let (transfer, file) = (TransferId::new(NOW, [1; 10]), FileId::new(NOW, [2; 10]));
        let signature = server.sign_upload_url(transfer, file, 1, NOW);
        let is = |transfer, file, part, until| {
            server.verifies_upload_url(transfer, file, part, until, signature)
        };
        assert!(is(transfer, file, 1, NOW));
        let (later, other) = (Timestamp::from_millis(2), FileId::new(NOW, [3; 10]));
        assert!(!is(transfer, file, 2, NOW));
        assert!(!is(transfer, file, 1, later));
        assert!(!is(transfer, other, 1, NOW));
        assert!(!is(TransferId::new(NOW, [9; 10]), file, 1, NOW));
        let foreign = ServerKey::new(&[2; 32]);
        assert!(!foreign.verifies_upload_url(transfer, file, 1, NOW, signature));
    }
}
