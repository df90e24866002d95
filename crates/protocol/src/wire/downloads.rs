//! Grants to download the files of a transfer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{ContentType, Label, Message};
use crate::{ChannelId, DownloadId, EncryptionPublicKey, FileId, FileName, Timestamp, TransferId};

/// A grant: where the files are, and what it takes to open them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Download {
    /// The transfer.
    pub id: TransferId,
    /// The grant.
    pub download_id: DownloadId,
    /// Until when its addresses work.
    pub download_expires_at: Timestamp,
    /// Who sent it, as the sender put it.
    pub sender: Label,
    /// Its files.
    pub files: Vec<DownloadFile>,
    /// How often the transfer was downloaded, with this time.
    pub downloads: u32,
    /// How often it may be downloaded still.
    pub downloads_remaining: u32,
    /// Until when it can be downloaded.
    pub expires_at: Timestamp,
    /// Whether its files go once they were delivered.
    pub auto_delete: bool,
    /// The message beside the files.
    pub message: Option<Message>,
    /// Whether its sender encrypted it.
    pub is_encrypted: bool,
    /// How its sender encrypted it.
    pub encryption_algorithm: Option<String>,
    /// The wrapped file key, or the sender's ephemeral public key, in base64.
    pub encrypted_key: Option<String>,
    /// The channel it was encrypted for.
    pub channel_id: Option<ChannelId>,
    /// The salt its key is derived with, in base64.
    pub encryption_salt: Option<String>,
    /// The sender's key of the time it was sent.
    pub sender_public_key: Option<EncryptionPublicKey>,
    /// The recipient's key of the time it was sent.
    pub recipient_public_key: Option<EncryptionPublicKey>,
    /// The version of the recipient's key.
    pub recipient_key_version: Option<u32>,
    /// What the sender signed, if it did.
    pub sender_signature: Option<String>,
}

/// A file to fetch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DownloadFile {
    /// The file.
    pub file_id: FileId,
    /// Its name.
    pub name: FileName,
    /// Its name, as the documentation has it.
    pub file_name: FileName,
    /// Where it is: a plain GET, without a key; ranges are served.
    pub download_url: String,
    /// How many bytes it has there.
    pub size: u64,
    /// Its media type, as the sender put it.
    pub content_type: ContentType,
    /// The nonce it was encrypted with, in base64.
    pub encryption_iv: Option<String>,
}

/// Whoever has the address has the file: it is in no output for debugging.
impl fmt::Debug for DownloadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadFile")
            .field("file_id", &self.file_id)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_file_and_its_name_are_not_in_what_is_printed_for_debugging() {
        let file = serde_json::json!({
            "file_id": "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6", "name": "secret-plan.pdf",
            "file_name": "secret-plan.pdf", "download_url": "https://files/1?sig=s3cr3t",
            "size": 4, "content_type": "text/plain", "encryption_iv": null,
        });
        let file: DownloadFile = serde_json::from_value(file).unwrap();
        for printed in [format!("{file:?}"), format!("{file:#?}")] {
            assert!(printed.contains("019a9f3e"), "{printed}");
            for secret in ["s3cr3t", "secret-plan"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }
}
