//! Transfers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::text::{ContentType, Label, Message, Reason};
use crate::{
    AccountId, AgentId, ChannelId, Cursor, DownloadId, FileId, FileName, SignedStatement,
    Timestamp, TransferId,
};

super::define_choice! {
    /// Between whom a transfer goes.
    TransferMode {
        /// From an agent to an agent.
        AgentToAgent = "agent-to-agent",
        /// From an agent to a person.
        AgentToHuman = "agent-to-human",
        /// From a person to an agent.
        HumanToAgent = "human-to-agent",
    }
}

super::define_choice! {
    /// Where a transfer stands.
    TransferStatus {
        /// Its bytes are still on their way to the server.
        Pending = "pending",
        /// It can be downloaded.
        Active = "active",
        /// Its recipient has something to do first.
        PendingRecipient = "pending_recipient",
        /// It was downloaded as often as allowed.
        Downloaded = "downloaded",
        /// Its time is over.
        Expired = "expired",
        /// It was deleted, by a person or after its delivery.
        Deleted = "deleted",
    }
}

/// A transfer, as its sender and its recipient see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transfer {
    /// The transfer.
    pub id: TransferId,
    /// Its page, for people.
    pub url: String,
    /// Where it is downloaded, for programs.
    pub api_url: String,
    /// Where it is downloaded, under another name.
    pub download_url: String,
    /// Where it stands.
    pub status: TransferStatus,
    /// What its recipient has to do first.
    pub pending_reason: Option<String>,
    /// Between whom it goes.
    pub mode: TransferMode,
    /// Who sent it, as the sender put it.
    pub sender: Label,
    /// The agent that sent it, if an agent did.
    pub sender_agent_id: Option<AgentId>,
    /// The account that sent it.
    pub sender_account_id: AccountId,
    /// Who receives it: an agent's slug, or an e-mail address.
    pub recipient: String,
    /// The agent that receives it, if an agent does.
    pub recipient_agent_id: Option<AgentId>,
    /// The account that receives it.
    pub recipient_account_id: Option<AccountId>,
    /// Its files.
    pub files: Vec<TransferFile>,
    /// How many files it has.
    pub file_count: u32,
    /// How many bytes they are together.
    pub total_size: u64,
    /// How often it may be downloaded.
    pub max_downloads: u32,
    /// How often it was.
    pub downloads: u32,
    /// How often it was, under its older name.
    pub download_count: u32,
    /// The message beside the files.
    pub message: Option<Message>,
    /// Whatever its sender wants to carry along.
    pub metadata: Map<String, Value>,
    /// Whether its files go once they were delivered.
    pub auto_delete: bool,
    /// Whether its sender encrypted it.
    pub is_encrypted: bool,
    /// Whether the stored bytes are encrypted, by the sender or by the server.
    pub encrypted: bool,
    /// How its sender encrypted it.
    pub encryption_algorithm: Option<String>,
    /// The channel it was encrypted for.
    pub channel_id: Option<ChannelId>,
    /// The salt its key is derived with, in base64.
    pub encryption_salt: Option<String>,
    /// How its deliveries ended, newest first; only where one transfer is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Until when it can be downloaded.
    pub expires_at: Timestamp,
}

/// A file of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferFile {
    /// The file.
    pub file_id: FileId,
    /// Its name.
    pub name: FileName,
    /// How many bytes were sent; with the tag, where the sender encrypted it.
    pub size: u64,
    /// Its media type, as the sender put it.
    #[serde(rename = "type")]
    pub media_type: ContentType,
    /// Its media type, under its newer name.
    pub content_type: ContentType,
}

super::define_choice! {
    /// How a delivery ended.
    DeliveryStatus {
        /// The recipient has the files.
        Received = "received",
        /// The recipient does not want them.
        Rejected = "rejected",
    }
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// The download it was.
    pub download_id: DownloadId,
    /// How it ended.
    pub status: DeliveryStatus,
    /// Why, if the recipient said so.
    pub reason: Option<Reason>,
    /// When.
    pub at: Timestamp,
    /// What its recipient signed of it, if it did: the sender checks that for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SignedStatement>,
}

/// A page of transfers, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transfers {
    /// The transfers.
    pub transfers: Vec<Transfer>,
    /// How many there are on all pages.
    pub total: u64,
    /// How many this page may have.
    pub limit: u32,
    /// How many were passed over.
    pub offset: u32,
    /// Whether there are more.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; nothing on the last one.
    #[serde(default)]
    pub next_cursor: Option<Cursor>,
}

/// A deleted transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletedTransfer {
    /// The transfer.
    pub id: TransferId,
    /// `deleted`.
    pub status: TransferStatus,
    /// Since when.
    pub deleted_at: Timestamp,
}

/// Says how a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acknowledge {
    /// The download it was.
    pub download_id: DownloadId,
    /// How it ended.
    pub status: DeliveryStatus,
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// What the receiving agent signs of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SignedStatement>,
}
