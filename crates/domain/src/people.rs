//! Sending to people: who can open what, and how many strangers may be written to.

use std::time::Duration;

use agentdrop_protocol::limits::{MAX_STRANGERS, STRANGER_WINDOW};
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{EncryptionPublicKey, Timestamp};

use crate::plans::Sent;

/// What is known of whoever has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They have an account, and this key, which their receive password opens.
    Enrolled(EncryptionPublicKey),
    /// They have an account.
    Registered,
    /// They have none, or it is not known whose the address is.
    Stranger,
}

/// Why something cannot be sent to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// It was encrypted for a key that the person does not have, or not any more.
    #[error("the recipient has no such key now; ask for it again, and encrypt for that one")]
    KeyChanged,
    /// Their mail would name an address that may be somebody else's.
    #[error(
        "the account's address is not verified, and no person is written to in its name; \
         `agentdrop account verify` has a link mailed"
    )]
    SenderNotVerified,
    /// As many strangers as allowed were written to.
    #[error(
        "an account may send to {MAX_STRANGERS} addresses a day that nobody is registered with"
    )]
    TooManyStrangers {
        /// How long it is until there is room for another.
        resets_in: Duration,
    },
}

impl Standing {
    /// Where a transfer to them begins.
    ///
    /// What its sender did not encrypt waits even for who has a key: their lookup was before that,
    /// and the server is to encrypt it for the key first.
    pub const fn status_of(self, sent: Sent) -> Result<TransferStatus, PersonError> {
        match (self, sent) {
            (Self::Enrolled(_), Sent::Sealed) => Ok(TransferStatus::Active),
            (Self::Registered | Self::Stranger, Sent::Sealed) => Err(PersonError::KeyChanged),
            (_, Sent::Plain) => Ok(TransferStatus::PendingRecipient),
        }
    }

    /// What files to them are encrypted for.
    pub const fn key(self) -> Option<EncryptionPublicKey> {
        match self {
            Self::Enrolled(key) => Some(key),
            Self::Registered | Self::Stranger => None,
        }
    }
}

/// Whether another stranger may be written to, given when others were, newest first: each may be
/// an e-mail to somebody who did not ask for it.
pub fn require_few_strangers(sent: &[Timestamp], now: Timestamp) -> Result<(), PersonError> {
    // Once this one no longer counts, there is room for another.
    let Some(oldest) = sent.get(MAX_STRANGERS as usize - 1) else {
        return Ok(());
    };
    let resets_in = oldest.plus(STRANGER_WINDOW).since(now);
    Err(PersonError::TooManyStrangers { resets_in })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn only_who_has_a_key_gets_what_was_encrypted() {
        let key = EncryptionPublicKey::try_from([9; 32]).unwrap();
        let enrolled = Standing::Enrolled(key);
        assert_eq!(enrolled.status_of(Sent::Sealed), Ok(TransferStatus::Active));
        assert_eq!(enrolled.key(), Some(key));
        for standing in [Standing::Registered, Standing::Stranger] {
            let refused = standing.status_of(Sent::Sealed);
            assert_eq!(refused, Err(PersonError::KeyChanged));
            assert_eq!(standing.key(), None);
        }
        for standing in [enrolled, Standing::Registered, Standing::Stranger] {
            let waits = standing.status_of(Sent::Plain);
            assert_eq!(waits, Ok(TransferStatus::PendingRecipient));
        }
    }

    #[test]
    fn a_sixth_stranger_a_day_waits_until_the_first_is_a_day_ago() {
        let hour = Duration::from_hours(1);
        let sent: Vec<_> = (1..=5).map(|it| NOW.minus(it * hour)).collect();
        assert_eq!(require_few_strangers(&sent[..4], NOW), Ok(()));
        let resets_in = 19 * hour;
        let refused = require_few_strangers(&sent, NOW);
        assert_eq!(refused, Err(PersonError::TooManyStrangers { resets_in }));
    }
}
