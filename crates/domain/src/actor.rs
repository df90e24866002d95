//! Who is asking.

use agentdrop_protocol::{AccountId, AgentId, KeyId};

use crate::agents::Agent;

/// Who is asking: the holder of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account that the key belongs to.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// What the key may act as.
    pub scope: Scope,
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
}

impl Actor {
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
