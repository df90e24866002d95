//! Connections between accounts, and the invitations they begin as.

use agentdrop_protocol::text::{Email, InviteMessage};
use agentdrop_protocol::wire::connections::ConnectionState;
use agentdrop_protocol::{AccountId, ConnectionId, Timestamp};

use crate::accounts::Account;

/// That two accounts deal with each other, or that one of them would like to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// The account that sent the invitation.
    pub inviter: AccountId,
    /// The account that it went to; absent while it waits for one with that address.
    pub invitee: Option<AccountId>,
    /// Where the invitation went, as its sender spelled it.
    pub email: Email,
    /// What its sender told.
    pub message: Option<InviteMessage>,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// Since when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// Why a connection cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The two are connected already.
    #[error("the two accounts are connected already")]
    AlreadyConnected,
    /// It was accepted or taken back before.
    #[error("the invitation was accepted or taken back before")]
    AlreadyProcessed,
    /// It is over already.
    #[error("the connection is revoked already")]
    AlreadyRevoked,
    /// An invitation between the two waits for an answer.
    #[error("an invitation between the two waits for an answer already")]
    InvitePending,
    /// The caller has no part in it.
    #[error("the connection is between others")]
    NotAParty,
    /// Who sent an invitation cannot answer it.
    #[error("only the account that was invited can answer the invitation")]
    OwnInvite,
    /// Both sides are one account.
    #[error("an account cannot be connected with itself")]
    SelfConnection,
}

impl Connection {
    /// An invitation of `inviter` to the owner of `email`, who has the account `invitee` or none
    /// yet. `existing` is what there is between the two that is not over.
    pub fn invite(
        id: ConnectionId,
        inviter: &Account,
        invitee: Option<&Account>,
        email: Email,
        message: Option<InviteMessage>,
        existing: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, ConnectionError> {
        let own = invitee.is_some_and(|it| it.id == inviter.id);
        if own || email.folded() == inviter.email.folded() {
            return Err(ConnectionError::SelfConnection);
        }
        match existing.map(Self::state) {
            Some(ConnectionState::Active) => return Err(ConnectionError::AlreadyConnected),
            Some(ConnectionState::Pending) => return Err(ConnectionError::InvitePending),
            Some(ConnectionState::Rejected | ConnectionState::Revoked) | None => {}
        }
        Ok(Self {
            id,
            inviter: inviter.id,
            invitee: invitee.map(|it| it.id),
            email,
            message,
            created_at: now,
            accepted_at: None,
            revoked_at: None,
        })
    }

    /// Where it stands.
    pub const fn state(&self) -> ConnectionState {
        match (self.accepted_at, self.revoked_at) {
            (_, Some(_)) => ConnectionState::Revoked,
            (Some(_), None) => ConnectionState::Active,
            (None, None) => ConnectionState::Pending,
        }
    }

    /// Whether both accounts want it, now.
    pub fn is_active(&self) -> bool {
        self.state() == ConnectionState::Active
    }

    /// The account on the other side of `account`, if there is one yet and `account` is a party.
    pub fn other(&self, account: AccountId) -> Option<AccountId> {
        if self.inviter == account {
            self.invitee
        } else if self.invitee == Some(account) {
            Some(self.inviter)
        } else {
            None
        }
    }

    /// Whether the invitation went to `account`: to itself, or to its address while nobody had it.
    ///
    /// Whoever only says that an address is theirs is not shown what was sent to it.
    pub fn is_addressed_to(&self, account: &Account) -> bool {
        match self.invitee {
            Some(invitee) => invitee == account.id,
            None => {
                self.inviter != account.id
                    && account.email_verified_at.is_some()
                    && self.email.folded() == account.email.folded()
            }
        }
    }

    /// Takes the invitation up.
    pub fn accept(self, by: &Account, now: Timestamp) -> Result<Self, ConnectionError> {
        self.require_answerable(by)?;
        Ok(Self {
            invitee: Some(by.id),
            accepted_at: Some(now),
            ..self
        })
    }

    /// Turns the invitation down; answers what is to be deleted, so that nothing of it is left.
    pub fn reject(self, by: &Account) -> Result<Self, ConnectionError> {
        self.require_answerable(by)?;
        Ok(self)
    }

    /// Ends it, whichever side asks; of its sender, takes the invitation back.
    pub fn revoke(self, by: &Account, now: Timestamp) -> Result<Self, ConnectionError> {
        if self.inviter != by.id && !self.is_addressed_to(by) {
            return Err(ConnectionError::NotAParty);
        }
        match self.revoked_at {
            Some(_) => Err(ConnectionError::AlreadyRevoked),
            None => Ok(Self {
                revoked_at: Some(now),
                ..self
            }),
        }
    }

    fn require_answerable(&self, by: &Account) -> Result<(), ConnectionError> {
        if self.inviter == by.id {
            return Err(ConnectionError::OwnInvite);
        }
        if !self.is_addressed_to(by) {
            return Err(ConnectionError::NotAParty);
        }
        match self.state() {
            ConnectionState::Pending => Ok(()),
            ConnectionState::Active | ConnectionState::Rejected | ConnectionState::Revoked => {
                Err(ConnectionError::AlreadyProcessed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use agentdrop_protocol::wire::plans::Plan;

    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn account(name: &str, byte: u8) -> Account {
        Account {
            id: AccountId::new(at(1), [byte; 10]),
            name: name.parse().unwrap(),
            email: format!("{name}@example.org").parse().unwrap(),
            email_verified_at: Some(at(1)),
            plan: Plan::Enterprise,
            created_at: at(1),
        }
    }

    fn invite(from: &Account, to: Option<&Account>, email: &str) -> Connection {
        let id = ConnectionId::new(at(2), [9; 10]);
        Connection::invite(id, from, to, email.parse().unwrap(), None, None, at(2)).unwrap()
    }

    fn cast() -> [Account; 3] {
        [
            account("alice", 1),
            account("bob", 2),
            account("mallory", 3),
        ]
    }

    #[test]
    fn an_invitation_is_accepted_by_whom_it_went_to_and_once() {
        let [alice, bob, mallory] = cast();
        let sent = invite(&alice, Some(&bob), "bob@example.org");
        assert_eq!(sent.state(), ConnectionState::Pending);
        let refused = |by| sent.clone().accept(by, at(3));
        assert_eq!(refused(&alice), Err(ConnectionError::OwnInvite));
        assert_eq!(refused(&mallory), Err(ConnectionError::NotAParty));
        let active = sent.clone().accept(&bob, at(3)).unwrap();
        assert!(active.is_active());
        assert_eq!(active.accepted_at, Some(at(3)));
        let again = active.clone().accept(&bob, at(4));
        assert_eq!(again, Err(ConnectionError::AlreadyProcessed));
        let late = active.clone().reject(&bob);
        assert_eq!(late, Err(ConnectionError::AlreadyProcessed));
        assert_eq!(active.other(alice.id), Some(bob.id));
        assert_eq!(active.other(bob.id), Some(alice.id));
        assert_eq!(active.other(mallory.id), None);
    }

    #[test]
    fn an_invitation_without_an_account_waits_for_one_with_that_address() {
        let [alice, bob, mallory] = cast();
        let sent = invite(&alice, None, "Bob@Example.org");
        assert_eq!(sent.other(alice.id), None);
        assert!(sent.is_addressed_to(&bob));
        assert!(!sent.is_addressed_to(&mallory));
        let unverified = Account {
            email_verified_at: None,
            ..bob.clone()
        };
        assert!(!sent.is_addressed_to(&unverified));
        let refused = sent.clone().accept(&mallory, at(3));
        assert_eq!(refused, Err(ConnectionError::NotAParty));
        let active = sent.accept(&bob, at(3)).unwrap();
        assert_eq!(active.invitee, Some(bob.id));
    }

    #[test]
    fn once_it_has_an_account_another_with_that_address_is_not_it() {
        let [alice, bob, mut mallory] = cast();
        let sent = invite(&alice, Some(&bob), "bob@example.org");
        mallory.email = "bob@example.org".parse().unwrap();
        assert!(!sent.is_addressed_to(&mallory));
    }

    #[test]
    fn an_invitation_is_turned_down_by_whom_it_went_to() {
        let [alice, bob, mallory] = cast();
        let sent = invite(&alice, Some(&bob), "bob@example.org");
        assert_eq!(sent.clone().reject(&alice), Err(ConnectionError::OwnInvite));
        assert_eq!(
            sent.clone().reject(&mallory),
            Err(ConnectionError::NotAParty)
        );
        assert_eq!(sent.clone().reject(&bob), Ok(sent));
    }

    #[test]
    fn either_side_ends_it_and_once() {
        let [alice, bob, mallory] = cast();
        let sent = invite(&alice, Some(&bob), "bob@example.org");
        let cancelled = sent.clone().revoke(&alice, at(3)).unwrap();
        assert_eq!(cancelled.state(), ConnectionState::Revoked);
        let late = cancelled.accept(&bob, at(4));
        assert_eq!(late, Err(ConnectionError::AlreadyProcessed));

        let active = sent.accept(&bob, at(3)).unwrap();
        let refused = active.clone().revoke(&mallory, at(4));
        assert_eq!(refused, Err(ConnectionError::NotAParty));
        for by in [&alice, &bob] {
            let over = active.clone().revoke(by, at(4)).unwrap();
            assert_eq!(over.revoked_at, Some(at(4)));
            assert!(!over.is_active());
            let again = over.revoke(by, at(5));
            assert_eq!(again, Err(ConnectionError::AlreadyRevoked));
        }
    }

    #[test]
    fn nobody_invites_themselves_or_twice() {
        let [alice, bob, _] = cast();
        let invite_again = |to: Option<&Account>, email: &str, existing: Option<&Connection>| {
            let id = ConnectionId::new(at(2), [9; 10]);
            let email = email.parse().unwrap();
            Connection::invite(id, &alice, to, email, None, existing, at(5))
        };
        for (to, email) in [
            (Some(&alice), "other@example.org"),
            (None, "ALICE@example.org"),
        ] {
            let refused = invite_again(to, email, None);
            assert_eq!(refused, Err(ConnectionError::SelfConnection));
        }
        let pending = invite(&bob, Some(&alice), "alice@example.org");
        let crossing = invite_again(Some(&bob), "bob@example.org", Some(&pending));
        assert_eq!(crossing, Err(ConnectionError::InvitePending));
        let active = pending.accept(&alice, at(3)).unwrap();
        let twice = invite_again(Some(&bob), "bob@example.org", Some(&active));
        assert_eq!(twice, Err(ConnectionError::AlreadyConnected));
        let over = active.revoke(&bob, at(4)).unwrap();
        assert!(invite_again(Some(&bob), "bob@example.org", Some(&over)).is_ok());
    }
}
