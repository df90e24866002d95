//! Opening an envelope that is for an agent, and stopping closed at the first thing that is not as it must be.

use std::io::{Read, Seek, Write};

use agentdrop_cobblestone::HEADER_BYTES;
use agentdrop_envelope::identity::{Fingerprint, IdentityPublicKey, KemKeyId};
use agentdrop_envelope::{
    Header, Manifest, Padding, Receipt, Signature, Stanza, Statement, Verdict, manifest_hash,
    open_manifest,
};
use agentdrop_protocol::{AgentId, Timestamp, TransferId};

use super::{MAX_ENVELOPE_BYTES, stanza};
use crate::OpenError;
use crate::files::{Contents, FileKeys, FileOpening, FileReader};
use crate::identity::{IdentityKey, KemKey};

/// An envelope of one transfer that has a stanza for us. Whoever made it, it tells nothing yet.
#[derive(Debug)]
pub struct Arrived<'e> {
    envelope: &'e [u8],
    transfer: TransferId,
    me: AgentId,
    fingerprint: Fingerprint,
    header: Header,
    stanza: Stanza,
}

/// Which of an agent's keys something was sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The key in its bundle, or in one before.
    Bundle,
    /// A key that is used once.
    Prekey,
}

/// An envelope that opened: whoever made it knew our public key, and that is all that is known.
#[derive(Debug)]
pub struct Claimed {
    contents: Contents,
    header: Vec<u8>,
    cbor: Vec<u8>,
    signature: Signature,
    sender: AgentId,
}

/// An envelope that is signed by whom we know as its sender.
#[derive(Debug)]
pub struct Incoming {
    contents: Contents,
    cbor: Vec<u8>,
    sender: AgentId,
}

impl<'e> Arrived<'e> {
    /// Reads object 0 of `transfer`, for the agent `me`, which is known by `identity`.
    pub fn read(
        transfer: TransferId,
        me: AgentId,
        identity: &IdentityPublicKey,
        envelope: &'e [u8],
    ) -> Result<Self, OpenError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(OpenError::Refused);
        }
        let (header, _) = Header::read(envelope)?;
        if header.transfer != *transfer.as_bytes() {
            return Err(OpenError::Refused);
        }
        let mut mine = header
            .stanzas
            .iter()
            .filter(|it| it.recipient == *me.as_bytes());
        let stanza = mine.next().cloned().ok_or(OpenError::NotForMe)?;
        // Two could hold two file keys, and each of two programs open another one.
        if mine.next().is_some() {
            return Err(OpenError::Refused);
        }
        Ok(Self {
            envelope,
            transfer,
            me,
            fingerprint: Fingerprint::of(me, identity),
            header,
            stanza,
        })
    }

    /// Which of our keys it takes to open it.
    pub const fn key_id(&self) -> KemKeyId {
        KemKeyId(self.stanza.key)
    }

    /// Opens it with the key of that id, and reads what it holds.
    pub fn open(&self, key: &KemKey, kind: KeyKind) -> Result<Claimed, OpenError> {
        // The sender says that no key was used which lasts. If one was, not the sender says so.
        if self.header.prekeys && kind != KeyKind::Prekey {
            return Err(OpenError::Refused);
        }
        let begin = self.envelope.first_chunk().ok_or(OpenError::Refused)?;
        let key = stanza::open(begin, &self.stanza, key, &self.fingerprint)?;
        let (_, behind) = Header::read(self.envelope)?;
        let before = self.envelope.len().checked_sub(behind.len());
        let before = before.and_then(|it| self.envelope.get(..it));
        let manifest = open_manifest(self.envelope, behind, &key)?;
        let (manifest, cbor, signature) = Manifest::read(&manifest, Padding::Padme)?;
        let (cbor, header) = (cbor.to_vec(), before.ok_or(OpenError::Refused)?.to_vec());
        let sender = manifest.sender.ok_or(OpenError::Refused)?;
        self.expect(&manifest)?;
        Ok(Claimed {
            contents: Contents::new(FileKeys::new(key, self.transfer, Padding::Padme), manifest),
            header,
            cbor,
            signature,
            sender,
        })
    }

    /// Whether the manifest is of this transfer, for those whom there are stanzas for, and for us by our very identity.
    fn expect(&self, manifest: &Manifest) -> Result<(), OpenError> {
        let stanzas = self.header.stanzas.iter().map(|it| it.recipient);
        let for_these = manifest.recipients.iter().map(|it| it.id).eq(stanzas);
        let (me, fingerprint) = (self.me.as_bytes(), self.fingerprint.as_bytes());
        let mut recipients = manifest.recipients.iter();
        let for_me = recipients.any(|it| it.id == *me && it.fingerprint == *fingerprint);
        let of_this = manifest.transfer == *self.transfer.as_bytes();
        if for_these && for_me && of_this && !manifest.files.is_empty() {
            Ok(())
        } else {
            Err(OpenError::Refused)
        }
    }
}

impl Claimed {
    /// Who is said to have sent it: whose identity to look up for [`verify`](Self::verify).
    pub const fn sender(&self) -> AgentId {
        self.sender
    }

    /// Whether `sender`, which is known by `identity`, sent it, and its time is not over.
    ///
    /// Whether it came before is not known here: the caller remembers transfers, and [`Manifest::seq`] of each sender.
    pub fn verify(
        self,
        sender: AgentId,
        identity: &IdentityPublicKey,
        now: Timestamp,
    ) -> Result<Incoming, OpenError> {
        let manifest = self.contents.manifest();
        let fingerprint = Fingerprint::of(sender, identity);
        if sender != self.sender || manifest.sender_fingerprint != *fingerprint.as_bytes() {
            return Err(OpenError::OtherSender);
        }
        let statement = Statement::Manifest {
            header: &self.header,
            cbor: &self.cbor,
        };
        identity
            .verify(&statement, &self.signature)
            .map_err(|_| OpenError::OtherSender)?;
        if manifest.expires <= now {
            return Err(OpenError::Expired);
        }
        Ok(Incoming {
            contents: self.contents,
            cbor: self.cbor,
            sender: self.sender,
        })
    }
}

impl Incoming {
    /// Who sent it.
    pub const fn sender(&self) -> AgentId {
        self.sender
    }

    /// What the envelope says.
    pub const fn manifest(&self) -> &Manifest {
        self.contents.manifest()
    }

    /// Begins to open file `i`, from 1, as it comes.
    pub fn opening(&self, i: u32) -> Result<FileOpening, OpenError> {
        self.contents.opening(i)
    }

    /// Goes on with file `i`, of which `chunks` chunks were opened before, here or in another process.
    ///
    /// `header` is what its stream begins with, and `kept` the first `chunks * 16384` bytes of the file, or all of it where
    /// that is less; what stands behind them there is not read. The digest in the envelope vouches for them too: if one of
    /// them was changed, [`FileOpening::finish`] is an error, and the file has to come anew. [`FileOpening::taken`] says from
    /// where on the stream has to come.
    pub fn opening_from(
        &self,
        i: u32,
        header: &[u8; HEADER_BYTES],
        chunks: u64,
        kept: impl Read,
    ) -> Result<FileOpening, OpenError> {
        self.contents.opening_from(i, header, chunks, kept)
    }

    /// Whether `kept` is all of file `i`, opened before, here or in another process, and nothing more; answers how many
    /// bytes it has.
    ///
    /// Nothing of the stream has to come: where its server has it no more, what is here is not lost.
    pub fn check_whole(&self, i: u32, kept: impl Read) -> Result<u64, OpenError> {
        self.contents.check_whole(i, kept)
    }

    /// Opens file `i`, from 1, into `sink`, flushes it, and answers how many bytes it wrote.
    ///
    /// Every byte that is written was sealed with the key of this envelope, for the place where it stands. Whether it is all
    /// of them, and whether they are the sender's and not another recipient's, who has the key too, is known at the end: on
    /// **any** error, throw away what `sink` holds.
    pub fn open_to(&self, i: u32, source: impl Read, sink: impl Write) -> Result<u64, OpenError> {
        self.contents.open_to(i, source, sink)
    }

    /// Opens file `i`, from 1, where it lies, from where `source` stands on; answers how many bytes of it are plaintext now.
    ///
    /// Behind them still stands what is left of the sealed file, for the caller to cut off. On **any** error the file is
    /// neither the one nor the other any more: throw it away.
    pub fn open_in_place<R: Read + Write + Seek>(
        &self,
        i: u32,
        source: R,
    ) -> Result<(R, u64), OpenError> {
        self.contents.open_in_place(i, source)
    }

    /// Opens parts of file `i`, from 1, whose stream begins with `header`.
    ///
    /// Refused where there are other recipients: they have the file key too, and could have made a part of their own. What
    /// vouches for a whole file, its digest in the signed manifest, does not for a part.
    pub fn reader(&self, i: u32, header: &[u8; HEADER_BYTES]) -> Result<FileReader, OpenError> {
        if self.manifest().recipients.len() != 1 {
            return Err(OpenError::Refused);
        }
        self.contents.reader(i, header)
    }

    /// Says what became of it, for the sender.
    pub fn receipt(&self, identity: &IdentityKey, verdict: Verdict) -> Receipt {
        let transfer = self.contents.manifest().transfer;
        identity.sign_receipt(transfer, manifest_hash(&self.cbor), verdict)
    }
}
