//! The files of a transfer: where their bytes are, and who encrypted them.

use std::ops::Not;

use agentdrop_protocol::{ChannelId, EncryptionPublicKey, FileId};
use serde::{Deserialize, Serialize};

use crate::uploads::Upload;

/// A file of a transfer; its name is in the transfer's details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The file.
    pub id: FileId,
    /// How many bytes were sent.
    pub size: u64,
    /// Who encrypted the stored bytes.
    pub at_rest: AtRest,
    /// The nonce its sender encrypted it with.
    pub nonce: Option<String>,
    /// Which of the transfer's blobs has its bytes; nothing said is the one of its own place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<u32>,
    /// Whether its bytes are so few that they are kept beside the transfer's row, under the number of
    /// its blob, and there is no blob.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub in_database: bool,
    /// How its bytes come, or came, if it is by signed addresses: then its parts have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// What an object store knows of it, if its sender sends it there and not through us: then it is
    /// one blob, however it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<Direct>,
}

impl File {
    /// The blobs that have the bytes of files, less those of parts, which have names of their own, and
    /// less what is in the database.
    pub fn blobs(files: &[Self]) -> impl Iterator<Item = u32> {
        let files = files.iter().zip(0..).filter(|it| it.0.is_one_blob());
        files.map(|(file, at)| file.blob_at(at))
    }

    /// How many blobs there are at most: one more than the last.
    pub fn blob_count(files: &[Self]) -> u32 {
        Self::blobs(files)
            .max()
            .map_or(0, |last| last.saturating_add(1))
    }

    /// Whether one blob has its bytes, and not its parts, or the database.
    pub const fn is_one_blob(&self) -> bool {
        !self.in_database && (self.upload.is_none() || self.direct.is_some())
    }

    /// The number of the blob that has its bytes, given its place among the files.
    pub fn blob_at(&self, place: u32) -> u32 {
        self.blob.unwrap_or(place)
    }
}

/// What an object store knows of a file that is sent to it without us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direct {
    /// What it calls the upload, as long as parts of it may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// Which bytes were confirmed: others that come in their place are not the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// Who encrypted the stored bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AtRest {
    /// The sender: they are stored as they came.
    #[serde(rename = "sender")]
    Sender,
    /// The server, with the transfer's key.
    #[serde(rename = "server")]
    Server,
}

/// How a sender encrypted a transfer, as the wire says it: opaque to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// The algorithm's name.
    pub algorithm: Option<String>,
    /// The wrapped file key, or an ephemeral public key.
    pub encrypted_key: Option<String>,
    /// The channel it was encrypted for.
    pub channel: Option<ChannelId>,
    /// The salt its key is derived with.
    pub salt: Option<String>,
    /// The sender's key of the time it was sent.
    pub sender_key: Option<EncryptionPublicKey>,
    /// The recipient's key of the time it was sent.
    pub recipient_key: Option<EncryptionPublicKey>,
    /// The version of the recipient's key.
    pub recipient_key_version: Option<u32>,
    /// What the sender signed.
    pub signature: Option<String>,
}
