//! Agents, and the keys they come and go with.

use agentdrop_protocol::text::{Description, Name, WebhookUrl};
use agentdrop_protocol::wire::agents::{AgentType, ConnectionStatus};
use agentdrop_protocol::{
    AccountId, AgentId, EncryptionPublicKey, SigningPublicKey, Slug, Timestamp,
};
use serde_json::{Map, Value};

/// A program that sends and receives files.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// The agent.
    pub id: AgentId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The name it goes by, unique in its account.
    pub slug: Slug,
    /// What it is called.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// Where it wants to be called with news.
    pub webhook_url: Option<WebhookUrl>,
    /// What it is built with.
    pub agent_type: AgentType,
    /// Whatever its owner wants to keep beside it.
    pub metadata: Map<String, Value>,
    /// Whether agents of connected accounts may ask to be paired with it.
    pub available_for_connections: bool,
    /// Whether it has keys, and which.
    pub state: AgentState,
    /// 0 before its first key, then 1, then one more each time.
    pub key_version: u32,
    /// The bundle that it has published, if it has.
    pub published: Option<Published>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was heard of last, to the minute.
    pub last_seen_at: Option<Timestamp>,
}

/// Whether an agent has keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// It waits for its first.
    Pending,
    /// It has these.
    Connected(AgentKeys),
    /// They were wiped.
    Disconnected,
}

/// The public keys of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentKeys {
    /// What files are encrypted to.
    pub encryption: EncryptionPublicKey,
    /// What its signatures are verified with.
    pub signing: Option<SigningPublicKey>,
}

/// Which bundle an agent has published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Which of its bundles.
    pub version: u64,
    /// The identity key in it.
    pub identity: SigningPublicKey,
}

/// The keys of an agent at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// 1 for the first.
    pub version: u32,
    /// The keys.
    pub keys: AgentKeys,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; absent for those in use.
    pub retired_at: Option<Timestamp>,
}

/// The right to give an agent its first key, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionToken {
    /// The agent.
    pub agent: AgentId,
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Why an agent cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// It has no keys to lose.
    #[error("the agent is disconnected already")]
    AlreadyDisconnected,
}

impl Agent {
    /// Its keys, if it has any.
    pub const fn keys(&self) -> Option<&AgentKeys> {
        match &self.state {
            AgentState::Connected(keys) => Some(keys),
            AgentState::Pending | AgentState::Disconnected => None,
        }
    }

    /// Whether it has keys, as the wire says it.
    pub const fn status(&self) -> ConnectionStatus {
        match self.state {
            AgentState::Pending => ConnectionStatus::Pending,
            AgentState::Connected(_) => ConnectionStatus::Connected,
            AgentState::Disconnected => ConnectionStatus::Disconnected,
        }
    }

    /// Gives it keys: the first, others in their place, or new ones after they were wiped.
    ///
    /// Without a new signing key the old one stays.
    pub fn connect(self, keys: AgentKeys) -> Self {
        let signing = keys
            .signing
            .or_else(|| self.keys().and_then(|it| it.signing));
        let state = AgentState::Connected(AgentKeys { signing, ..keys });
        Self {
            state,
            key_version: self.key_version + 1,
            ..self
        }
    }

    /// Gives it another bundle. Whoever knows of no bundles finds the identity key as the key that
    /// its signatures are verified with.
    pub fn publish(self, bundle: Published) -> Self {
        let state = match self.state {
            AgentState::Connected(keys) => AgentState::Connected(AgentKeys {
                signing: Some(bundle.identity),
                ..keys
            }),
            AgentState::Pending | AgentState::Disconnected => self.state,
        };
        Self {
            state,
            published: Some(bundle),
            ..self
        }
    }

    /// Wipes its keys. The record stays, and may be given new ones.
    pub fn disconnect(self) -> Result<Self, AgentError> {
        match self.state {
            AgentState::Disconnected => Err(AgentError::AlreadyDisconnected),
            AgentState::Pending | AgentState::Connected(_) => Ok(Self {
                state: AgentState::Disconnected,
                published: None,
                ..self
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> Agent {
        let now = Timestamp::from_millis(1);
        Agent {
            id: AgentId::new(now, [1; 10]),
            account: AccountId::new(now, [2; 10]),
            slug: "bob".parse().unwrap(),
            name: "Bob".parse().unwrap(),
            description: None,
            webhook_url: None,
            agent_type: AgentType::Custom,
            metadata: Map::new(),
            available_for_connections: true,
            state: AgentState::Pending,
            key_version: 0,
            published: None,
            created_at: now,
            last_seen_at: None,
        }
    }

    fn keys(byte: u8, signing: Option<u8>) -> AgentKeys {
        AgentKeys {
            encryption: [byte; 32].try_into().unwrap(),
            signing: signing.map(|it| [it; 32].try_into().unwrap()),
        }
    }

    #[test]
    fn each_key_has_a_version_of_its_own() {
        let agent = agent().connect(keys(9, Some(8)));
        assert_eq!(
            (agent.key_version, agent.status()),
            (1, ConnectionStatus::Connected)
        );
        let agent = agent.connect(keys(7, None));
        assert_eq!(agent.key_version, 2);
        assert_eq!(
            agent.keys(),
            Some(&keys(7, Some(8))),
            "the signing key stays"
        );
        let agent = agent.disconnect().unwrap();
        assert_eq!((agent.keys(), agent.key_version), (None, 2));
        assert_eq!(
            agent.clone().disconnect(),
            Err(AgentError::AlreadyDisconnected)
        );
        assert_eq!(agent.connect(keys(6, None)).key_version, 3);
    }
}
