//! What a transfer says in words: encrypted before it is stored.

use agentdrop_protocol::FileName;
use agentdrop_protocol::text::{ContentType, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AtRestError, TransferKey};
use crate::clock::NoChance;

/// Message, metadata and file names of a transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The message beside the files.
    pub(crate) message: Option<Message>,
    /// Whatever its sender wants to carry along.
    pub(crate) metadata: Map<String, Value>,
    /// What its files are called, in their order.
    pub(crate) files: Vec<FileDetails>,
}

/// What a file is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileDetails {
    /// Its name.
    pub(crate) name: FileName,
    /// Its media type, as its sender put it.
    pub(crate) content_type: ContentType,
}

impl Details {
    pub(crate) fn seal(&self, key: &TransferKey) -> Result<Vec<u8>, NoChance> {
        let text = serde_json::to_vec(self).expect("texts and JSON are written as JSON");
        key.seal_details(&text)
    }

    pub(crate) fn open(key: &TransferKey, sealed: &[u8]) -> Result<Self, AtRestError> {
        let text = key.open_details(sealed)?;
        serde_json::from_slice(&text).map_err(|_| AtRestError)
    }
}
