//! API keys, of accounts and of agents.

use serde::{Deserialize, Serialize};

use crate::text::Name;
use crate::{AgentId, KeyId, Timestamp};

super::define_choice! {
    /// What a key may act as.
    KeyScope {
        /// Everything of its account.
        Account = "account",
        /// One agent.
        Agent = "agent",
    }
}

/// Asks for a key of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateKey {
    /// What the key is for, for people.
    pub name: Name,
}

/// Asks for a key of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateAgentKey {
    /// What the key is for, for people; `default` if nothing is said.
    #[serde(default)]
    pub name: Option<Name>,
}

/// A key, without what makes it work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// The key's id.
    pub id: KeyId,
    /// What it is for.
    pub name: Name,
    /// How it begins, to tell one from another.
    pub prefix: String,
    /// What it may act as.
    pub scope: KeyScope,
    /// The agent it acts as, if it is an agent's.
    pub agent_id: Option<AgentId>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Transfers created with it.
    pub transfer_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A new key. It is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedKey {
    /// The key's id.
    pub id: KeyId,
    /// What it is for.
    pub name: Name,
    /// How it begins.
    pub prefix: String,
    /// What it may act as.
    pub scope: KeyScope,
    /// The agent it acts as, if it is an agent's.
    pub agent_id: Option<AgentId>,
    /// The key itself.
    pub api_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Keys, newest first, without the revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Keys {
    /// The keys.
    pub keys: Vec<Key>,
}

/// A key that works no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedKey {
    /// The key's id.
    pub id: KeyId,
    /// `true`.
    pub revoked: bool,
    /// Since when.
    pub revoked_at: Timestamp,
}
