//! What the plans allow, and who goes over it.
//!
//! A plan that is lowered takes nothing away: what is there stays, and only more of it is refused.

use std::time::Duration;

use agentdrop_protocol::Lifetime;
use agentdrop_protocol::limits::{MAX_SEALED_BYTES, SEAL_BYTES};
use agentdrop_protocol::wire::plans::Plan;

/// What a plan allows; absent is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transfers created in a month, whatever becomes of them.
    pub transfers_per_month: Option<u64>,
    /// Bytes of one file, before it is encrypted.
    pub max_file_bytes: u64,
    /// Bytes of the transfers that were sent and can still be fetched.
    pub storage_bytes: Option<u64>,
    /// How long a transfer may live.
    pub max_lifetime: Lifetime,
    /// Keys of the account that work; those of its agents do not count.
    pub account_keys: Option<u64>,
    /// Agents.
    pub agents: Option<u64>,
    /// Connections to other accounts, and invitations that were sent.
    pub connections: Option<u64>,
    /// Pairings under one connection, and those that were proposed.
    pub pairings_per_connection: Option<u64>,
}

/// Who encrypted a file that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nobody yet.
    Plain,
    /// Its sender, which made it a little longer.
    Sealed,
}

/// What a plan does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There are as many agents as the plan allows.
    #[error("the plan allows {0} agents; delete one, or take a larger plan")]
    Agents(u64),
    /// There are as many connections as the plan allows.
    #[error("the plan allows {0} connections, invitations that wait among them")]
    Connections(u64),
    /// A file is larger than the plan allows.
    #[error("a file is larger than the {0} bytes that the plan allows")]
    File(u64),
    /// There are as many keys as the plan allows.
    #[error("the plan allows {0} keys of the account; revoke one, or take a larger plan")]
    Keys(u64),
    /// A transfer would live longer than the plan allows.
    #[error("must be at most {0}, which is what the plan allows")]
    Lifetime(Lifetime),
    /// There are as many pairings under the connection as the plan allows.
    #[error("the plan allows {0} pairings a connection")]
    Pairings(u64),
    /// What is stored would be more than the plan allows.
    #[error("this would be more than the {0} bytes that the plan stores; delete transfers")]
    Storage(u64),
    /// The transfers of this month are used up.
    #[error("the plan allows {allowed} transfers a month, and they are used up")]
    Transfers {
        /// How many there may be.
        allowed: u64,
        /// How long it is until the next month begins.
        resets_in: Duration,
    },
}

const MB: u64 = 1_000_000;
const GB: u64 = 1_000 * MB;
const TB: u64 = 1_000 * GB;

impl Limits {
    /// What `plan` allows.
    pub const fn of(plan: Plan) -> Self {
        match plan {
            Plan::Free => Self {
                transfers_per_month: Some(50),
                max_file_bytes: 50 * MB,
                storage_bytes: Some(250 * MB),
                max_lifetime: Lifetime::from_days(1),
                account_keys: Some(2),
                agents: Some(2),
                connections: Some(3),
                pairings_per_connection: Some(2),
            },
            Plan::Builder => Self {
                transfers_per_month: Some(500),
                max_file_bytes: 500 * MB,
                storage_bytes: Some(25 * GB),
                max_lifetime: Lifetime::from_days(14),
                account_keys: Some(10),
                agents: Some(10),
                connections: Some(10),
                pairings_per_connection: Some(10),
            },
            Plan::Team => Self {
                transfers_per_month: Some(5_000),
                max_file_bytes: 2 * GB,
                storage_bytes: Some(100 * GB),
                max_lifetime: Lifetime::from_days(30),
                account_keys: Some(50),
                agents: Some(50),
                connections: Some(50),
                pairings_per_connection: Some(50),
            },
            Plan::Scale => Self {
                transfers_per_month: Some(50_000),
                max_file_bytes: 10 * GB,
                storage_bytes: Some(TB),
                max_lifetime: Lifetime::from_days(90),
                account_keys: None,
                agents: Some(200),
                connections: Some(500),
                pairings_per_connection: Some(200),
            },
            Plan::Enterprise => Self {
                transfers_per_month: None,
                // What one message of the formats holds.
                max_file_bytes: MAX_SEALED_BYTES - SEAL_BYTES,
                storage_bytes: None,
                max_lifetime: Lifetime::from_days(365),
                account_keys: None,
                agents: None,
                connections: None,
                pairings_per_connection: None,
            },
        }
    }

    /// Refuses an agent beside the `have` that there are.
    pub fn require_agent(&self, have: u64) -> Result<(), PlanError> {
        one_more(have, self.agents).map_err(PlanError::Agents)
    }

    /// Refuses a connection beside the `have` that there are.
    pub fn require_connection(&self, have: u64) -> Result<(), PlanError> {
        one_more(have, self.connections).map_err(PlanError::Connections)
    }

    /// Refuses a key of the account beside the `have` that there are.
    pub fn require_key(&self, have: u64) -> Result<(), PlanError> {
        one_more(have, self.account_keys).map_err(PlanError::Keys)
    }

    /// Refuses a pairing beside the `have` that there are under its connection.
    pub fn require_pairing(&self, have: u64) -> Result<(), PlanError> {
        one_more(have, self.pairings_per_connection).map_err(PlanError::Pairings)
    }

    /// Refuses a transfer beside the `have` of this month, which ends in `resets_in`.
    pub fn require_transfer(&self, have: u64, resets_in: Duration) -> Result<(), PlanError> {
        one_more(have, self.transfers_per_month)
            .map_err(|allowed| PlanError::Transfers { allowed, resets_in })
    }

    /// Refuses a file of `size` bytes as it is sent.
    pub const fn require_file(&self, size: u64, sent: Sent) -> Result<(), PlanError> {
        if size > self.max_sent_bytes(sent) {
            return Err(PlanError::File(self.max_file_bytes));
        }
        Ok(())
    }

    /// How many bytes a file may have as it is sent.
    pub const fn max_sent_bytes(&self, sent: Sent) -> u64 {
        match sent {
            Sent::Plain => self.max_file_bytes,
            Sent::Sealed => self.max_file_bytes + SEAL_BYTES,
        }
    }

    /// Refuses a transfer that lives longer.
    pub fn require_lifetime(&self, lifetime: Lifetime) -> Result<(), PlanError> {
        if lifetime > self.max_lifetime {
            return Err(PlanError::Lifetime(self.max_lifetime));
        }
        Ok(())
    }

    /// Refuses `more` bytes beside the `have` that are stored.
    pub const fn require_storage(&self, have: u64, more: u64) -> Result<(), PlanError> {
        match self.storage_bytes {
            Some(allowed) if have.saturating_add(more) > allowed => {
                Err(PlanError::Storage(allowed))
            }
            _ => Ok(()),
        }
    }
}

/// Whether there may be one more; if not, answers how many there may be.
const fn one_more(have: u64, allowed: Option<u64>) -> Result<(), u64> {
    match allowed {
        Some(allowed) if have >= allowed => Err(allowed),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_allowed_and_the_next_is_not() {
        let free = Limits::of(Plan::Free);
        let wait = Duration::from_secs(9);
        assert_eq!(free.require_key(1), Ok(()));
        assert_eq!(free.require_key(2), Err(PlanError::Keys(2)));
        assert_eq!(free.require_agent(1), Ok(()));
        assert_eq!(free.require_agent(2), Err(PlanError::Agents(2)));
        assert_eq!(free.require_connection(2), Ok(()));
        assert_eq!(free.require_connection(3), Err(PlanError::Connections(3)));
        assert_eq!(free.require_pairing(1), Ok(()));
        assert_eq!(free.require_pairing(2), Err(PlanError::Pairings(2)));
        assert_eq!(free.require_transfer(49, wait), Ok(()));
        let (allowed, resets_in) = (50, wait);
        let over = PlanError::Transfers { allowed, resets_in };
        assert_eq!(free.require_transfer(50, wait), Err(over));
        assert_eq!(free.require_storage(0, 250 * MB), Ok(()));
        let over = Err(PlanError::Storage(250 * MB));
        assert_eq!(free.require_storage(1, 250 * MB), over);
        assert_eq!(free.require_storage(u64::MAX, 1), over);
        // What a larger plan has left is kept, and nothing is added to it.
        assert_eq!(free.require_key(9), Err(PlanError::Keys(2)));
        assert_eq!(free.require_storage(251 * MB, 0), over);
    }

    #[test]
    fn a_sealed_file_may_be_longer_by_its_seal_and_no_more() {
        let free = Limits::of(Plan::Free);
        let over = Err(PlanError::File(50 * MB));
        assert_eq!(free.require_file(50 * MB, Sent::Plain), Ok(()));
        assert_eq!(free.require_file(50 * MB + 1, Sent::Plain), over);
        assert_eq!(free.require_file(50 * MB + 16, Sent::Sealed), Ok(()));
        assert_eq!(free.require_file(50 * MB + 17, Sent::Sealed), over);
    }

    #[test]
    fn a_plan_says_how_long_a_transfer_lives() {
        for (plan, longest) in [
            (Plan::Free, "1d"),
            (Plan::Builder, "14d"),
            (Plan::Team, "30d"),
            (Plan::Scale, "90d"),
            (Plan::Enterprise, "365d"),
        ] {
            let limits = Limits::of(plan);
            assert_eq!(limits.max_lifetime.to_string(), longest);
            assert_eq!(limits.require_lifetime(limits.max_lifetime), Ok(()));
            // What nobody asked for must not be refused.
            assert_eq!(limits.require_lifetime(Lifetime::default()), Ok(()));
        }
        let longer = Limits::of(Plan::Free).require_lifetime("25h".parse().unwrap());
        let longest = Lifetime::from_days(1);
        assert_eq!(longer, Err(PlanError::Lifetime(longest)));
    }

    #[test]
    fn a_larger_plan_allows_no_less() {
        let plans = [
            Plan::Free,
            Plan::Builder,
            Plan::Team,
            Plan::Scale,
            Plan::Enterprise,
        ];
        let all = plans.map(Limits::of);
        let or_any = |it: Option<u64>| it.unwrap_or(u64::MAX);
        for (less, more) in all.iter().zip(&all[1..]) {
            let counts = |it: &Limits| {
                [
                    it.transfers_per_month,
                    it.storage_bytes,
                    it.account_keys,
                    it.agents,
                    it.connections,
                    it.pairings_per_connection,
                ]
                .map(or_any)
            };
            let pairs = counts(less).into_iter().zip(counts(more));
            assert!(pairs.into_iter().all(|(less, more)| less <= more));
            assert!(less.max_file_bytes < more.max_file_bytes);
            assert!(less.max_lifetime < more.max_lifetime);
        }
    }
}
