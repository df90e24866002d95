//! An identity that is about to be.

use std::path::{Path, PathBuf};

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Slug};
use agentdrop_seal::SecretKey;
use serde_json::Map;

use super::{FILE, Identity, wire_key};
use crate::error::{ConfigError, Result};
use crate::private_file::{Reserved, write_private};

/// Keeps a private key out of a repository, where a folder like this would be committed unseen.
const IGNORE_FILE: &str = ".gitignore";

/// A key pair, and a place on disk for it, before there is an agent that has it.
///
/// The place comes first: were the disk to refuse afterwards, there would be an agent whose private
/// key is lost.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: PathBuf,
    place: Reserved,
    secret: SecretKey,
}

impl Draft {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_ok() {
            return Err(ConfigError::IdentityExists(folder.to_owned()).into());
        }
        let place = Reserved::beside(&path)?;
        let ignore = folder.join(IGNORE_FILE);
        if ignore.symlink_metadata().is_err() {
            write_private(&ignore, b"*\n")?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            place,
            secret: SecretKey::generate()?,
        })
    }

    pub(crate) fn public_key(&self) -> EncryptionPublicKey {
        wire_key(&self.secret.public_key())
    }

    /// Writes the identity of the agent that has the key.
    pub(crate) fn finish(
        self,
        agent_id: Slug,
        agent_uuid: AgentId,
        inbox_url: String,
        server: String,
    ) -> Result<Identity> {
        let identity = Identity {
            folder: self.folder,
            agent_id,
            agent_uuid: Some(agent_uuid),
            inbox_url: Some(inbox_url),
            secret: self.secret,
            server: Some(server),
            api_key: None,
            others: Map::new(),
        };
        self.place.create(&identity.content())?;
        Ok(identity)
    }
}
