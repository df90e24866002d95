//! Accounts.

use serde::{Deserialize, Serialize};

use super::plans::Plan;
use crate::text::{Email, Name};
use crate::{AccountId, Timestamp};

/// Asks for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateAccount {
    /// What the account is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
}

/// A new account, with its first key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedAccount {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
    /// The account's first key, `agd_live_…`. It is shown this once.
    pub api_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
    /// How much it may use.
    pub plan: Plan,
    /// When it was made.
    pub created_at: Timestamp,
}
