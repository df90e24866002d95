//! Channels between two agents.

use agentdrop_protocol::{AccountId, AgentId, ChannelId, Timestamp};

/// What two agents agreed on: that they derive keys from each other's.
///
/// Its agents stand in the order of their ids, so that two of them have one channel whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The channel.
    pub id: ChannelId,
    /// The agent with the lower id.
    pub a: Party,
    /// The other.
    pub b: Party,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Since when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// One side of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The agent.
    pub agent: AgentId,
    /// Its account.
    pub account: AccountId,
}

/// Why a channel cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// It is over already.
    #[error("the channel is revoked already")]
    AlreadyRevoked,
    /// Both sides are one agent.
    #[error("a channel needs two agents")]
    SameAgent,
}

impl Channel {
    /// A channel between two agents of one account, which both can use at once.
    pub fn new(
        id: ChannelId,
        one: Party,
        other: Party,
        now: Timestamp,
    ) -> Result<Self, ChannelError> {
        let (a, b) = if one.agent < other.agent {
            (one, other)
        } else {
            (other, one)
        };
        if a.agent == b.agent {
            return Err(ChannelError::SameAgent);
        }
        Ok(Self {
            id,
            a,
            b,
            created_at: now,
            revoked_at: None,
        })
    }

    /// Ends it for ever. What was sent with it can still be opened.
    pub fn revoke(self, now: Timestamp) -> Result<Self, ChannelError> {
        match self.revoked_at {
            Some(_) => Err(ChannelError::AlreadyRevoked),
            None => Ok(Self {
                revoked_at: Some(now),
                ..self
            }),
        }
    }

    /// Whether `agent` is one of its two.
    pub fn is_between(&self, agent: AgentId) -> bool {
        self.a.agent == agent || self.b.agent == agent
    }
}
