//! Who is asking.

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::{AccountId, AgentId, KeyId, ParseError, SessionId};

use crate::agents::Agent;

/// Who is asking: the holder of an API key, or a person who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account that the credential belongs to.
    pub account: AccountId,
    /// What the request came with.
    pub credential: Credential,
    /// What the credential may act as; a session always as the account.
    pub scope: Scope,
}

/// What a request comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API key.
    Key(KeyId),
    /// The session of a person.
    Session(SessionId),
}

/// What a key may act as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything of its account.
    Account,
    /// One agent.
    Agent(AgentId),
}

/// Why a caller may not do what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorError {
    /// The operation needs a key of the account.
    #[error("this needs a key of the account; a key of one agent cannot do it")]
    AccountKeyRequired,
    /// The operation is another agent's.
    #[error("this key acts as one agent, and not as this one")]
    AnotherAgent,
    /// The operation needs a person.
    #[error("a person has to do this, signed in; an API key cannot")]
    SessionRequired,
}

impl Credential {
    /// The API key, if it is one.
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Key(id) => Some(id),
            Self::Session(_) => None,
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Session(id) => id.fmt(f),
        }
    }
}

impl FromStr for Credential {
    type Err = ParseError;

    /// The ids tell themselves apart by how they begin.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let session = text.parse().map(Self::Session);
        session.or_else(|_| text.parse().map(Self::Key))
    }
}

impl Actor {
    /// Refuses API keys, and answers the session.
    pub const fn require_session(&self) -> Result<SessionId, ActorError> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            Credential::Key(_) => Err(ActorError::SessionRequired),
        }
    }

    /// Refuses the keys of agents.
    pub const fn require_account(&self) -> Result<(), ActorError> {
        match self.scope {
            Scope::Account => Ok(()),
            Scope::Agent(_) => Err(ActorError::AccountKeyRequired),
        }
    }

    /// Refuses the keys of other agents than `agent`, which belongs to the caller's account.
    pub fn require_agent(&self, agent: &Agent) -> Result<(), ActorError> {
        if self.acts_as(Some(agent.id)) {
            Ok(())
        } else {
            Err(ActorError::AnotherAgent)
        }
    }

    /// Whether what belongs to `agent` of the caller's account is the caller's too.
    pub fn acts_as(&self, agent: Option<AgentId>) -> bool {
        match self.scope {
            Scope::Account => true,
            Scope::Agent(own) => agent == Some(own),
        }
    }
}
