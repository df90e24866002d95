//! The server key, and what is derived from it at once.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use agentdrop_protocol::MailId;

use super::gcm::{NONCE, open, seal_with};
use super::{AtRestError, derive, label};
use crate::clock::random;

/// What every transfer's key is wrapped with, and what signs the addresses of files.
///
/// It lies in `server.key` in the data directory. Losing it loses what the server encrypted.
pub(crate) struct ServerKey {
    answers: Zeroizing<[u8; 32]>,
    attempts: Zeroizing<[u8; 32]>,
    fingerprint: [u8; 32],
    pub(super) wrap: Zeroizing<[u8; 32]>,
    mail: Zeroizing<[u8; 32]>,
    pub(super) upload_url: hmac::Key,
    pub(super) url: hmac::Key,
}

/// The chance that a mail is encrypted with; for one mail, once.
pub(crate) struct MailNonce(pub(crate) [u8; NONCE]);

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

#[cfg(test)]
mod tests {
    use agentdrop_protocol::Timestamp;

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
}
