//! What an envelope holds, and who says so.
//!
//! ```text
//! manifest = deterministic CBOR ‖ 64 bytes of signature ‖ zeros (`PADMÉ`)
//! ```
//!
//! The CBOR is RFC 8949 §4.2.1's deterministic encoding, which is checked by encoding anew what was
//! read: one manifest, one spelling.

use agentdrop_protocol::text::{ContentType, Message};
use agentdrop_protocol::{AgentId, FileName, Timestamp};
use minicbor::{Decoder, Encoder, decode};

use crate::cbor::{
    self, VERSION, bytes, expect_map, items, key, millis, optional, parsed, timestamp, to_vec,
};
use crate::padding::padded;
use crate::{MAX_RECIPIENTS, Malformed, Padding};

/// Files in one envelope.
const MAX_FILES: usize = agentdrop_protocol::limits::MAX_FILES;

/// What an envelope holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The transfer.
    pub transfer: [u8; 16],
    /// Who sends it, if an agent does.
    pub sender: Option<AgentId>,
    /// The fingerprint of the sender's identity key; zeros where it has none.
    pub sender_fingerprint: [u8; 32],
    /// Whom it is for.
    pub recipients: Vec<Recipient>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it may be believed.
    pub expires: Timestamp,
    /// Which of the sender's envelopes to the recipient this is.
    pub seq: u64,
    /// A message beside the files.
    pub message: Option<Message>,
    /// The files, in their order.
    pub files: Vec<File>,
    /// What its sender wanted of the server.
    pub policy: Policy,
}

/// Whom an envelope is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The recipient's id.
    pub id: [u8; 16],
    /// The fingerprint of its key.
    pub fingerprint: [u8; 32],
}

/// A file of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is called.
    pub name: FileName,
    /// Its media type.
    pub content_type: ContentType,
    /// Bytes of its plaintext.
    pub size: u64,
    /// Bytes of its stream, in which its padding is too.
    pub sealed_size: u64,
    /// What [`FileHasher`](crate::FileHasher) makes of its plaintext.
    pub digest: [u8; 32],
}

/// What a sender wanted of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How often it may be downloaded.
    pub max_downloads: u32,
    /// Whether its files go once they were delivered.
    pub auto_delete: bool,
}

/// An Ed25519 signature by the sender's identity key; zeros where it has none.
pub type Signature = [u8; 64];

impl Manifest {
    /// The deterministic CBOR, which is what is signed.
    pub fn to_cbor(&self) -> Vec<u8> {
        to_vec(|to| self.encode(to))
    }

    /// `CBOR ‖ signature ‖ zeros`, as it is sealed.
    pub fn padded(&self, signature: &Signature) -> Vec<u8> {
        let mut bytes = self.to_cbor();
        bytes.extend_from_slice(signature);
        bytes.resize(padded_len(bytes.len()), 0);
        bytes
    }

    /// Reads what was sealed: the manifest, the bytes that are signed, and the signature.
    ///
    /// What it says of the lengths of its files has to be right for files with this padding.
    pub fn read(bytes: &[u8], padding: Padding) -> Result<(Self, &[u8], Signature), Malformed> {
        let mut decoder = Decoder::new(bytes);
        let manifest = Self::decode(&mut decoder, padding).map_err(|_| Malformed)?;
        let (cbor, rest) = bytes
            .split_at_checked(decoder.position())
            .ok_or(Malformed)?;
        let (signature, zeros) = rest.split_first_chunk().ok_or(Malformed)?;
        let right_length = bytes.len() == padded_len(cbor.len() + signature.len());
        if manifest.to_cbor() != cbor || !right_length || zeros.iter().any(|it| *it != 0) {
            return Err(Malformed);
        }
        Ok((manifest, cbor, *signature))
    }

    /// The keys in the order of their encodings, the shorter first.
    fn encode(&self, to: &mut Encoder<Vec<u8>>) -> cbor::Written {
        to.map(11)?.str("v")?.u8(VERSION)?;
        to.str("seq")?.u64(self.seq)?;
        to.str("files")?.array(self.files.len() as u64)?;
        for (i, file) in (1..).zip(&self.files) {
            to.map(6)?.str("i")?.u32(i)?;
            to.str("name")?.str(file.name.as_str())?;
            to.str("size")?.u64(file.size)?;
            to.str("type")?.str(file.content_type.as_str())?;
            to.str("ct_len")?.u64(file.sealed_size)?;
            to.str("digest")?.bytes(&file.digest)?;
        }
        to.str("policy")?.map(2)?;
        to.str("auto_delete")?.bool(self.policy.auto_delete)?;
        to.str("max_downloads")?.u32(self.policy.max_downloads)?;
        to.str("created")?.u64(millis(self.created))?;
        to.str("expires")?.u64(millis(self.expires))?;
        to.str("message")?;
        match &self.message {
            Some(message) => to.str(message.as_str())?,
            None => to.null()?,
        };
        to.str("sender_fp")?.bytes(&self.sender_fingerprint)?;
        to.str("sender_id")?;
        match &self.sender {
            Some(sender) => to.bytes(sender.as_bytes())?,
            None => to.null()?,
        };
        to.str("recipients")?.array(self.recipients.len() as u64)?;
        for it in &self.recipients {
            to.array(2)?.bytes(&it.id)?.bytes(&it.fingerprint)?;
        }
        to.str("transfer_id")?.bytes(&self.transfer)?;
        Ok(())
    }

    fn decode(from: &mut Decoder<'_>, padding: Padding) -> Result<Self, decode::Error> {
        expect_map(from, 11)?;
        cbor::version(from)?;
        key(from, "seq")?;
        let seq = from.u64()?;
        key(from, "files")?;
        let files = items(from, MAX_FILES, |it, i| File::decode(it, i, padding))?;
        key(from, "policy")?;
        expect_map(from, 2)?;
        key(from, "auto_delete")?;
        let auto_delete = from.bool()?;
        key(from, "max_downloads")?;
        let max_downloads = from.u32()?;
        key(from, "created")?;
        let created = timestamp(from)?;
        key(from, "expires")?;
        let expires = timestamp(from)?;
        key(from, "message")?;
        let message = optional(from, parsed)?;
        key(from, "sender_fp")?;
        let sender_fingerprint = bytes(from)?;
        key(from, "sender_id")?;
        let sender = optional(from, |it| bytes(it).map(AgentId::from_bytes))?;
        key(from, "recipients")?;
        let recipients = items(from, MAX_RECIPIENTS, Recipient::decode)?;
        key(from, "transfer_id")?;
        let transfer = bytes(from)?;
        Ok(Self {
            transfer,
            sender,
            sender_fingerprint,
            recipients,
            created,
            expires,
            seq,
            message,
            files,
            policy: Policy {
                max_downloads,
                auto_delete,
            },
        })
    }
}

impl File {
    fn decode(from: &mut Decoder<'_>, i: u32, padding: Padding) -> Result<Self, decode::Error> {
        expect_map(from, 6)?;
        key(from, "i")?;
        if from.u32()? != i {
            return Err(decode::Error::message("another file"));
        }
        key(from, "name")?;
        let name = parsed(from)?;
        key(from, "size")?;
        let size = from.u64()?;
        key(from, "type")?;
        let content_type = parsed(from)?;
        key(from, "ct_len")?;
        let sealed_size = from.u64()?;
        key(from, "digest")?;
        let digest = bytes(from)?;
        if padding.sealed_len(size) != Some(sealed_size) {
            return Err(decode::Error::message(
                "the two sizes contradict each other",
            ));
        }
        Ok(Self {
            name,
            content_type,
            size,
            sealed_size,
            digest,
        })
    }
}

/// What a manifest of `len` bytes, with its signature, is padded to. It lies in memory: its length is no larger than a `u64`.
fn padded_len(len: usize) -> usize {
    let padded = padded(len as u64).and_then(|it| usize::try_from(it).ok());
    padded.unwrap_or(len)
}

impl Recipient {
    fn decode(from: &mut Decoder<'_>, _: u32) -> Result<Self, decode::Error> {
        if from.array()? != Some(2) {
            return Err(decode::Error::message("not a pair"));
        }
        Ok(Self {
            id: bytes(from)?,
            fingerprint: bytes(from)?,
        })
    }
}
