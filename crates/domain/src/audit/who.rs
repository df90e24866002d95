//! Who did something.

use agentdrop_protocol::{AccountId, AgentId, KeyId, SessionId};

use super::ActorKind;
use crate::{Actor, Credential, Scope};

/// Who did something, as the log of an account has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Another account, of which this one learns no more.
    Account(AccountId),
    /// The holder of a key of the account.
    AccountKey(KeyId),
    /// The holder of a key of one agent.
    AgentKey(KeyId, AgentId),
    /// Whoever it was, without a credential.
    Anonymous,
    /// An agent, with the token that connects it.
    ConnectionToken(AgentId),
    /// The operator of the server.
    Operator,
    /// The server itself.
    Server,
    /// A person who signed in.
    Session(SessionId),
}

impl Who {
    /// What kind of party it is.
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::Account(_) => ActorKind::Account,
            Self::AccountKey(_) => ActorKind::AccountKey,
            Self::AgentKey(..) => ActorKind::AgentKey,
            Self::Anonymous => ActorKind::Anonymous,
            Self::ConnectionToken(_) => ActorKind::ConnectionToken,
            Self::Operator => ActorKind::Operator,
            Self::Server => ActorKind::Server,
            Self::Session(_) => ActorKind::Session,
        }
    }

    /// Which one, by its id.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Account(it) => Some(it.to_string()),
            Self::AccountKey(it) | Self::AgentKey(it, _) => Some(it.to_string()),
            Self::Session(it) => Some(it.to_string()),
            Self::Anonymous | Self::ConnectionToken(_) | Self::Operator | Self::Server => None,
        }
    }

    /// The agent, where one agent did it.
    pub const fn agent(&self) -> Option<AgentId> {
        match self {
            Self::AgentKey(_, it) | Self::ConnectionToken(it) => Some(*it),
            Self::Account(_)
            | Self::AccountKey(_)
            | Self::Anonymous
            | Self::Operator
            | Self::Server
            | Self::Session(_) => None,
        }
    }

    /// Puts together what [`Who::kind`], [`Who::id`] and [`Who::agent`] took apart; nothing, if
    /// that is not what they answer of anybody.
    pub fn from_parts(kind: ActorKind, id: Option<&str>, agent: Option<AgentId>) -> Option<Self> {
        match (kind, id, agent) {
            (ActorKind::Account, Some(id), None) => id.parse().ok().map(Self::Account),
            (ActorKind::AccountKey, Some(id), None) => id.parse().ok().map(Self::AccountKey),
            (ActorKind::AgentKey, Some(id), Some(agent)) => {
                let key = id.parse().ok();
                key.map(|key| Self::AgentKey(key, agent))
            }
            (ActorKind::Anonymous, None, None) => Some(Self::Anonymous),
            (ActorKind::ConnectionToken, None, Some(agent)) => Some(Self::ConnectionToken(agent)),
            (ActorKind::Operator, None, None) => Some(Self::Operator),
            (ActorKind::Server, None, None) => Some(Self::Server),
            (ActorKind::Session, Some(id), None) => id.parse().ok().map(Self::Session),
            _ => None,
        }
    }
}

impl From<Actor> for Who {
    fn from(actor: Actor) -> Self {
        match (actor.credential, actor.scope) {
            (Credential::Key(key), Scope::Account) => Self::AccountKey(key),
            (Credential::Key(key), Scope::Agent(agent)) => Self::AgentKey(key, agent),
            (Credential::Session(session), _) => Self::Session(session),
        }
    }
}
