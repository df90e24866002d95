//! Accounts that an account wants nothing to do with.

use agentdrop_protocol::{AccountId, BlockId, Timestamp};

use crate::accounts::Account;
use crate::connections::Connection;

/// That an account wants nothing to do with another. Neither can invite the other then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The note of it, by which it is taken back.
    pub id: BlockId,
    /// Who wants nothing to do with the other.
    pub blocker: AccountId,
    /// The other.
    pub blocked: AccountId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Why an account cannot be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The invitation was never accepted, and whoever sent it is not to learn whether it went to
    /// an account.
    #[error("nobody has accepted this invitation; take it back instead")]
    NoAccount,
}

impl Block {
    /// A note that `by` wants nothing to do with the other side of `connection`.
    pub fn of(
        id: BlockId,
        connection: &Connection,
        by: &Account,
        now: Timestamp,
    ) -> Result<Self, BlockError> {
        let accepted = connection.accepted_at.is_some();
        let other = connection.other(by.id).filter(|_| accepted);
        let inviter = connection.is_addressed_to(by).then_some(connection.inviter);
        Ok(Self {
            id,
            blocker: by.id,
            blocked: other.or(inviter).ok_or(BlockError::NoAccount)?,
            created_at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use agentdrop_protocol::wire::plans::Plan;

    use super::*;

    #[test]
    fn each_side_blocks_the_other_if_there_is_one() {
        let now = Timestamp::from_millis(1);
        let account = |name: &str, byte| Account {
            id: AccountId::new(now, [byte; 10]),
            name: name.parse().unwrap(),
            email: format!("{name}@example.org").parse().unwrap(),
            email_verified_at: Some(now),
            plan: Plan::Enterprise,
            created_at: now,
        };
        let (alice, bob) = (account("alice", 1), account("bob", 2));
        let id = BlockId::new(now, [3; 10]);
        let mut connection = Connection {
            id: agentdrop_protocol::ConnectionId::new(now, [4; 10]),
            inviter: alice.id,
            invitee: Some(bob.id),
            email: bob.email.clone(),
            message: None,
            created_at: now,
            accepted_at: None,
            revoked_at: None,
        };
        let blocked = |connection: &Connection, by| Block::of(id, connection, by, now);
        assert_eq!(blocked(&connection, &bob).unwrap().blocked, alice.id);
        assert_eq!(blocked(&connection, &alice), Err(BlockError::NoAccount));
        connection.accepted_at = Some(now);
        assert_eq!(blocked(&connection, &alice).unwrap().blocked, bob.id);
        assert_eq!(blocked(&connection, &bob).unwrap().blocked, alice.id);
        (connection.accepted_at, connection.invitee) = (None, None);
        assert_eq!(blocked(&connection, &bob).unwrap().blocked, alice.id);
        assert_eq!(blocked(&connection, &alice), Err(BlockError::NoAccount));
    }
}
