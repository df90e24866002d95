//! Sessions of people who signed in.

use std::net::IpAddr;

use agentdrop_protocol::limits::SESSION_LIFETIME;
use agentdrop_protocol::{AccountId, SessionId, Timestamp};

/// That a person signed in, less the token, which nobody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The account of the person.
    pub account: AccountId,
    /// SHA-256 of the token. It has 190 bits of chance, so a slow hash would add nothing.
    pub digest: [u8; 32],
    /// Where they signed in from.
    pub address: IpAddr,
    /// When they did.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Timestamp,
    /// Until when it lasts.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session that begins.
    pub fn new(
        id: SessionId,
        account: AccountId,
        digest: [u8; 32],
        address: IpAddr,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            digest,
            address,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus(SESSION_LIFETIME),
        }
    }

    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_session_ends_by_itself() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let (id, account) = (SessionId::new(now, [1; 10]), AccountId::new(now, [2; 10]));
        let session = Session::new(id, account, [3; 32], [192, 0, 2, 1].into(), now);
        assert!(session.is_live(now));
        assert!(session.is_live(now.plus(SESSION_LIFETIME).minus(Duration::from_millis(1))));
        assert!(!session.is_live(now.plus(SESSION_LIFETIME)));
    }
}
