//! Pairings: which agents of connected accounts exchange files, and which way.

use agentdrop_protocol::wire::pairings::PairingStatus;
pub use agentdrop_protocol::wire::pairings::{Direction, Permission};
use agentdrop_protocol::{AccountId, AgentId, ConnectionId, PairingId, Timestamp};

use crate::agents::Agent;
use crate::channels::Party;
use crate::connections::Connection;

/// That two agents of connected accounts exchange files, or that one side would like it.
///
/// Its agents stand in the order of their ids, so that two of them have one pairing whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// The pairing.
    pub id: PairingId,
    /// The connection it is under.
    pub connection: ConnectionId,
    /// The agent with the lower id.
    pub a: Party,
    /// The other.
    pub b: Party,
    /// The account that proposed it, from whose view `permission` is.
    pub proposed_by: AccountId,
    /// Which way files may go.
    pub permission: Permission,
    /// The account that set `permission` as it stands; the other one confirms it.
    pub terms_by: AccountId,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was confirmed as it stands.
    pub confirmed_at: Option<Timestamp>,
    /// Since when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// Why a pairing cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// The other agent's owner does not let it be paired.
    #[error("the other agent is not available for connections")]
    AgentNotAvailable,
    /// The own agent has no keys.
    #[error("your agent has no public key; connect it first")]
    AgentNotConnected,
    /// An agent is not of the account that it should be of.
    #[error("there is no such agent in the account it should be of")]
    AgentNotFound,
    /// It is over already.
    #[error("the pairing is revoked already")]
    AlreadyRevoked,
    /// Who set the terms cannot confirm them.
    #[error("the other side has to confirm the pairing")]
    CannotConfirmOwn,
    /// The connection is not active.
    #[error("the connection is not active")]
    ConnectionNotActive,
    /// It does not stand where this can be done to it.
    #[error("the pairing is {0}")]
    InvalidStatus(PairingStatus),
    /// The caller has no part in it.
    #[error("the pairing is between others")]
    NotAParty,
    /// The other agent has no keys.
    #[error("the other agent has no public key")]
    TargetNotConnected,
}

impl Pairing {
    /// A proposal of the owner of `mine` to pair it with `theirs`.
    pub fn propose(
        id: PairingId,
        connection: &Connection,
        mine: &Agent,
        theirs: &Agent,
        permission: Permission,
        now: Timestamp,
    ) -> Result<Self, PairingError> {
        if !connection.is_active() {
            return Err(PairingError::ConnectionNotActive);
        }
        // Of one account both would be, if this were not looked at.
        if connection.other(mine.account) != Some(theirs.account) {
            return Err(PairingError::AgentNotFound);
        }
        if mine.keys().is_none() {
            return Err(PairingError::AgentNotConnected);
        }
        // Ahead of its keys: of an agent that is kept apart nothing more is said.
        if !theirs.available_for_connections {
            return Err(PairingError::AgentNotAvailable);
        }
        if theirs.keys().is_none() {
            return Err(PairingError::TargetNotConnected);
        }
        let [one, other] = [mine, theirs].map(|it| Party {
            agent: it.id,
            account: it.account,
        });
        let (a, b) = if one.agent < other.agent {
            (one, other)
        } else {
            (other, one)
        };
        Ok(Self {
            id,
            connection: connection.id,
            a,
            b,
            proposed_by: mine.account,
            permission,
            terms_by: mine.account,
            created_at: now,
            confirmed_at: None,
            revoked_at: None,
        })
    }

    /// Where it stands.
    pub const fn status(&self) -> PairingStatus {
        match (self.confirmed_at, self.revoked_at) {
            (_, Some(_)) => PairingStatus::Revoked,
            (Some(_), None) => PairingStatus::Active,
            (None, None) => PairingStatus::Pending,
        }
    }

    /// Whether its agents exchange files, now.
    pub fn is_active(&self) -> bool {
        self.status() == PairingStatus::Active
    }

    /// The side of `account`, if it has one.
    pub fn side_of(&self, account: AccountId) -> Option<Party> {
        [self.a, self.b]
            .into_iter()
            .find(|it| it.account == account)
    }

    /// The agent that `agent` is paired with, if it is one of the two.
    pub fn other(&self, agent: AgentId) -> Option<Party> {
        if self.a.agent == agent {
            Some(self.b)
        } else if self.b.agent == agent {
            Some(self.a)
        } else {
            None
        }
    }

    /// Which way files may go, as `viewer` sees it.
    pub fn permission_for(&self, viewer: AccountId) -> Permission {
        if viewer == self.proposed_by {
            self.permission
        } else {
            self.permission.flipped()
        }
    }

    /// Agrees to it as it stands.
    pub fn confirm(self, by: AccountId, now: Timestamp) -> Result<Self, PairingError> {
        self.require_party(by)?;
        match self.status() {
            PairingStatus::Pending => {}
            status @ (PairingStatus::Active | PairingStatus::Revoked) => {
                return Err(PairingError::InvalidStatus(status));
            }
        }
        if by == self.terms_by {
            return Err(PairingError::CannotConfirmOwn);
        }
        Ok(Self {
            confirmed_at: Some(now),
            ..self
        })
    }

    /// Sets which way files may go, as `by` sees it; until the other side confirms that, they go
    /// neither way.
    pub fn change_permission(
        self,
        by: AccountId,
        permission: Permission,
    ) -> Result<Self, PairingError> {
        self.require_party(by)?;
        if self.revoked_at.is_some() {
            return Err(PairingError::InvalidStatus(PairingStatus::Revoked));
        }
        let permission = if by == self.proposed_by {
            permission
        } else {
            permission.flipped()
        };
        Ok(Self {
            permission,
            terms_by: by,
            confirmed_at: None,
            ..self
        })
    }

    /// Ends it, whichever side asks; where it waits, turns it down or takes it back.
    pub fn revoke(self, by: AccountId, now: Timestamp) -> Result<Self, PairingError> {
        self.require_party(by)?;
        match self.revoked_at {
            Some(_) => Err(PairingError::AlreadyRevoked),
            None => Ok(Self {
                revoked_at: Some(now),
                ..self
            }),
        }
    }

    fn require_party(&self, account: AccountId) -> Result<(), PairingError> {
        match self.side_of(account) {
            Some(_) => Ok(()),
            None => Err(PairingError::NotAParty),
        }
    }
}

#[cfg(test)]
mod tests;
