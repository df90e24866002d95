//! Who an agent is: the file `.agentdrop/config.json`, which the published clients read and write too.
//!
//! To their `agent_id`, `agent_uuid`, `inbox_url`, `public_key` and `private_key` (base64 of the raw
//! bytes) come our `server` and `api_key`. Whatever else is in the file stays in it.

mod draft;
mod file;
mod find;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::{AgentId, AgentRef, EncryptionPublicKey, Slug};
use agentdrop_seal::{PublicKey, SecretKey};
use serde_json::{Map, Value};

pub(crate) use self::draft::Draft;
pub(crate) use self::file::is_identity;
pub(crate) use self::find::named_folder;

/// The folder of an identity, below the folder it is for.
pub const FOLDER: &str = ".agentdrop";
/// The environment variable that names the folder of an identity.
pub const FOLDER_VARIABLE: &str = "AGENTDROP_CONFIG_DIR";
/// The file of an identity, in its folder.
pub(crate) const FILE: &str = "config.json";

/// An agent, with its private key.
pub struct Identity {
    folder: PathBuf,
    agent_id: Slug,
    agent_uuid: Option<AgentId>,
    inbox_url: Option<String>,
    secret: SecretKey,
    server: Option<String>,
    api_key: Option<ApiKey>,
    others: Map<String, Value>,
}

impl Identity {
    /// The name it goes by.
    pub fn agent_id(&self) -> &Slug {
        &self.agent_id
    }

    /// The agent, unless the published client that made the file was not told.
    pub fn agent_uuid(&self) -> Option<AgentId> {
        self.agent_uuid
    }

    /// The agent as calls name it.
    pub fn agent_ref(&self) -> AgentRef {
        match self.agent_uuid {
            Some(id) => AgentRef::Id(id),
            None => AgentRef::Slug(self.agent_id.clone()),
        }
    }

    /// Its public key.
    pub fn public_key(&self) -> EncryptionPublicKey {
        wire_key(&self.secret.public_key())
    }

    /// The server it is registered at, if the file says so.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Its API key, if the file has one.
    pub fn api_key(&self) -> Option<&ApiKey> {
        self.api_key.as_ref()
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("folder", &self.folder)
            .field("agent_id", &self.agent_id)
            .field("agent_uuid", &self.agent_uuid)
            .finish_non_exhaustive()
    }
}

fn wire_key(key: &PublicKey) -> EncryptionPublicKey {
    EncryptionPublicKey::try_from(*key.as_bytes())
        .expect("a private key has no public key of low order")
}
