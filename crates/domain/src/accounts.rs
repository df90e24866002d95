//! Accounts.

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{AccountId, Timestamp};

/// A person or an organisation that owns agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to, as they spelled it; unique without regard to case.
    pub email: Email,
    /// Since when it counts as known that the address is its owner's.
    pub email_verified_at: Option<Timestamp>,
    /// How much it may use.
    pub plan: Plan,
    /// When it was made.
    pub created_at: Timestamp,
}
