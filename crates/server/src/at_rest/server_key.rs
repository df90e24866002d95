//! The server key, and the keys under it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use agentdrop_protocol::{DownloadId, FileId, MailId, PartTag, Timestamp, TransferId};

use super::{AtRestError, derive, label};
use crate::clock::{NoChance, random};

/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;
/// The length of what signs an address, in bytes.
const SIGNATURE: usize = 32;

/// What every transfer's key is wrapped with, and what signs the addresses of files.
///
/// It lies in `server.key` in the data directory. Losing it loses what the server encrypted.
pub(crate) struct ServerKey {
    answers: Zeroizing<[u8; 32]>,
    attempts: Zeroizing<[u8; 32]>,
    fingerprint: [u8; 32],
    wrap: Zeroizing<[u8; 32]>,
    mail: Zeroizing<[u8; 32]>,
    upload_url: hmac::Key,
    url: hmac::Key,
}

/// The key of one transfer, for what its sender did not encrypt.
pub(crate) struct TransferKey(Zeroizing<[u8; 32]>);

/// The chance that a mail is encrypted with; for one mail, once.
pub(crate) struct MailNonce(pub(crate) [u8; NONCE]);

/// What makes the address of a file work without an API key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UrlSignature(pub(crate) [u8; SIGNATURE]);

impl ServerKey {
    /// Reads the key at `path`, if there is one.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let (mut secret, mut rest) = (Zeroizing::new([0; 32]), [0; 1]);
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.read_exact(&mut secret[..])?;
        if file.read(&mut rest)? != 0 {
            return Err(io::Error::other("is longer than a key"));
        }
        Ok(Some(Self::new(&secret)))
    }

    /// Reads the key at `path`; makes it on the first start.
    pub(crate) fn open_or_make(path: &Path) -> io::Result<Self> {
        if let Some(key) = Self::open(path)? {
            return Ok(key);
        }
        let secret = Zeroizing::new(random().map_err(io::Error::other)?);
        write_new(path, &secret[..])?;
        Ok(Self::new(&secret))
    }

    /// The key made of these bytes.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let url = derive(secret, label::URL, &[]);
        let upload_url = derive(secret, label::UPLOAD_URL, &[]);
        Self {
            answers: derive(secret, label::ANSWERS, &[]),
            fingerprint: *derive(secret, label::FINGERPRINT, &[]),
            attempts: derive(secret, label::ATTEMPTS, &[]),
            wrap: derive(secret, label::WRAP, &[]),
            mail: derive(secret, label::MAIL, &[]),
            upload_url: hmac::Key::new(hmac::HMAC_SHA256, &upload_url[..]),
            url: hmac::Key::new(hmac::HMAC_SHA256, &url[..]),
        }
    }

    /// What tells it from another key, and nothing of it.
    pub(crate) const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The name under which tries of something by somebody are counted; it tells of neither.
    pub(crate) fn attempts_name(&self, of: [&str; 3]) -> [u8; 32] {
        let mut context = Vec::new();
        for part in of {
            context.extend_from_slice(&(part.len() as u64).to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        *derive(&self.attempts, label::ATTEMPTS, &context)
    }

    /// The server's part of what answers are encrypted with.
    pub(super) fn answers(&self) -> &[u8; 32] {
        &self.answers
    }

    /// A new key for `transfer`, and the same key wrapped:
    /// `nonce(12) ‖ AES-256-GCM(wrap key, nonce, key, aad = transfer id) ‖ tag(16)`.
    pub(crate) fn new_transfer_key(
        &self,
        transfer: TransferId,
    ) -> Result<(TransferKey, Vec<u8>), NoChance> {
        let key = TransferKey(Zeroizing::new(random()?));
        let wrapped = self.wrap_transfer_key(transfer, &key)?;
        Ok((key, wrapped))
    }

    /// A key that was made before its transfer had this id, wrapped.
    pub(crate) fn wrap_transfer_key(
        &self,
        transfer: TransferId,
        key: &TransferKey,
    ) -> Result<Vec<u8>, NoChance> {
        seal(&self.wrap, transfer.as_bytes(), &key.0[..])
    }

    /// The key of `transfer`, from its wrapped form.
    pub(crate) fn transfer_key(
        &self,
        transfer: TransferId,
        wrapped: &[u8],
    ) -> Result<TransferKey, AtRestError> {
        let key = Zeroizing::new(open(&self.wrap, transfer.as_bytes(), wrapped)?);
        let key = <[u8; 32]>::try_from(&key[..]).map_err(|_| AtRestError)?;
        Ok(TransferKey(Zeroizing::new(key)))
    }

    /// Encrypts what a mail says: `nonce(12) ‖ AES-256-GCM(mail key, nonce, text, aad = mail id) ‖
    /// tag(16)`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whoever has used it has it no more"
    )]
    pub(crate) fn seal_mail(&self, mail: MailId, nonce: MailNonce, text: &[u8]) -> Vec<u8> {
        seal_with(nonce.0, &self.mail, mail.as_bytes(), text)
            .expect("a mail is shorter than AES-GCM allows")
    }

    /// Decrypts what [`ServerKey::seal_mail`] made.
    pub(crate) fn open_mail(&self, mail: MailId, sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
        open(&self.mail, mail.as_bytes(), sealed)
    }

    /// `HMAC-SHA256(url key, download id ‖ file id ‖ expiry in milliseconds, big-endian)`.
    pub(crate) fn sign_url(
        &self,
        download: DownloadId,
        file: FileId,
        expires_at: Timestamp,
    ) -> UrlSignature {
        sign(&self.url, &signed_bytes(download, file, expires_at))
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
}

impl TransferKey {
    /// Encrypts names and messages: `nonce(12) ‖ AES-256-GCM(details key, nonce, text) ‖ tag(16)`.
    pub(super) fn seal_details(&self, text: &[u8]) -> Result<Vec<u8>, NoChance> {
        seal(&derive(&self.0, label::DETAILS, &[]), &[], text)
    }

    /// Decrypts what [`TransferKey::seal_details`] made.
    pub(super) fn open_details(&self, sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
        open(&derive(&self.0, label::DETAILS, &[]), &[], sealed)
    }

    /// The key of the file at `position`.
    pub(super) fn file_key(&self, position: u32) -> Zeroizing<[u8; 32]> {
        derive(&self.0, label::FILE, &position.to_be_bytes())
    }

    /// The key of one try to upload a part.
    pub(super) fn part_key(&self, tag: PartTag) -> Zeroizing<[u8; 32]> {
        derive(&self.0, label::PART, tag.as_bytes())
    }
}

fn sign(key: &hmac::Key, bytes: &[u8]) -> UrlSignature {
    let tag = hmac::sign(key, bytes);
    let mut signature = [0; SIGNATURE];
    signature.copy_from_slice(tag.as_ref());
    UrlSignature(signature)
}

fn upload_bytes(transfer: TransferId, file: FileId, part: u32, expires_at: Timestamp) -> [u8; 44] {
    let mut bytes = [0; 44];
    bytes[..16].copy_from_slice(transfer.as_bytes());
    bytes[16..32].copy_from_slice(file.as_bytes());
    bytes[32..36].copy_from_slice(&part.to_be_bytes());
    bytes[36..].copy_from_slice(&expires_at.as_millis().to_be_bytes());
    bytes
}

fn signed_bytes(download: DownloadId, file: FileId, expires_at: Timestamp) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..16].copy_from_slice(download.as_bytes());
    bytes[16..32].copy_from_slice(file.as_bytes());
    bytes[32..].copy_from_slice(&expires_at.as_millis().to_be_bytes());
    bytes
}

pub(super) fn aes(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes"))
}

fn seal(key: &[u8; 32], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, NoChance> {
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

/// Writes a file that was not there, for its owner alone, so that it outlives a power cut.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey")
    }
}

impl fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferKey")
    }
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
    fn the_key_is_made_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        assert!(ServerKey::open(&path).unwrap().is_none());
        let made = ServerKey::open_or_make(&path).unwrap();
        let read = ServerKey::open_or_make(&path).unwrap();
        assert_eq!(*made.wrap, *read.wrap);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_wrapped_key_opens_for_its_transfer_alone() {
        let server = ServerKey::new(&[1; 32]);
        let transfer = TransferId::new(NOW, [1; 10]);
        let (key, wrapped) = server.new_transfer_key(transfer).unwrap();
        assert_eq!(*server.transfer_key(transfer, &wrapped).unwrap().0, *key.0);
        let other = TransferId::new(NOW, [2; 10]);
        assert!(server.transfer_key(other, &wrapped).is_err());
        assert!(
            ServerKey::new(&[2; 32])
                .transfer_key(transfer, &wrapped)
                .is_err()
        );
        for at in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[at] ^= 1;
            assert!(server.transfer_key(transfer, &bad).is_err());
            assert!(server.transfer_key(transfer, &wrapped[..at]).is_err());
        }
    }

    #[test]
    fn a_mail_opens_as_itself_alone() {
        let server = ServerKey::new(&[1; 32]);
        let mail = MailId::new(NOW, [1; 10]);
        let sealed = server.seal_mail(mail, MailNonce([7; 12]), b"a link");
        assert_eq!(server.open_mail(mail, &sealed).unwrap(), b"a link");
        let other = MailId::new(NOW, [2; 10]);
        assert!(server.open_mail(other, &sealed).is_err());
        assert!(ServerKey::new(&[2; 32]).open_mail(mail, &sealed).is_err());
        assert!(server.open_mail(mail, &sealed[..11]).is_err());
    }

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
