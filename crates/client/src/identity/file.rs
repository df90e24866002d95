//! The file of an identity: how it is read, and written.

use std::ffi::OsStr;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::{AgentId, EncryptionPublicKey, Slug};
use agentdrop_seal::SecretKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{FILE, Identity};
use crate::error::{ConfigError, Error, Result};
use crate::private_file::{read_private, write_private};

impl Identity {
    /// Reads the identity in `folder`.
    ///
    /// It is refused if others can read it, if it is another user's, or if its keys do not belong
    /// together.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let content = match read_private(&path) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Err(ConfigError::NoIdentity.into());
            }
            content => content?,
        };
        let wrong = |problem: String| ConfigError::IdentityFile {
            path: path.clone(),
            problem,
        };
        let known: Known = serde_json::from_slice(&content).map_err(|it| wrong(it.to_string()))?;
        let Others(others) =
            serde_json::from_slice(&content).map_err(|it| wrong(it.to_string()))?;
        let private_key = Zeroizing::new(known.private_key);
        let api_key = known.api_key.map(Zeroizing::new);

        let no_key = || wrong("`private_key` must be base64 of 32 bytes".to_owned());
        let mut private_key = Zeroizing::new(STANDARD.decode(&*private_key).map_err(|_| no_key())?);
        let secret = SecretKey::take(&mut private_key).map_err(|_| no_key())?;
        let public_key: EncryptionPublicKey = known
            .public_key
            .parse()
            .map_err(|it| wrong(format!("`public_key` {it}")))?;
        if public_key.as_bytes() != secret.public_key().as_bytes() {
            return Err(ConfigError::KeysDiffer(path.clone()).into());
        }
        let api_key = api_key.map(|it| it.parse()).transpose();
        let api_key = api_key.map_err(|it| wrong(format!("`api_key` {it}")))?;
        Ok(Self {
            folder: folder.to_owned(),
            agent_id: known.agent_id,
            agent_uuid: known.agent_uuid,
            inbox_url: known.inbox_url,
            secret,
            server: known.server,
            api_key,
            others,
        })
    }

    /// Writes the identity anew with this API key, in place of the one it has.
    pub(crate) fn with_api_key(mut self, api_key: ApiKey) -> Result<Self> {
        self.api_key = Some(api_key);
        write_private(&self.folder.join(FILE), &self.content())?;
        Ok(self)
    }

    pub(super) fn content(&self) -> Zeroizing<Vec<u8>> {
        let private_key = Zeroizing::new(STANDARD.encode(self.secret.expose_secret()));
        let file = Written {
            agent_id: &self.agent_id,
            agent_uuid: self.agent_uuid,
            inbox_url: self.inbox_url.as_deref(),
            public_key: self.public_key(),
            private_key: &private_key,
            server: self.server.as_deref(),
            api_key: self.api_key.as_ref().map(ApiKey::expose_secret),
            others: &self.others,
        };
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(1024 * 1024));
        serde_json::to_writer_pretty(&mut *content, &file).expect("texts and values are JSON");
        content.push(b'\n');
        content
    }
}

/// Whether this is the file of an identity, with its private key.
pub(crate) fn is_identity(name: &OsStr, content: &[u8]) -> bool {
    let read = || serde_json::from_slice::<Known>(content).ok();
    let known = (name == FILE).then(read).flatten();
    known.is_some_and(|it| {
        let private_key = Zeroizing::new(it.private_key);
        let private_key = STANDARD.decode(&*private_key).map(Zeroizing::new);
        private_key.is_ok_and(|it| it.len() == 32)
    })
}

/// What is known of the file.
#[derive(DeriveDeserialize)]
struct Known {
    agent_id: Slug,
    #[serde(default)]
    agent_uuid: Option<AgentId>,
    #[serde(default)]
    inbox_url: Option<String>,
    public_key: String,
    private_key: String,
    #[serde(default)]
    server: Option<String>,
    #[serde(default)]
    api_key: Option<String>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    agent_id: &'a Slug,
    agent_uuid: Option<AgentId>,
    inbox_url: Option<&'a str>,
    public_key: EncryptionPublicKey,
    private_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(flatten)]
    others: &'a Map<String, Value>,
}

/// The fields of the file that are not known. A derive would also keep copies of the known ones.
struct Others(Map<String, Value>);

impl<'de> Deserialize<'de> for Others {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut others = Map::new();
                while let Some(name) = fields.next_key::<String>()? {
                    if KNOWN.contains(&&*name) {
                        fields.next_value::<IgnoredAny>()?;
                    } else if others.insert(name, fields.next_value()?).is_some() {
                        return Err(de::Error::custom("a field occurs twice"));
                    }
                }
                Ok(others)
            }
        }

        from.deserialize_map(Fields).map(Self)
    }
}

const KNOWN: [&str; 7] = [
    "agent_id",
    "agent_uuid",
    "inbox_url",
    "public_key",
    "private_key",
    "server",
    "api_key",
];
