//! Channels: what two agents need to derive a common key.

use serde::{Deserialize, Serialize};

use crate::{AgentId, AgentRef, ChannelId, EncryptionPublicKey, Timestamp};

super::define_choice! {
    /// Where a channel stands.
    ChannelStatus {
        /// One side has asked for it.
        Pending = "pending",
        /// Both can use it.
        Active = "active",
        /// It is over.
        Revoked = "revoked",
    }
}

/// Asks for a channel between an own agent and another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateChannel {
    /// The own agent, by id or slug.
    pub agent_id: AgentRef,
    /// The other agent, by id or slug.
    pub target_agent_id: AgentRef,
}

/// A channel, as the agent that asked for it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedChannel {
    /// The channel.
    pub id: ChannelId,
    /// Where it stands.
    pub status: ChannelStatus,
    /// The own agent's key.
    pub my_public_key: EncryptionPublicKey,
    /// The other agent's key.
    pub their_public_key: EncryptionPublicKey,
    /// The fingerprint of the own agent's identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub my_key_fingerprint: Option<String>,
    /// The fingerprint of the other agent's identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub their_key_fingerprint: Option<String>,
    /// The own agent.
    pub my_agent_id: AgentId,
    /// The other agent.
    pub their_agent_id: AgentId,
}

/// A channel. Of its two agents, `a` is the one with the lower id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    /// The channel.
    pub id: ChannelId,
    /// One agent.
    pub agent_a_id: AgentId,
    /// The other.
    pub agent_b_id: AgentId,
    /// Where it stands.
    pub status: ChannelStatus,
    /// The key of `a`, raw; absent while it has none.
    pub agent_a_public_key: Option<EncryptionPublicKey>,
    /// The key of `b`, raw; absent while it has none.
    pub agent_b_public_key: Option<EncryptionPublicKey>,
    /// The version of the key of `a`.
    pub agent_a_key_version: u32,
    /// The version of the key of `b`.
    pub agent_b_key_version: u32,
    /// The fingerprint of the identity of `a`, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_a_key_fingerprint: Option<String>,
    /// The fingerprint of the identity of `b`, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_b_key_fingerprint: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Since when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// Channels, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channels {
    /// The channels.
    pub channels: Vec<Channel>,
}
