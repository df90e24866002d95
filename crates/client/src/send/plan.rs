//! What is to be sent: who it is for, what is said of it, and how its files are sealed.

use std::io;

use agentdrop_protocol::FileName;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_seal::{ContentKey, FileSealer, Nonce, SealError, TAG_BYTES, person};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::letter::Writer;
use super::source::{PIECE_BYTES, Source, changed};
use crate::error::{Error, Result};

/// Who it is for and who sends it, as far as that has to be the same for an upload to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peer {
    /// The recipient: an agent's id, or an address.
    pub(super) recipient: String,
    /// Their key, in base64; none where the server encrypts.
    pub(super) key: Option<String>,
    pub(super) key_version: Option<u32>,
    pub(super) channel: Option<String>,
    /// The agent that sends, and its key.
    pub(super) sender: Option<(String, String)>,
}

/// What is said of a transfer: the fields of a form, or the members of a JSON body.
#[derive(Clone, Default)]
pub(super) struct Said(pub(super) Vec<(&'static str, String)>);

/// What is to be sent.
pub(super) struct Plan {
    pub(super) said: Said,
    pub(super) seal: Seal,
    /// In the order they are announced in.
    pub(super) objects: Vec<Object>,
    /// What makes the envelope that is [`Making::Last`].
    pub(super) writer: Option<Writer>,
}

/// What seals the files.
pub(super) enum Seal {
    /// Each as one message.
    Messages(ContentKey),
    /// Each in chunks; an envelope goes before them.
    Chunks(person::FileKeys),
    /// Nothing: the sender said that the server may read them.
    Nothing,
}

/// What the server takes for a file.
pub(super) struct Object {
    pub(super) name: FileName,
    /// How many bytes it has on its way.
    pub(super) sealed_bytes: u64,
    pub(super) making: Making,
}

/// How an object comes to be.
pub(super) enum Making {
    /// It was made already: an envelope.
    Ready(Bytes),
    /// When all files were sealed: an envelope, which is made by another chance each time.
    Last,
    /// From the next file, as one message.
    Message(Nonce),
    /// From the next file, in chunks. If it was read before, its digest goes ahead, and it has to be as
    /// it was then.
    Chunks {
        salt: person::FileSalt,
        expected: Option<person::Sealed>,
    },
    /// From the next file, as it is.
    Plain,
}

/// What comes out while everything is sealed, from the beginning to the end.
pub(super) enum Out {
    /// An object begins.
    Begin(usize),
    /// Its next bytes, and how many bytes of a file they are.
    Bytes(Bytes, u64),
    /// It ends.
    End,
}

enum Sealer {
    Message(FileSealer),
    Chunks(Box<person::FileSealer>),
    Plain,
}

/// What stands at the end of a file, and what it was sealed to, where that is in an envelope.
type Ended = (Bytes, Option<person::Sealed>);

impl Said {
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    pub(super) fn mode(&mut self, mode: TransferMode) {
        self.add("mode", mode.as_str());
    }

    /// The same as members of a JSON object. What a form spells as text has its own type there.
    pub(super) fn json(&self) -> Map<String, Value> {
        let members = self.0.iter().map(|(name, text)| {
            let value = match *name {
                "is_encrypted"
                | "auto_delete"
                | "max_downloads"
                | "recipient_key_version"
                | "encryption_ivs"
                | "metadata" => serde_json::from_str(text).unwrap_or_default(),
                _ => json!(text),
            };
            ((*name).to_owned(), value)
        });
        members.collect()
    }
}

impl Object {
    /// One that is sealed as one message.
    pub(super) fn message(source: &Source, nonce: Nonce) -> Self {
        Self {
            name: source.name.clone(),
            sealed_bytes: source.bytes + TAG_BYTES as u64,
            making: Making::Message(nonce),
        }
    }

    /// Whether it came to what was said of it: as long, and if it was read before, the same.
    fn is_as_announced(&self, sealed: Option<person::Sealed>) -> bool {
        let is_as_long = sealed.is_none_or(|it| it.sealed_size == self.sealed_bytes);
        match &self.making {
            Making::Chunks { expected, .. } if expected.is_some() => sealed == *expected,
            _ => is_as_long,
        }
    }

    /// One that the server encrypts.
    pub(super) fn plain(source: &Source) -> Self {
        Self {
            name: source.name.clone(),
            sealed_bytes: source.bytes,
            making: Making::Plain,
        }
    }
}

impl Plan {
    /// Bytes of all objects.
    pub(super) fn sealed_bytes(&self) -> u64 {
        self.objects.iter().map(|it| it.sealed_bytes).sum()
    }

    /// Seals everything, and gives it to `take` as it comes: an envelope that is made last comes last,
    /// wherever it is announced.
    pub(super) fn run<E: From<Error>>(
        &self,
        sources: &mut [Source],
        mut take: impl FnMut(Out) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut sources = sources.iter_mut();
        let mut files = Vec::new();
        for (n, object) in self.objects.iter().enumerate() {
            if matches!(object.making, Making::Last) {
                continue;
            }
            take(Out::Begin(n))?;
            if let Making::Ready(bytes) = &object.making {
                take(Out::Bytes(bytes.clone(), 0))?;
                take(Out::End)?;
                continue;
            }
            let missing = || Error::Answer("there are more files than were opened".to_owned());
            let source = sources.next().ok_or_else(missing)?;
            let mut begin = Vec::new();
            let mut sealer = self.sealer(n, object, &mut begin)?;
            take(Out::Bytes(begin.into(), 0))?;
            source.rewind()?;
            let mut left = source.bytes;
            while left > 0 {
                let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
                let mut piece = BytesMut::zeroed(len);
                source.read_whole(&mut piece)?;
                let sealed = sealer.update(piece).map_err(Error::from)?;
                take(Out::Bytes(sealed, len as u64))?;
                left -= len as u64;
            }
            source.expect_end()?;
            while let Some(padding) = sealer.pad().map_err(Error::from)? {
                take(Out::Bytes(padding, 0))?;
            }
            let (end, sealed) = sealer.finish().map_err(Error::from)?;
            if !object.is_as_announced(sealed) {
                return Err(changed(&source.path).into());
            }
            files.extend(sealed);
            take(Out::Bytes(end, 0))?;
            take(Out::End)?;
        }
        self.end(&files, take)
    }

    /// The envelope, where it comes last.
    fn end<E: From<Error>>(
        &self,
        files: &[person::Sealed],
        mut take: impl FnMut(Out) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut objects = self.objects.iter();
        let Some(n) = objects.position(|it| matches!(it.making, Making::Last)) else {
            return Ok(());
        };
        let writer = self.writer.as_ref().ok_or_else(io_mismatch)?;
        let envelope = writer.write_of(files)?;
        let announced = self.objects.get(n).map(|it| it.sealed_bytes);
        if announced != Some(envelope.len() as u64) {
            return Err(io_mismatch().into());
        }
        take(Out::Begin(n))?;
        take(Out::Bytes(envelope.into(), 0))?;
        take(Out::End)
    }

    fn sealer(&self, n: usize, object: &Object, begin: &mut Vec<u8>) -> Result<Sealer> {
        match (&self.seal, &object.making) {
            (Seal::Messages(key), Making::Message(nonce)) => {
                Ok(Sealer::Message(FileSealer::again(key, *nonce)?))
            }
            (Seal::Chunks(keys), Making::Chunks { salt, .. }) => {
                // The envelope is number 0.
                let i = u32::try_from(n).unwrap_or(u32::MAX);
                let sealer = keys.file(i, *salt, begin);
                Ok(Sealer::Chunks(Box::new(sealer)))
            }
            (Seal::Nothing, Making::Plain) => Ok(Sealer::Plain),
            _ => Err(io_mismatch()),
        }
    }
}

pub(super) fn io_mismatch() -> Error {
    Error::io("seal", "the files")(io::ErrorKind::InvalidData.into())
}

impl Sealer {
    fn update(&mut self, mut piece: BytesMut) -> Result<Bytes, SealError> {
        match self {
            Self::Chunks(sealer) => {
                let mut sealed = Vec::new();
                sealer.update(&piece, &mut sealed)?;
                return Ok(sealed.into());
            }
            Self::Message(sealer) => sealer.update(&mut piece)?,
            Self::Plain => {}
        }
        Ok(piece.freeze())
    }

    /// The next piece of what stands behind a file so that its length tells less; nothing, where there is
    /// no more.
    fn pad(&mut self) -> Result<Option<Bytes>, SealError> {
        let Self::Chunks(sealer) = self else {
            return Ok(None);
        };
        let mut padding = Vec::new();
        let more = sealer.pad(&mut padding)?;
        Ok((more || !padding.is_empty()).then(|| padding.into()))
    }

    fn finish(self) -> Result<Ended, SealError> {
        Ok(match self {
            Self::Chunks(sealer) => {
                let mut end = Vec::new();
                let sealed = sealer.finish(&mut end)?;
                (end.into(), Some(sealed))
            }
            Self::Message(sealer) => (Bytes::copy_from_slice(&sealer.finish()?), None),
            Self::Plain => (Bytes::new(), None),
        })
    }
}
