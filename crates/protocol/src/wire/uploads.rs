//! Files that come by signed addresses, whole or in parts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::transfers::{TransferMode, TransferStatus};
use crate::text::{ContentType, ETag, Label, Message, RecipientName};
use crate::{
    ChannelId, EncryptionPublicKey, FileId, FileName, Lifetime, Timestamp, TransferId, UploadId,
};

/// Announces a transfer, whose files come by signed addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnounceTransfer {
    /// The sending agent, by slug or id; with a key of the account also any label. In the mode
    /// `human-to-agent` it may be left out.
    #[serde(default)]
    pub sender: Option<Label>,
    /// The receiving agent, by slug or id; or, in the mode `agent-to-human`, an e-mail address.
    pub recipient: RecipientName,
    /// The recipient's account, if it is not clear: its e-mail address, id or name.
    #[serde(default)]
    pub recipient_account: Option<RecipientName>,
    /// Between whom it goes; `agent-to-agent` if nothing is said.
    #[serde(default)]
    pub mode: Option<TransferMode>,
    /// The files, at least one and at most 100; and before them the envelope, where there is one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 101))]
    pub files: Vec<AnnouncedFile>,
    /// A message beside the files.
    #[serde(default)]
    pub message: Option<Message>,
    /// Whatever its sender wants to carry along; at most 16384 bytes of JSON.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// How long it lives: a number and `m`, `h` or `d`; `24h` if nothing is said. It begins now.
    #[serde(default)]
    pub expires_in: Option<Lifetime>,
    /// How often it may be downloaded, from 1 to 1000; 10 if nothing is said.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub max_downloads: Option<u32>,
    /// Whether its files go once they were delivered.
    #[serde(default)]
    pub auto_delete: Option<bool>,
    /// Whether its sender has encrypted the files.
    #[serde(default)]
    pub is_encrypted: Option<bool>,
    /// Asks the server to encrypt before it stores, which it does whenever the sender has not.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// How its sender encrypted the files.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[!-~]{0,64}$"))]
    pub encryption_algorithm: Option<String>,
    /// The wrapped file key, or the sender's ephemeral public key, in base64.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Byte, max_length = 4096))]
    pub encrypted_key: Option<String>,
    /// The channel it is encrypted for.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// The salt its key is derived with, in base64.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Byte, max_length = 44))]
    pub encryption_salt: Option<String>,
    /// Nonces in base64, one a file, in the order of the files; or each is said with its file.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub encryption_ivs: Option<Vec<Option<Nonce>>>,
    /// The public key that a person made for this transfer, in base64.
    #[serde(default)]
    pub sender_public_key: Option<EncryptionPublicKey>,
    /// What the sender signed, in base64.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Byte, max_length = 4096))]
    pub sender_signature: Option<String>,
    /// The version of the recipient's key that it is encrypted for; refused if that is another now.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_147_483_647))]
    pub recipient_key_version: Option<u32>,
    /// The recipient's public key that it is encrypted for, in base64; refused if that is another
    /// now.
    #[serde(default)]
    pub recipient_public_key: Option<EncryptionPublicKey>,
    /// The id that its sender gives it, to bind what it encrypted to it: the 32 hex digits of a UUID
    /// of version 7 of the last 24 hours.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{32}$"))]
    pub transfer_id: Option<String>,
}

/// A nonce in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(format = Byte, max_length = 16))]
pub struct Nonce(pub String);

/// A file that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnouncedFile {
    /// Its name.
    pub name: FileName,
    /// How many bytes will come: with the tag, where its sender encrypted it.
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)
    )]
    pub size: u64,
    /// Its media type; `application/octet-stream` if nothing is said.
    #[serde(default)]
    pub content_type: Option<ContentType>,
    /// The nonce its sender encrypted it with, in base64.
    #[serde(default)]
    pub encryption_iv: Option<Nonce>,
    /// Bytes in each of its parts but the last, from 5 MiB to 5 GiB; 50 MiB if nothing is said.
    /// Only where files come in parts.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 5_242_880, maximum = 5_368_709_120_i64)
    )]
    pub part_size: Option<u64>,
}

/// Where the files of an announced transfer are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnouncedTransfer {
    /// The transfer.
    pub id: TransferId,
    /// `pending`.
    pub status: TransferStatus,
    /// Where each file is sent to, in the order they were announced in.
    pub upload_urls: Vec<UploadUrl>,
    /// Where it is confirmed once all have come.
    pub confirm_url: String,
    /// Until when the addresses work, and it can be confirmed.
    pub upload_expires_at: Timestamp,
    /// Until when it can be downloaded, once it is confirmed.
    pub expires_at: Timestamp,
}

/// Where a file is sent to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadUrl {
    /// The file.
    pub file_id: FileId,
    /// Its name.
    pub file_name: FileName,
    /// The address, which works without an API key.
    pub upload_url: String,
    /// `PUT`.
    pub method: String,
    /// Header fields to send.
    pub headers: BTreeMap<String, String>,
}

/// Whoever has the address can write there: it is in no output for debugging.
impl fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadUrl")
            .field("file_id", &self.file_id)
            .finish_non_exhaustive()
    }
}

/// Where the parts of the files of an announced transfer are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnouncedParts {
    /// The transfer.
    pub id: TransferId,
    /// `pending`.
    pub status: TransferStatus,
    /// The files, in the order they were announced in.
    pub files: Vec<FileInParts>,
    /// Where it is confirmed once all have come.
    pub confirm_url: String,
    /// Until when the addresses work, and it can be confirmed.
    pub upload_expires_at: Timestamp,
    /// Until when it can be downloaded, once it is confirmed.
    pub expires_at: Timestamp,
}

/// A file that comes in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileInParts {
    /// The file.
    pub file_id: FileId,
    /// Its name.
    pub file_name: FileName,
    /// What its coming is called.
    pub upload_id: UploadId,
    /// Bytes in each part but the last.
    pub part_size: u64,
    /// Where each part is sent to, in their order.
    pub part_urls: Vec<PartUrl>,
}

/// Where a part is sent to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartUrl {
    /// Which part, from 1.
    pub part_number: u32,
    /// The address, which works without an API key.
    pub upload_url: String,
}

/// Whoever has the address can write there: it is in no output for debugging.
impl fmt::Debug for PartUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartUrl")
            .field("part_number", &self.part_number)
            .finish_non_exhaustive()
    }
}

/// Says that all parts of a file are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompleteUpload {
    /// What the coming of the file is called.
    pub upload_id: UploadId,
    /// Every part, in their order.
    #[cfg_attr(feature = "openapi", schema(max_items = 10_000))]
    pub parts: Vec<CompletePart>,
}

/// A part, as its upload was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompletePart {
    /// Which part, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10_000))]
    pub part_number: u32,
    /// Its `ETag`, with quotes or without.
    pub etag: ETag,
}

/// Gives the upload of a file up, and with it the transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AbortUpload {
    /// What the coming of the file is called.
    pub upload_id: UploadId,
}

/// Where the upload of a file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    /// The transfer.
    pub id: TransferId,
    /// Where it stands.
    pub status: TransferStatus,
    /// The file.
    pub file_id: FileId,
    /// What the coming of the file is called.
    pub upload_id: UploadId,
    /// How many bytes the file has.
    pub size: u64,
}

/// The parts of a file that have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parts {
    /// The transfer.
    pub id: TransferId,
    /// The file.
    pub file_id: FileId,
    /// What the coming of the file is called.
    pub upload_id: UploadId,
    /// How many bytes the file has.
    pub size: u64,
    /// Bytes in each part but the last.
    pub part_size: u64,
    /// How many parts it has.
    pub part_count: u32,
    /// Whether they were put together.
    pub is_complete: bool,
    /// Those that have come, in their order.
    pub parts: Vec<Part>,
    /// Where each part is sent to, also again, in their order; only where it was asked for, and
    /// while any can come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_urls: Option<Vec<PartUrl>>,
    /// Until when these addresses work; only beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_expires_at: Option<Timestamp>,
}

/// A part that has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// Which part, from 1.
    pub part_number: u32,
    /// Its `ETag`.
    pub etag: String,
    /// How many bytes it has.
    pub size: u64,
}

/// A confirmed transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmedTransfer {
    /// The transfer.
    pub id: TransferId,
    /// Where it stands.
    pub status: TransferStatus,
    /// Since when the recipient can see it.
    pub confirmed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_files_are_sent_to_is_not_in_what_is_printed_for_debugging() {
        let url = "https://files/1?sig=s3cr3t".to_owned();
        let part = PartUrl {
            part_number: 7,
            upload_url: url.clone(),
        };
        let whole = UploadUrl {
            file_id: "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap(),
            file_name: "secret-plan.pdf".parse().unwrap(),
            upload_url: url,
            method: "PUT".to_owned(),
            headers: BTreeMap::from([("x-sig".to_owned(), "s3cr3t".to_owned())]),
        };
        for printed in [format!("{part:?}{whole:?}"), format!("{part:#?}{whole:#?}")] {
            assert!(printed.contains("019a9f3e"), "{printed}");
            for secret in ["s3cr3t", "secret-plan"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }
}
