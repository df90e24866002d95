//! Making an envelope for a person.

use agentdrop_cobblestone::SALT_BYTES;
use agentdrop_envelope::{File, Header, Manifest, Padding, Policy, Recipient, manifest_object};
use agentdrop_protocol::text::Message;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};

use super::{file_key, fingerprint};
use crate::files::{FileKeys, FileSalt, FileSealer};
use crate::{PublicKey, Salt, SealError, SecretKey, random::random_bytes};

/// What a sender needs for one transfer to a person.
#[derive(Debug)]
pub struct Outgoing {
    keys: FileKeys,
    recipient: PublicKey,
    /// The public half of the key drawn for this transfer; travels as `encrypted_key`.
    pub ephemeral: PublicKey,
    /// Travels as `encryption_salt`.
    pub salt: Salt,
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
        let key = file_key(ephemeral, recipient, &salt)?;
        Ok(Self {
            keys: FileKeys::new(key, transfer, Padding::None),
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
        self.keys.file(i, salt, out)
    }

    /// What seals its files without what is needed to make the envelope.
    pub fn file_keys(&self) -> FileKeys {
        self.keys.again()
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
        let transfer = *self.keys.transfer().as_bytes();
        let header = Header {
            transfer,
            prekeys: false,
            stanzas: vec![],
        };
        let manifest = Manifest {
            transfer,
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
        manifest_object(&header, self.keys.key(), &manifest, salt).map_err(|_| SealError::TooMuch)
    }
}
