//! Making an envelope for agents.

use std::collections::BTreeSet;

use agentdrop_cobblestone::SALT_BYTES;
use agentdrop_envelope::identity::Fingerprint;
use agentdrop_envelope::{
    self as envelope, File, FileKey, Header, Manifest, Padding, Policy, Statement, manifest_hash,
    manifest_object,
};
use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::text::Message;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};

use super::{MAX_RECIPIENTS, Recipient, stanza};
use crate::SealError;
use crate::files::{FileKeys, FileSalt, FileSealer};
use crate::identity::{Chance, IdentityKey};
use crate::random::{fill, random_bytes};

/// What a sender needs for one transfer to agents.
#[derive(Debug)]
pub struct Outgoing(FileKeys);

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'k> {
    /// The agent.
    pub agent: AgentId,
    /// What it signs with.
    pub identity: &'k IdentityKey,
}

/// What an envelope says beside its files.
#[derive(Clone, Debug)]
pub struct About {
    /// A message beside the files.
    pub message: Option<Message>,
    /// When it is made.
    pub created: Timestamp,
    /// Until when it may be opened.
    pub expires: Timestamp,
    /// More than in any envelope that this sender made for one of the recipients.
    pub seq: u64,
    /// What its sender wants of the server.
    pub policy: Policy,
}

/// An envelope, and what its receipts are checked against.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Object 0.
    pub object: Vec<u8>,
    /// SHA-512 of the manifest's CBOR, which the sender keeps: its receipts are of it.
    pub manifest_hash: [u8; 64],
}

/// All the chance that goes into one envelope.
pub(super) struct Chances {
    pub(super) salt: [u8; SALT_BYTES],
    /// One a recipient.
    pub(super) encapsulations: Vec<Chance>,
}

impl Outgoing {
    /// Draws what seals `transfer`.
    pub fn generate(transfer: TransferId) -> Result<Self, SealError> {
        let mut key = [0; 32];
        fill(&mut key)?;
        Ok(Self::with(FileKeys::take(
            transfer,
            Padding::Padme,
            &mut key,
        )))
    }

    /// Goes on with what was kept of a transfer: its envelope is made of the same key, by another chance.
    pub fn again(keys: &FileKeys) -> Self {
        Self::with(keys.again())
    }

    pub(super) const fn with(keys: FileKeys) -> Self {
        Self(keys)
    }

    /// Begins file `i`, from 1: `Cobblestone-256(K_i, "agentdrop/v2 file\0" ‖ transfer id ‖ u32be i)`.
    ///
    /// What its stream begins with goes to `out`. With one salt, **only one** file may ever leave this machine: of two that
    /// differ, whoever sees both learns their difference.
    pub fn file(&self, i: u32, salt: FileSalt, out: &mut Vec<u8>) -> FileSealer {
        self.0.file(i, salt, out)
    }

    /// What seals its files without what is needed to make the envelope.
    pub fn file_keys(&self) -> FileKeys {
        self.0.again()
    }

    /// Object 0, which tells of `files`.
    pub fn envelope(
        &self,
        from: &Sender<'_>,
        to: &[Recipient],
        about: About,
        files: Vec<File>,
    ) -> Result<Envelope, SealError> {
        check(to, files.len())?;
        let encapsulations = to.iter().map(|_| Chance::draw());
        let chances = Chances {
            salt: random_bytes()?,
            encapsulations: encapsulations.collect::<Result<_, _>>()?,
        };
        self.envelope_with(from, to, about, files, chances)
    }

    pub(super) fn envelope_with(
        &self,
        from: &Sender<'_>,
        to: &[Recipient],
        about: About,
        files: Vec<File>,
        chances: Chances,
    ) -> Result<Envelope, SealError> {
        let transfer = *self.0.transfer().as_bytes();
        let header = self.header(transfer, to, chances.encapsulations)?;
        let fingerprint = Fingerprint::of(from.agent, &from.identity.public_key());
        let manifest = self.manifest(from.agent, *fingerprint.as_bytes(), to, about, files);
        let cbor = manifest.to_cbor();
        let before = header.to_bytes().map_err(|_| SealError::TooMuch)?;
        let signature = from.identity.sign(&Statement::Manifest {
            header: &before,
            cbor: &cbor,
        });
        let object = manifest_object(
            &header,
            self.key(),
            &manifest.padded(&signature),
            chances.salt,
        );
        Ok(Envelope {
            object: object.map_err(|_| SealError::TooMuch)?,
            manifest_hash: manifest_hash(&cbor),
        })
    }

    pub(super) fn manifest(
        &self,
        sender: AgentId,
        sender_fingerprint: [u8; 32],
        to: &[Recipient],
        about: About,
        files: Vec<File>,
    ) -> Manifest {
        Manifest {
            transfer: *self.0.transfer().as_bytes(),
            sender: Some(sender),
            sender_fingerprint,
            recipients: to
                .iter()
                .map(|it| envelope::Recipient {
                    id: *it.agent.as_bytes(),
                    fingerprint: *it.fingerprint.as_bytes(),
                })
                .collect(),
            created: about.created,
            expires: about.expires,
            seq: about.seq,
            message: about.message,
            files,
            policy: about.policy,
        }
    }

    /// The header, whose first bytes are in every stanza.
    fn header(
        &self,
        transfer: [u8; 16],
        to: &[Recipient],
        chances: Vec<Chance>,
    ) -> Result<Header, SealError> {
        let prekeys = to.iter().all(|it| it.prekey);
        let begin = Header::begin(transfer, prekeys, to.len()).map_err(|_| SealError::TooMuch)?;
        let stanzas = to.iter().zip(chances);
        let stanzas = stanzas.map(|(it, chance)| stanza::seal(&begin, self.key(), it, chance));
        Ok(Header {
            transfer,
            prekeys,
            stanzas: stanzas.collect::<Result<_, _>>()?,
        })
    }

    const fn key(&self) -> &FileKey {
        self.0.key()
    }
}

/// Whether an envelope for them can hold so many files.
pub(super) fn check(to: &[Recipient], files: usize) -> Result<(), SealError> {
    if to.len() > MAX_RECIPIENTS || files > MAX_FILES {
        return Err(SealError::TooMuch);
    }
    let each_once: BTreeSet<_> = to.iter().map(|it| it.agent).collect();
    if to.is_empty() || files == 0 || each_once.len() != to.len() {
        return Err(SealError::Recipients);
    }
    Ok(())
}
