//! Accounts.

use agentdrop_protocol::text::{Email, Name};
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
    /// When it was made.
    pub created_at: Timestamp,
}
