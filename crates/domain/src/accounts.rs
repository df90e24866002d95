//! Accounts.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{AccountId, Password, Timestamp};

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

/// What the owner of an account has set, apart from what others see of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSettings {
    /// What the password is checked against; without one nobody signs in.
    pub password: Option<PasswordHash>,
    /// Whether only what its sender encrypted goes from and to its agents.
    pub require_encryption: bool,
}

/// The hash of a password, with all it was made with. Whoever has it can guess at leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why something cannot be done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The password is the account's address or name, which is tried first.
    #[error("must not be the address or the name of the account")]
    PasswordIsKnown,
}

impl Account {
    /// Refuses a password that everybody knows who knows the account.
    pub fn check_password(&self, password: &Password) -> Result<(), AccountError> {
        let local = self.email.as_str().split('@').next().unwrap_or_default();
        let known = [self.email.as_str(), local, self.name.as_str()];
        if known.iter().any(|it| password.is_text(it)) {
            return Err(AccountError::PasswordIsKnown);
        }
        Ok(())
    }
}

impl PasswordHash {
    /// The hash.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl FromStr for PasswordHash {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_everybody_knows_is_none() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let account = Account {
            id: AccountId::new(now, [1; 10]),
            name: "Alex Morgan".parse().unwrap(),
            email: "alexandra@example.org".parse().unwrap(),
            email_verified_at: None,
            plan: Plan::Enterprise,
            created_at: now,
        };
        for known in ["alex morgan", "Alexandra@EXAMPLE.org", "alexandra"] {
            let refused = account.check_password(&known.parse().unwrap());
            assert_eq!(refused, Err(AccountError::PasswordIsKnown), "{known}");
        }
        let good = "alex morgan's horse".parse().unwrap();
        assert_eq!(account.check_password(&good), Ok(()));
    }

    #[test]
    fn a_hash_is_not_printed_by_accident() {
        let Ok(hash) = "$argon2id$secret".parse::<PasswordHash>();
        assert_eq!(format!("{hash:?}"), "PasswordHash");
    }
}
