//! Accounts that an account wants nothing to do with.

use serde::{Deserialize, Serialize};

use crate::text::{Email, Name};
use crate::{AccountId, BlockId, Timestamp};

/// An account that was blocked, and what ended with that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockedAccount {
    /// The account.
    pub blocked_account_id: AccountId,
    /// How many pairings ended.
    pub pairings_revoked: u64,
    /// Whether the connection ended; it may have been over before.
    pub connection_revoked: bool,
}

/// A blocked account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Block {
    /// The note of it, by which it is taken back.
    pub id: BlockId,
    /// The account.
    pub account: BlockedParty,
    /// Since when.
    pub blocked_at: Timestamp,
}

/// Who is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockedParty {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
}

/// The accounts that an account has blocked, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Blocks {
    /// The accounts.
    pub blocked: Vec<Block>,
}

/// An account that is blocked no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnblockedAccount {
    /// The account.
    pub unblocked_account_id: AccountId,
    /// What was done, for people.
    pub message: String,
}
