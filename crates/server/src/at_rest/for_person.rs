//! What waited for a person, encrypted for them: `AGENTDROP-2-A2H`.
//!
//! ```text
//! K = HKDF-SHA256(ikm = X25519(ephemeral, receive key), salt, info = "agentdrop/v2 a2h", 32)
//! ```
//!
//! The rest is the native envelope with `K` in place of its file key, without stanzas. Its manifest
//! is not signed: the sender left the encrypting to the server, which says nothing in their name.
//! The private half of the ephemeral key is gone once `K` is derived, so that of what it made the
//! server opens nothing.

use agentdrop_cobblestone::{SALT_BYTES, Sealer};
use agentdrop_domain::transfers::{Sealing, Transfer};
use agentdrop_envelope::{
    File, FileHasher, FileKey, Header, Manifest, Policy, Recipient, file_context, manifest_object,
};
use agentdrop_protocol::text::Message;
use agentdrop_protocol::{AccountId, EncryptionPublicKey, Timestamp, TransferId};
use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand::SystemRandom;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{AtRestError, FileDetails, Key32};
use crate::clock::{NoChance, random};

/// The format's name.
const ALGORITHM: &str = "AGENTDROP-2-A2H";
const INFO: &[u8] = b"agentdrop/v2 a2h";

/// One transfer that is being encrypted for a person.
pub(crate) struct ForPerson {
    key: FileKey,
    transfer: TransferId,
    ephemeral: Vec<u8>,
    salt: [u8; 32],
    files: Vec<File>,
}

/// One file of it.
pub(crate) struct PersonSealer {
    sealer: Sealer,
    hasher: FileHasher,
    length: u64,
}

impl ForPerson {
    /// Draws what encrypts `transfer` for the holder of `recipient`.
    pub(crate) fn new(
        transfer: TransferId,
        recipient: &EncryptionPublicKey,
    ) -> Result<Self, NoChance> {
        let salt: [u8; 32] = random()?;
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new());
        let private = private.map_err(|_| NoChance)?;
        let ephemeral = private.compute_public_key().map_err(|_| NoChance)?;
        let ephemeral = ephemeral.as_ref().to_vec();
        let peer = UnparsedPublicKey::new(&X25519, recipient.as_bytes());
        let mut key = [0; 32];
        agree_ephemeral(private, peer, NoChance, |shared| {
            let prk = Salt::new(HKDF_SHA256, &salt).extract(shared);
            let okm = prk.expand(&[INFO], Key32).map_err(|_| NoChance)?;
            okm.fill(&mut key).map_err(|_| NoChance)
        })?;
        Ok(Self {
            key: FileKey::take(&mut key),
            transfer,
            ephemeral,
            salt,
            files: Vec::new(),
        })
    }

    /// Begins file `i`, from 1; answers what stands at its beginning too.
    pub(crate) fn begin_file(&self, i: u32) -> Result<(PersonSealer, Vec<u8>), NoChance> {
        let context = file_context(self.transfer.as_bytes(), i);
        let (sealer, begin) = Sealer::new(&self.key.file(i), &context).ok_or(NoChance)?;
        let sealer = PersonSealer {
            sealer,
            hasher: self.key.hasher(i),
            length: begin.len() as u64,
        };
        Ok((sealer, begin.to_vec()))
    }

    /// Ends a file, which comes behind those before it in the manifest; answers its last bytes, and
    /// how many it has.
    pub(crate) fn end_file(
        &mut self,
        it: PersonSealer,
        size: u64,
        said: &FileDetails,
    ) -> Result<(Vec<u8>, u64), AtRestError> {
        let mut end = Vec::new();
        let PersonSealer {
            sealer,
            hasher,
            length,
        } = it;
        sealer.finish(&mut end).map_err(|_| AtRestError)?;
        let length = length + end.len() as u64;
        self.files.push(File {
            name: said.name.clone(),
            content_type: said.content_type.clone(),
            size,
            sealed_size: length,
            digest: hasher.finish(),
        });
        Ok((end, length))
    }

    /// What the API says of how it is encrypted.
    pub(crate) fn sealing(&self, recipient: EncryptionPublicKey) -> Sealing {
        Sealing {
            algorithm: Some(ALGORITHM.to_owned()),
            encrypted_key: Some(STANDARD.encode(&self.ephemeral)),
            salt: Some(STANDARD.encode(self.salt)),
            recipient_key: Some(recipient),
            ..Sealing::default()
        }
    }

    /// Object 0: what the files are, encrypted.
    pub(crate) fn envelope(
        self,
        transfer: &Transfer,
        person: AccountId,
        recipient: &EncryptionPublicKey,
        message: Option<Message>,
        now: Timestamp,
        salt: [u8; SALT_BYTES],
    ) -> Result<Vec<u8>, AtRestError> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, recipient.as_bytes()).as_ref());
        let manifest = Manifest {
            transfer: *self.transfer.as_bytes(),
            sender: transfer.sender.agent,
            sender_fingerprint: [0; 32],
            recipients: vec![Recipient {
                id: *person.as_bytes(),
                fingerprint,
            }],
            created: now,
            expires: transfer.expires_at,
            seq: 0,
            message,
            files: self.files,
            policy: Policy {
                max_downloads: transfer.max_downloads,
                auto_delete: transfer.auto_delete,
            },
        };
        let header = Header {
            transfer: *self.transfer.as_bytes(),
            prekeys: false,
            stanzas: vec![],
        };
        let manifest = manifest.padded(&[0; 64]);
        manifest_object(&header, &self.key, &manifest, salt).map_err(|_| AtRestError)
    }
}

impl PersonSealer {
    /// Encrypts what comes; answers each chunk that is whole.
    pub(crate) fn update(&mut self, plain: &[u8]) -> Result<Vec<u8>, AtRestError> {
        let mut out = Vec::new();
        self.sealer
            .update(plain, &mut out)
            .map_err(|_| AtRestError)?;
        self.hasher.update(plain);
        self.length += out.len() as u64;
        Ok(out)
    }
}
