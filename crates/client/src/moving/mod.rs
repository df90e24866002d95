//! An identity on its way to another machine: all that an agent keeps, encrypted as age does, so that
//! other tools open it too.
//!
//! It moves and is not copied: two machines that use one identity give the same numbers to what they
//! send, and erase keys that the other still needs.

mod pack;
#[cfg(test)]
mod tests;
mod unpack;

use std::fmt;
use std::path::Path;

use age::secrecy::SecretString;
use age::{scrypt, x25519};
use zeroize::Zeroizing;

use crate::error::{MovingError, Result};
use crate::identity::Identity;

/// Names in the folder of an identity that move with it. What a person is signed in as does not, nor what
/// is being uploaded.
const FILES: [&str; 5] = [
    "config.json",
    "keys.json",
    "prekeys.json",
    "known_agents.json",
    "sequence.json",
];
/// Folders of such files.
const FOLDERS: [&str; 2] = ["received", "sent"];
/// The largest that any of them becomes.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// The largest that is opened: some ten thousand senders.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// For whom an exported identity is encrypted, or by whom it is opened.
pub struct MovingKey(Kind);

impl fmt::Debug for MovingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MovingKey(…)")
    }
}

enum Kind {
    Recipient(x25519::Recipient),
    Identity(x25519::Identity),
    Passphrase(SecretString),
}

impl MovingKey {
    /// A recipient of age, `age1…`.
    pub fn recipient(text: &str) -> Result<Self> {
        let parsed = text.trim().parse::<x25519::Recipient>();
        let recipient = parsed.map_err(|it| MovingError::Recipient(it.to_owned()))?;
        Ok(Self(Kind::Recipient(recipient)))
    }

    /// The secret key in a file as `age-keygen` writes it.
    pub fn key_file(text: &str) -> Result<Self> {
        // Beside it are comments, which are no keys.
        let mut lines = text.lines().map(str::trim);
        let key = lines.find_map(|it| it.parse::<x25519::Identity>().ok());
        Ok(Self(Kind::Identity(key.ok_or(MovingError::NoKey)?)))
    }

    /// A passphrase, which somebody made up.
    pub fn passphrase(text: &str) -> Self {
        Self(Kind::Passphrase(SecretString::from(text.to_owned())))
    }

    fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let sealed = match &self.0 {
            Kind::Recipient(it) => age::encrypt(it, plaintext),
            Kind::Identity(it) => age::encrypt(&it.to_public(), plaintext),
            Kind::Passphrase(it) => age::encrypt(&scrypt::Recipient::new(it.clone()), plaintext),
        };
        Ok(sealed.map_err(|it| MovingError::Recipient(it.to_string()))?)
    }

    fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        if sealed.len() > MAX_BYTES {
            return Err(MovingError::Malformed("it is too large".to_owned()).into());
        }
        let opened = match &self.0 {
            Kind::Identity(it) => age::decrypt(it, sealed),
            Kind::Passphrase(it) => age::decrypt(&scrypt::Identity::new(it.clone()), sealed),
            Kind::Recipient(_) => return Err(MovingError::NoKey.into()),
        };
        Ok(opened
            .map(Zeroizing::new)
            .map_err(|_| MovingError::NotOpened)?)
    }
}

impl Identity {
    /// All that the agent in `folder` keeps, encrypted. Nothing of it is changed.
    pub fn export(folder: &Path, key: &MovingKey) -> Result<Vec<u8>> {
        // What does not belong together here is not worth taking along.
        Self::load(folder)?;
        key.seal(&pack::pack(folder)?)
    }

    /// Puts an exported identity into `folder`, where nothing may be yet: whole, or not at all.
    pub fn import(folder: &Path, exported: &[u8], key: &MovingKey) -> Result<Self> {
        unpack::unpack(folder, &key.open(exported)?)?;
        Self::load(folder)
    }
}
