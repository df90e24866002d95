//! Accounts.

use serde::{Deserialize, Serialize};

use super::plans::Plan;
use crate::text::{Email, Name};
use crate::{AccountId, LinkToken, Password, Timestamp};

/// Asks for an account.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateAccount {
    /// What the account is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
    /// What its owner signs in with. Without one nobody does, until it is set by a mailed link.
    #[serde(
        default,
        serialize_with = "Password::serialize_optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub password: Option<Password>,
    /// The token of a mailed link to files for this address: whoever has it has read the mail, so
    /// that the address counts as theirs.
    #[serde(
        default,
        serialize_with = "LinkToken::serialize_optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub invitation: Option<LinkToken>,
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

/// An account, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnAccount {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
    /// Whether it counts as known that the address is its owner's.
    pub email_verified: bool,
    /// Whether its owner can sign in.
    pub has_password: bool,
    /// Whether only what its sender encrypted goes from and to its agents.
    pub require_encryption: bool,
    /// Its plan.
    pub plan: Plan,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Changes an account. What is left out stays.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateAccount {
    /// What it is called from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether only what its sender encrypted goes from and to its agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_encryption: Option<bool>,
    /// What its owner signs in with from now on; in a session alone, and it ends all others.
    #[serde(
        default,
        serialize_with = "Password::serialize_optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub password: Option<Password>,
    /// The password so far, which changing it takes.
    #[serde(
        default,
        serialize_with = "Password::serialize_optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub current_password: Option<Password>,
}

/// Deletes an account, with everything of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteAccount {
    /// The password, so that nobody does this at a screen that was left alone.
    #[serde(serialize_with = "Password::serialize")]
    pub password: Password,
}
