//! Channels between two agents.

use agentdrop_protocol::wire::channels::ChannelStatus;
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
    /// The account that has yet to ask for it; absent once both can use it.
    pub waits_for: Option<AccountId>,
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
    /// A channel between two agents of one account, or of a pairing, which both can use at once.
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
            waits_for: None,
            created_at: now,
            revoked_at: None,
        })
    }

    /// A channel that the account of `mine` asks for; the account of `theirs` has yet to.
    pub fn propose(
        id: ChannelId,
        mine: Party,
        theirs: Party,
        now: Timestamp,
    ) -> Result<Self, ChannelError> {
        let channel = Self::new(id, mine, theirs, now)?;
        let waits_for = (mine.account != theirs.account).then_some(theirs.account);
        Ok(Self {
            waits_for,
            ..channel
        })
    }

    /// Notes that `by` asks for it, too.
    pub fn ask(self, by: AccountId) -> Self {
        let waits_for = self.waits_for.filter(|it| *it != by);
        Self { waits_for, ..self }
    }

    /// Lets both use it, for they are paired: both have agreed already.
    pub fn open(self) -> Self {
        Self {
            waits_for: None,
            ..self
        }
    }

    /// Where it stands.
    pub const fn status(&self) -> ChannelStatus {
        match (self.revoked_at, self.waits_for) {
            (Some(_), _) => ChannelStatus::Revoked,
            (None, Some(_)) => ChannelStatus::Pending,
            (None, None) => ChannelStatus::Active,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn party(account: u8, agent: u8) -> Party {
        Party {
            agent: AgentId::new(NOW, [agent; 10]),
            account: AccountId::new(NOW, [account; 10]),
        }
    }

    #[test]
    fn across_accounts_it_waits_until_the_other_side_asks() {
        let (ann, ben) = (party(1, 8), party(2, 7));
        let id = ChannelId::new(NOW, [9; 10]);
        let pending = Channel::propose(id, ann, ben, NOW).unwrap();
        assert_eq!(pending.status(), ChannelStatus::Pending);
        let again = pending.clone().ask(ann.account);
        assert_eq!(again, pending, "asking twice is not both asking");
        let both = pending.clone().ask(ben.account);
        assert_eq!(both.status(), ChannelStatus::Active);
        assert_eq!(pending.clone().open(), both);
        let over = pending.revoke(NOW).unwrap();
        assert_eq!(over.ask(ben.account).status(), ChannelStatus::Revoked);
    }

    #[test]
    fn within_an_account_it_waits_for_nobody() {
        let id = ChannelId::new(NOW, [9; 10]);
        let (one, other) = (party(1, 8), party(1, 7));
        let channel = Channel::propose(id, one, other, NOW).unwrap();
        assert_eq!(channel.status(), ChannelStatus::Active);
        let same = Channel::propose(id, one, one, NOW);
        assert_eq!(same, Err(ChannelError::SameAgent));
    }
}
