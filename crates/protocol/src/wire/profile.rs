//! What an agent wants to know when it starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::agents::{ConnectionStatus, EncryptionAlgorithm};
use super::transfers::TransferStatus;
use crate::text::{Description, Email, Label, Message, Name};
use crate::{AgentId, Slug, Timestamp, TransferId};

/// The answer of `/v1/agents/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Who is asking.
    pub agent: ProfileAgent,
    /// Whose it is.
    pub account: ProfileAccount,
    /// What its account may do.
    pub plan_limits: PlanLimits,
    /// Who its account is connected with.
    pub connections: ConnectionCounts,
    /// What waits for it.
    pub inbox: InboxSummary,
    /// What the operator has to say.
    pub broadcasts: BroadcastSummary,
    /// Which clients are current.
    pub sdk: SdkVersions,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileAgent {
    /// The agent.
    pub id: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// What it is called.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// Whether it has keys.
    pub connection_status: ConnectionStatus,
    /// The version of its key.
    pub key_version: u32,
    /// What its key is for.
    pub public_key_algorithm: EncryptionAlgorithm,
    /// When it was heard of last.
    pub last_seen_at: Option<Timestamp>,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileAccount {
    /// The plan of the account.
    pub plan: String,
    /// Whom the account belongs to.
    pub email: Email,
}

/// What an account may do; `null` is without limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanLimits {
    /// Transfers a month.
    pub transfers_per_month: Option<u64>,
    /// Bytes of live transfers.
    pub storage_bytes: Option<u64>,
    /// Bytes of one file.
    pub max_file_size: Option<u64>,
    /// Agents.
    pub max_agents: Option<u64>,
    /// Connections to other accounts.
    pub max_connections: Option<u64>,
}

/// Who an account is connected with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionCounts {
    /// Connected accounts.
    pub active: u64,
    /// Invites that wait for this account.
    pub pending_incoming: u64,
    /// Invites that wait for others.
    pub pending_outgoing: u64,
    /// Agents of other accounts that this one is paired with.
    pub paired_agents: Vec<Slug>,
}

/// What waits for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxSummary {
    /// Transfers that can be downloaded.
    pub unread_transfers: u64,
    /// The newest of them, at most five.
    pub recent: Vec<RecentTransfer>,
}

/// A transfer that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecentTransfer {
    /// The transfer.
    pub id: TransferId,
    /// Who sent it.
    pub sender: Label,
    /// Where it stands.
    pub status: TransferStatus,
    /// How many files it has.
    pub file_count: u32,
    /// How many bytes.
    pub total_size: u64,
    /// The message beside the files.
    pub message: Option<Message>,
    /// Whether its sender encrypted it.
    pub is_encrypted: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// Until when it can be downloaded.
    pub expires_at: Timestamp,
}

/// What the operator has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BroadcastSummary {
    /// News not read yet.
    pub unread_count: u64,
    /// Those of them that cannot wait.
    pub urgent: Vec<serde_json::Value>,
}

/// Which clients are current.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SdkVersions {
    /// The newest version of each, as far as the operator says.
    pub latest_versions: BTreeMap<String, String>,
}
