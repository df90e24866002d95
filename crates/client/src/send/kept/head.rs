//! What is kept of an upload from its beginning on: what is sent, and the keys.

use agentdrop_protocol::{FileName, Timestamp, TransferId};
use agentdrop_seal::person::{FileKeys, FileSalt, Padding, Sealed};
use agentdrop_seal::{ContentKey, Nonce, PartMac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::super::letter::Letter;
use super::super::plan::{Making, Object, Peer, Plan, Said, Seal};
use crate::error::Result;

/// What is written so; another version is not understood.
const VERSION: u32 = 5;

/// What is sent, and how.
#[derive(Serialize, Deserialize)]
pub(in crate::send) struct Head {
    version: u32,
    pub(in crate::send) created: Timestamp,
    pub(in crate::send) peer: Peer,
    /// What each file is known by.
    pub(in crate::send) stamps: Vec<String>,
    /// What the transfer is announced with.
    pub(in crate::send) request: Value,
    /// So that announcing twice is as announcing once.
    pub(in crate::send) idempotency_key: String,
    pub(in crate::send) part_bytes: u64,
    #[serde(with = "written_mac")]
    pub(in crate::send) mac: PartMac,
    seal: WrittenSeal,
    objects: Vec<WrittenObject>,
    /// What the envelope is made of, where it is made last.
    pub(in crate::send) letter: Option<Letter>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenSeal {
    Messages {
        key: String,
    },
    Chunks {
        transfer: TransferId,
        key: String,
        padded: bool,
    },
    Nothing,
}

#[derive(Serialize, Deserialize)]
struct WrittenObject {
    name: FileName,
    sealed_bytes: u64,
    making: WrittenMaking,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenMaking {
    Ready(String),
    Last,
    Message(String),
    Chunks {
        salt: String,
        /// Of how many bytes, and its digest, where the file was read before.
        expected: Option<(u64, String)>,
    },
    Plain,
}

impl Head {
    pub(in crate::send) fn new(
        plan: &Plan,
        peer: Peer,
        stamps: Vec<String>,
        part_bytes: u64,
        created: Timestamp,
    ) -> Result<Self> {
        let chance: [u8; 24] = agentdrop_seal::random_bytes()?;
        let files = plan.objects.iter().map(|it| {
            json!({
                "name": it.name, "size": it.sealed_bytes, "part_size": part_bytes,
                "content_type": "application/octet-stream",
            })
        });
        let files: Vec<_> = files.collect();
        let mut request = plan.said.json();
        request.insert("files".to_owned(), files.into());
        Ok(Self {
            version: VERSION,
            created,
            peer,
            stamps,
            request: request.into(),
            idempotency_key: STANDARD.encode(chance),
            part_bytes,
            mac: PartMac::generate()?,
            seal: WrittenSeal::of(&plan.seal),
            objects: plan.objects.iter().map(WrittenObject::of).collect(),
            letter: plan.writer.as_ref().map(|it| it.letter.clone()),
        })
    }

    /// Whether an object is sealed in chunks, each with a tag. An envelope is not, whatever is in it.
    pub(in crate::send) fn is_chunked(&self, file: usize) -> bool {
        let object = self.objects.get(file);
        object.is_some_and(|it| matches!(it.making, WrittenMaking::Chunks { .. }))
    }

    /// Whether an object is made by another chance each time, so that it is never what it was.
    pub(in crate::send) fn is_made_last(&self, file: usize) -> bool {
        let object = self.objects.get(file);
        object.is_some_and(|it| matches!(it.making, WrittenMaking::Last))
    }

    /// What to go on with, but for what makes the envelope; nothing, if it makes no sense.
    pub(in crate::send) fn plan(&self) -> Option<Plan> {
        if self.version != VERSION || self.part_bytes == 0 {
            return None;
        }
        let objects = self.objects.iter().map(WrittenObject::read);
        Some(Plan {
            said: Said::default(),
            seal: self.seal.read()?,
            objects: objects.collect::<Option<_>>()?,
            writer: None,
        })
    }
}

/// The keys leave memory with it.
impl Drop for WrittenSeal {
    fn drop(&mut self) {
        match self {
            Self::Messages { key } | Self::Chunks { key, .. } => key.zeroize(),
            Self::Nothing => {}
        }
    }
}

impl WrittenSeal {
    fn of(seal: &Seal) -> Self {
        match seal {
            Seal::Messages(key) => Self::Messages {
                key: STANDARD.encode(key.expose_secret()),
            },
            Seal::Chunks(keys) => Self::Chunks {
                transfer: keys.transfer(),
                key: STANDARD.encode(keys.expose_secret()),
                padded: keys.padding() == Padding::Padme,
            },
            Seal::Nothing => Self::Nothing,
        }
    }

    fn read(&self) -> Option<Seal> {
        let decoded = |it: &str| STANDARD.decode(it).map(Zeroizing::new).ok();
        Some(match self {
            Self::Messages { key } => Seal::Messages(ContentKey::take(&mut decoded(key)?).ok()?),
            Self::Chunks {
                transfer,
                key,
                padded,
            } => {
                let padding = if *padded {
                    Padding::Padme
                } else {
                    Padding::None
                };
                let mut bytes = Zeroizing::new([0; 32]);
                let decoded = decoded(key)?;
                if decoded.len() != bytes.len() {
                    return None;
                }
                bytes.copy_from_slice(&decoded);
                Seal::Chunks(FileKeys::take(*transfer, padding, &mut bytes))
            }
            Self::Nothing => Seal::Nothing,
        })
    }
}

impl WrittenObject {
    fn of(object: &Object) -> Self {
        Self {
            name: object.name.clone(),
            sealed_bytes: object.sealed_bytes,
            making: match &object.making {
                Making::Ready(bytes) => WrittenMaking::Ready(STANDARD.encode(bytes)),
                Making::Message(nonce) => WrittenMaking::Message(STANDARD.encode(nonce.as_bytes())),
                Making::Last => WrittenMaking::Last,
                Making::Chunks { salt, expected } => WrittenMaking::Chunks {
                    salt: STANDARD.encode(salt.as_bytes()),
                    expected: expected.map(|it| (it.size, STANDARD.encode(it.digest))),
                },
                Making::Plain => WrittenMaking::Plain,
            },
        }
    }

    fn read(&self) -> Option<Object> {
        let sealed_bytes = self.sealed_bytes;
        let making = match &self.making {
            WrittenMaking::Ready(bytes) => Making::Ready(STANDARD.decode(bytes).ok()?.into()),
            WrittenMaking::Message(nonce) => {
                Making::Message(Nonce::try_from(&*STANDARD.decode(nonce).ok()?).ok()?)
            }
            WrittenMaking::Last => Making::Last,
            WrittenMaking::Chunks { salt, expected } => Making::Chunks {
                salt: FileSalt::from_bytes(STANDARD.decode(salt).ok()?.try_into().ok()?),
                expected: match expected {
                    Some((size, digest)) => Some(Sealed {
                        size: *size,
                        sealed_size: sealed_bytes,
                        digest: STANDARD.decode(digest).ok()?.try_into().ok()?,
                    }),
                    None => None,
                },
            },
            WrittenMaking::Plain => Making::Plain,
        };
        Some(Object {
            name: self.name.clone(),
            sealed_bytes,
            making,
        })
    }
}

/// The key for tags of parts, in base64.
mod written_mac {
    use agentdrop_seal::PartMac;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(mac: &PartMac, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(STANDARD.encode(mac.expose_secret())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PartMac, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let mut bytes = Zeroizing::new(STANDARD.decode(&*text).map_err(D::Error::custom)?);
        PartMac::take(&mut bytes).map_err(D::Error::custom)
    }
}
