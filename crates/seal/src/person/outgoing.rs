//! Making an envelope for a person.

use std::fmt;

use agentdrop_cobblestone::{SALT_BYTES, Sealer, TooLong};
use agentdrop_envelope::{
    File, FileKey, Header, Manifest, Policy, Recipient, file_context, manifest_object,
};
use agentdrop_protocol::text::Message;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use aws_lc_rs::digest::{Context, SHA256};

use super::{file_key, fingerprint};
use crate::{PublicKey, Salt, SealError, SecretKey, random::random_bytes};

/// What a sender needs for one transfer to a person.
#[derive(Debug)]
pub struct Outgoing {
    key: FileKey,
    transfer: TransferId,
    recipient: PublicKey,
    /// The public half of the key drawn for this transfer; travels as `encrypted_key`.
    pub ephemeral: PublicKey,
    /// Travels as `encryption_salt`.
    pub salt: Salt,
}

/// What seals the files of one transfer, and nothing else: what is kept to resume an upload.
pub struct FileKeys {
    key: FileKey,
    transfer: TransferId,
}

/// What an envelope says beside its files.
#[derive(Clone, Debug)]
pub struct About {
    /// The agent that sends it, if one does.
    pub sender: Option<AgentId>,
    /// A message beside the files.
    pub message: Option<Message>,
    /// When it is made.
    pub created: Timestamp,
    /// Until when it may be opened.
    pub expires: Timestamp,
    /// What its sender wants of the server.
    pub policy: Policy,
}

/// What a file's stream begins with, drawn before it is sealed, so that it can be sealed twice: once to learn its digest,
/// which the envelope holds and which goes ahead of it, and once to be sent.
#[derive(Clone, Copy, Debug)]
pub struct FileSalt([u8; SALT_BYTES]);

/// Seals one file as it comes.
pub struct FileSealer {
    sealer: Sealer,
    digest: Context,
    size: u64,
    sealed_size: u64,
}

/// What was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of the plaintext.
    pub size: u64,
    /// Bytes of the stream.
    pub sealed_size: u64,
    /// SHA-256 of the stream.
    pub sealed_sha256: [u8; 32],
}

impl Outgoing {
    /// Draws what seals `transfer` for the person with the public receive key `recipient`.
    ///
    /// The private half of the drawn key is erased before this returns.
    pub fn generate(transfer: TransferId, recipient: &PublicKey) -> Result<Self, SealError> {
        let ephemeral = SecretKey::generate()?;
        let salt = Salt::generate()?;
        Self::with(transfer, recipient, &ephemeral, salt)
    }

    fn with(
        transfer: TransferId,
        recipient: &PublicKey,
        ephemeral: &SecretKey,
        salt: Salt,
    ) -> Result<Self, SealError> {
        Ok(Self {
            key: file_key(ephemeral, recipient, &salt)?,
            transfer,
            recipient: *recipient,
            ephemeral: ephemeral.public_key(),
            salt,
        })
    }

    /// Begins file `i`, from 1: `Cobblestone-256(K_i, "agentdrop/v2 file\0" ‖ transfer id ‖ u32be i)`.
    ///
    /// What its stream begins with goes to `out`. With one salt, **only one** file may ever leave this machine: of two that
    /// differ, whoever sees both learns their difference.
    pub fn file(&self, i: u32, salt: FileSalt, out: &mut Vec<u8>) -> FileSealer {
        begin(&self.key, self.transfer, i, salt, out)
    }

    /// What seals its files without what is needed to make the envelope.
    pub fn file_keys(&self) -> FileKeys {
        FileKeys::take(self.transfer, &mut self.key.expose_secret().clone())
    }

    /// Object 0, which tells of `files`, and goes before them.
    pub fn envelope(&self, about: About, files: Vec<File>) -> Result<Vec<u8>, SealError> {
        self.envelope_salted(about, files, random_bytes()?)
    }

    fn envelope_salted(
        &self,
        about: About,
        files: Vec<File>,
        salt: [u8; SALT_BYTES],
    ) -> Result<Vec<u8>, SealError> {
        let header = Header {
            transfer: *self.transfer.as_bytes(),
            prekeys: false,
            stanzas: vec![],
        };
        let manifest = Manifest {
            transfer: *self.transfer.as_bytes(),
            sender: about.sender,
            // No agent has an identity key to sign with.
            sender_fingerprint: [0; 32],
            recipients: vec![Recipient {
                id: [0; 16],
                fingerprint: fingerprint(&self.recipient),
            }],
            created: about.created,
            expires: about.expires,
            seq: 0,
            message: about.message,
            files,
            policy: about.policy,
        };
        let manifest = manifest.padded(&[0; 64]);
        manifest_object(&header, &self.key, &manifest, salt).map_err(|_| SealError::TooMuch)
    }
}

impl FileKeys {
    /// Takes over what was kept of `transfer`, and erases it where it came from.
    pub fn take(transfer: TransferId, key: &mut [u8; 32]) -> Self {
        Self {
            key: FileKey::take(key),
            transfer,
        }
    }

    /// The transfer whose files they seal.
    pub const fn transfer(&self) -> TransferId {
        self.transfer
    }

    /// Answers the secret bytes, to be kept where only their owner can read them.
    pub const fn expose_secret(&self) -> &[u8; 32] {
        self.key.expose_secret()
    }

    /// Begins a file, as [`Outgoing::file`] does, and with the same duty.
    pub fn file(&self, i: u32, salt: FileSalt, out: &mut Vec<u8>) -> FileSealer {
        begin(&self.key, self.transfer, i, salt, out)
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKeys(…)")
    }
}

fn begin(
    key: &FileKey,
    transfer: TransferId,
    i: u32,
    salt: FileSalt,
    out: &mut Vec<u8>,
) -> FileSealer {
    let context = file_context(transfer.as_bytes(), i);
    let (sealer, begin) = Sealer::salted(&key.file(i), &context, salt.0);
    out.extend_from_slice(&begin);
    let mut digest = Context::new(&SHA256);
    digest.update(&begin);
    FileSealer {
        sealer,
        digest,
        size: 0,
        sealed_size: begin.len() as u64,
    }
}

impl FileSalt {
    /// Draws a salt by chance: one a file.
    pub fn generate() -> Result<Self, SealError> {
        random_bytes().map(Self)
    }

    /// The salt that was drawn before.
    pub const fn from_bytes(bytes: [u8; SALT_BYTES]) -> Self {
        Self(bytes)
    }

    /// Answers its bytes.
    pub const fn as_bytes(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }
}

impl FileSealer {
    /// Takes plaintext in, and appends each chunk that is whole to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let begin = out.len();
        self.sealer.update(plaintext, out)?;
        self.size += plaintext.len() as u64;
        self.count(out.get(begin..).unwrap_or_default());
        Ok(())
    }

    /// Ends the file: appends its last chunk, without which it does not open, and answers what it is.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<Sealed, SealError> {
        let Self {
            sealer,
            mut digest,
            size,
            sealed_size,
        } = self;
        let begin = out.len();
        sealer.finish(out)?;
        let end = out.get(begin..).unwrap_or_default();
        digest.update(end);
        let mut sealed_sha256 = [0; 32];
        sealed_sha256.copy_from_slice(digest.finish().as_ref());
        Ok(Sealed {
            size,
            sealed_size: sealed_size + end.len() as u64,
            sealed_sha256,
        })
    }

    fn count(&mut self, sealed: &[u8]) {
        self.digest.update(sealed);
        self.sealed_size += sealed.len() as u64;
    }
}

impl fmt::Debug for FileSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSealer")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl From<TooLong> for SealError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}
