//! The keys by which an agent is known, and what is sealed for: signed by the agent itself, so that
//! a server can withhold them and cannot make them.

use serde::{Deserialize, Serialize};

use crate::{AgentId, SignedStatement, Slug};

/// Publishes the next bundle of an agent; the same one again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishBundle {
    /// The bundle: its version is one more than that of the last.
    pub bundle: SignedStatement,
    /// By the old identity key, where the bundle is the first of another one.
    #[serde(default)]
    pub rotation: Option<SignedStatement>,
}

/// What an agent says of its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentBundle {
    /// The agent.
    pub id: AgentId,
    /// The agent, under its other name.
    pub agent_uuid: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// The last bundle that it published.
    pub bundle: SignedStatement,
    /// The version of that bundle.
    pub version: u64,
    /// How its identity keys followed each other, oldest first: for whoever knew it by an older one.
    pub rotations: Vec<SignedStatement>,
    /// The fingerprint of its identity, `adk1…`, as the server reads it.
    pub key_fingerprint: String,
}

/// Adds one-time prekeys; those that the server had already are not added again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddPrekeys {
    /// The prekeys, from 1 to 100.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub prekeys: Vec<SignedStatement>,
}

/// How many one-time prekeys of an agent are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prekeys {
    /// Those that nobody has had, and whose time is not over.
    pub prekeys_left: u32,
    /// The most that are kept.
    pub max_prekeys: u32,
}

/// A one-time prekey of an agent, which nobody else gets, with what it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimedPrekey {
    /// The agent's bundle.
    #[serde(flatten)]
    pub of: AgentBundle,
    /// The prekey; none, where none is left: then the key in the bundle serves.
    pub prekey: Option<SignedStatement>,
}
