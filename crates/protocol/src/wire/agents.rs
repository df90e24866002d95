//! Agents and their public keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::text::{Description, Name, WebhookUrl};
use crate::{AccountId, AgentId, EncryptionPublicKey, SigningPublicKey, Slug, Timestamp};

super::define_choice! {
    /// What an agent is built with.
    AgentType {
        /// `AutoGen`.
        AutoGen = "autogen",
        /// `CrewAI`.
        CrewAi = "crewai",
        /// Anything else.
        Custom = "custom",
        /// `LangChain`.
        LangChain = "langchain",
        /// Mastra.
        Mastra = "mastra",
        /// n8n.
        N8n = "n8n",
    }
}

super::define_choice! {
    /// Whether an agent has keys.
    ConnectionStatus {
        /// It was registered without a key and has not connected.
        Pending = "pending",
        /// It has keys and can send and receive.
        Connected = "connected",
        /// Its keys were wiped.
        Disconnected = "disconnected",
    }
}

super::define_choice! {
    /// What an encryption key is for.
    EncryptionAlgorithm {
        /// X25519, RFC 7748.
        X25519 = "X25519",
    }
}

super::define_choice! {
    /// What a signing key is for.
    SigningAlgorithm {
        /// Ed25519, RFC 8032.
        Ed25519 = "Ed25519",
    }
}

/// Registers an agent: with its public key in one step, without one in two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterAgent {
    /// The name the agent will go by in its account.
    pub agent_id: Slug,
    /// Its encryption key; without one, the answer has a token to connect with.
    #[serde(default)]
    pub public_key: Option<EncryptionPublicKey>,
    /// What `public_key` is for.
    #[serde(default)]
    pub public_key_algorithm: Option<EncryptionAlgorithm>,
    /// Its signing key.
    #[serde(default)]
    pub signing_public_key: Option<SigningPublicKey>,
    /// What `signing_public_key` is for.
    #[serde(default)]
    pub signing_key_algorithm: Option<SigningAlgorithm>,
    /// What it is called; its slug, if nothing is said.
    #[serde(default)]
    pub name: Option<Name>,
    /// What it does.
    #[serde(default)]
    pub description: Option<Description>,
    /// Where it wants to be called with news.
    #[serde(default)]
    pub webhook_url: Option<WebhookUrl>,
    /// What it is built with; `custom`, if nothing is said.
    #[serde(default)]
    pub agent_type: Option<AgentType>,
    /// Whatever its owner wants to keep beside it.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// An agent, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agent {
    /// The agent.
    pub id: AgentId,
    /// The agent, under its other name.
    pub agent_uuid: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// What it is called.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// Where it wants to be called with news.
    pub webhook_url: Option<WebhookUrl>,
    /// What it is built with.
    pub agent_type: AgentType,
    /// Whether it has keys.
    pub connection_status: ConnectionStatus,
    /// Whether agents of connected accounts may ask to be paired with it.
    pub available_for_connections: bool,
    /// Its encryption key, raw.
    pub public_key: Option<EncryptionPublicKey>,
    /// The same key as `SubjectPublicKeyInfo`.
    pub public_key_spki: Option<String>,
    /// What `public_key` is for.
    pub public_key_algorithm: EncryptionAlgorithm,
    /// Its signing key, raw.
    pub signing_public_key: Option<SigningPublicKey>,
    /// The same key as `SubjectPublicKeyInfo`.
    pub signing_public_key_spki: Option<String>,
    /// 0 before the first key, then 1, then one more each time.
    pub key_version: u32,
    /// The fingerprint of its identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_fingerprint: Option<String>,
    /// The version of its bundle; absent where it has published none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_version: Option<u64>,
    /// When it was heard of last, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// Whatever its owner wants to keep beside it.
    pub metadata: Map<String, Value>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A registered agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisteredAgent {
    /// The agent.
    #[serde(flatten)]
    pub flat: Agent,
    /// Where its inbox is.
    pub inbox_url: String,
    /// What to do next, for people.
    pub message: String,
    /// The second step, if there is one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = MaybeSecondStep))]
    pub second_step: Option<SecondStep>,
}

/// The fields of the second step: all are there, or none.
// For the document alone: there, a part that is spread out and may be missing is derived as one
// that may be null, which nothing with other fields is.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "the document is made from its fields")]
struct MaybeSecondStep {
    /// The agent again, as the two-step form has it.
    agent: Option<Agent>,
    /// The token to connect with, once.
    connection_token: Option<String>,
    /// Six characters for a person to compare.
    claim_code: Option<String>,
    /// Until when the token works.
    token_expires_at: Option<Timestamp>,
}

/// What it takes to connect an agent that was registered without a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecondStep {
    /// The agent again, as the two-step form has it.
    pub agent: Agent,
    /// The token to connect with, once.
    pub connection_token: String,
    /// Six characters for a person to compare.
    pub claim_code: String,
    /// Until when the token works.
    pub token_expires_at: Timestamp,
}

/// The second step: gives an agent its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectAgent {
    /// Its encryption key.
    pub public_key: EncryptionPublicKey,
    /// What `public_key` is for.
    #[serde(default)]
    pub public_key_algorithm: Option<EncryptionAlgorithm>,
    /// Its signing key.
    #[serde(default)]
    pub signing_public_key: Option<SigningPublicKey>,
    /// What `signing_public_key` is for.
    #[serde(default)]
    pub signing_key_algorithm: Option<SigningAlgorithm>,
}

/// Where an agent stands after connecting, disconnecting or a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentStatus {
    /// The name it goes by.
    pub agent_id: Slug,
    /// The agent.
    pub agent_uuid: AgentId,
    /// Whether it has keys.
    pub status: ConnectionStatus,
    /// The version of its key.
    pub key_version: u32,
    /// Where its inbox is.
    pub inbox_url: String,
    /// What happened, for people.
    pub message: String,
}

/// Changes what is said of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateAgent {
    /// What it is called.
    #[serde(default)]
    pub name: Option<Name>,
    /// What it does.
    #[serde(default)]
    pub description: Option<Description>,
    /// Where it wants to be called with news.
    #[serde(default)]
    pub webhook_url: Option<WebhookUrl>,
    /// What it is built with.
    #[serde(default)]
    pub agent_type: Option<AgentType>,
    /// Replaces all that was kept beside it.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// Whether agents of connected accounts may ask to be paired with it.
    #[serde(default)]
    pub available_for_connections: Option<bool>,
}

/// Gives an agent a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotateKey {
    /// The new encryption key.
    pub public_key: EncryptionPublicKey,
    /// The new signing key; the old one stays, if nothing is said.
    #[serde(default)]
    pub signing_public_key: Option<SigningPublicKey>,
}

/// Agents, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agents {
    /// The agents.
    pub agents: Vec<Agent>,
}

/// An agent that files can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendableAgent {
    /// The agent.
    pub id: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// What it is called.
    pub name: Name,
    /// Whether it is the caller's own.
    pub own: bool,
    /// What its account is called, if that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<Name>,
}

/// Agents that files can be sent to, own ones first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendableAgents {
    /// The agents.
    pub agents: Vec<SendableAgent>,
}

/// What it takes to send to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolvedAgent {
    /// The agent.
    pub id: AgentId,
    /// The agent, under its other name.
    pub agent_uuid: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Its encryption key, raw.
    pub public_key: Option<EncryptionPublicKey>,
    /// The same key as `SubjectPublicKeyInfo`.
    pub public_key_spki: Option<String>,
    /// What `public_key` is for.
    pub public_key_algorithm: EncryptionAlgorithm,
    /// The version of its key.
    pub key_version: u32,
    /// Its signing key, raw.
    pub signing_public_key: Option<SigningPublicKey>,
    /// The fingerprint of its identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_fingerprint: Option<String>,
    /// The version of its bundle; absent where it has published none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_version: Option<u64>,
    /// Whether it has keys.
    pub connection_status: ConnectionStatus,
}

/// Every key an agent has had, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicKeys {
    /// The name it goes by.
    pub agent_id: Slug,
    /// The agent.
    pub agent_uuid: AgentId,
    /// The keys.
    pub keys: Vec<PublicKeyVersion>,
}

/// A key an agent has or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicKeyVersion {
    /// 1 for the first.
    pub key_version: u32,
    /// The encryption key, raw.
    pub public_key: EncryptionPublicKey,
    /// The same key as `SubjectPublicKeyInfo`.
    pub public_key_spki: String,
    /// The signing key of that time.
    pub signing_public_key: Option<SigningPublicKey>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; absent for the key in use.
    pub retired_at: Option<Timestamp>,
}
