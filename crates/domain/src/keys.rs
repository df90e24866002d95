//! API keys.

use agentdrop_protocol::text::Name;
use agentdrop_protocol::{AccountId, KeyId, Timestamp};

use crate::{Credential, Scope};

/// An API key, less the key itself, which nobody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's id.
    pub id: KeyId,
    /// The account it belongs to.
    pub account: AccountId,
    /// What it may act as.
    pub scope: Scope,
    /// What it is for, for people.
    pub name: Name,
    /// How it begins, to tell one from another.
    pub prefix: String,
    /// SHA-256 of the key. It has 190 bits of chance, so a slow hash would add nothing.
    pub digest: [u8; 32],
    /// Transfers created with it.
    pub transfer_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it works no more.
    pub revoked_at: Option<Timestamp>,
}

/// Why a key cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It was revoked before.
    #[error("the key is revoked")]
    Revoked,
    /// It is the key that asks.
    #[error("a key cannot revoke itself; use another one")]
    SelfRevoke,
}

impl Key {
    /// Ends the key, at once and for ever.
    pub fn revoke(self, by: Credential, now: Timestamp) -> Result<Self, KeyError> {
        if by == Credential::Key(self.id) {
            return Err(KeyError::SelfRevoke);
        }
        if self.revoked_at.is_some() {
            return Err(KeyError::Revoked);
        }
        Ok(Self {
            revoked_at: Some(now),
            ..self
        })
    }
}
