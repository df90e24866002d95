//! Mailed links by which people open what they were sent.

use agentdrop_protocol::Timestamp;
use agentdrop_protocol::wire::links::NextStep;
use agentdrop_protocol::wire::transfers::TransferStatus;

use crate::people::Standing;
use crate::transfers::Transfer;

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// What it led to is over, or there never was such a link: which of the two is not told.
    #[error("there is nothing behind this link, or not any more")]
    Gone,
    /// Its recipient has something to do first, or the server.
    #[error("the transfer cannot be downloaded yet; look at what the link says is to be done")]
    NotReady,
}

/// What whoever a transfer is for has to do next, given what is known of them; nothing, once it
/// cannot be opened any more.
pub fn next_step(
    transfer: &Transfer,
    standing: Standing,
    now: Timestamp,
) -> Result<NextStep, LinkError> {
    match transfer.status_at(now) {
        TransferStatus::Active => Ok(NextStep::Open),
        TransferStatus::PendingRecipient => Ok(match standing {
            Standing::Enrolled(_) => NextStep::Wait,
            Standing::Registered => NextStep::SetReceivePassword,
            Standing::Stranger => NextStep::SignUp,
        }),
        TransferStatus::Pending
        | TransferStatus::Downloaded
        | TransferStatus::Expired
        | TransferStatus::Deleted => Err(LinkError::Gone),
    }
}

/// Refuses what cannot be opened any more, before anything else is looked at.
pub fn require_open(transfer: &Transfer, now: Timestamp) -> Result<(), LinkError> {
    // Whoever it is for, it can be opened or it cannot.
    next_step(transfer, Standing::Stranger, now).map(drop)
}

/// Whether somebody with the link may say how a download ended: also of the last one.
pub fn require_told(transfer: &Transfer, now: Timestamp) -> Result<(), LinkError> {
    match transfer.status_at(now) {
        TransferStatus::Active => Ok(()),
        TransferStatus::Downloaded if now < transfer.expires_at => Ok(()),
        TransferStatus::Pending
        | TransferStatus::PendingRecipient
        | TransferStatus::Downloaded
        | TransferStatus::Expired
        | TransferStatus::Deleted => Err(LinkError::Gone),
    }
}

#[cfg(test)]
mod tests {
    use agentdrop_protocol::wire::transfers::TransferMode;
    use agentdrop_protocol::{AccountId, EncryptionPublicKey, KeyId, TransferId};

    use super::*;
    use crate::Credential;
    use crate::transfers::{Recipient, Sender};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const END: Timestamp = Timestamp::from_millis(1_790_000_001_000);

    fn transfer(status: TransferStatus) -> Transfer {
        Transfer {
            id: TransferId::new(NOW, [1; 10]),
            mode: TransferMode::AgentToHuman,
            sender: Sender {
                account: AccountId::new(NOW, [2; 10]),
                agent: None,
                label: "alice".parse().unwrap(),
                credential: Credential::Key(KeyId::new(NOW, [3; 10])),
            },
            recipient: Recipient::Person {
                email: "pat@example.org".parse().unwrap(),
                account: None,
            },
            sealing: None,
            wrapped_key: vec![],
            details: vec![],
            files: vec![],
            auto_delete: false,
            max_downloads: 1,
            downloads: 0,
            status,
            bytes_until: Some(END),
            created_at: NOW,
            announced: false,
            expires_at: END,
            deleted_at: None,
        }
    }

    #[test]
    fn what_is_to_be_done_is_told_until_it_cannot_be_opened_any_more() {
        let key = EncryptionPublicKey::try_from([9; 32]).unwrap();
        for (standing, step) in [
            (Standing::Enrolled(key), NextStep::Wait),
            (Standing::Registered, NextStep::SetReceivePassword),
            (Standing::Stranger, NextStep::SignUp),
        ] {
            let waits = transfer(TransferStatus::PendingRecipient);
            assert_eq!(next_step(&waits, standing, NOW), Ok(step));
            assert_eq!(next_step(&waits, standing, END), Err(LinkError::Gone));
            let ready = transfer(TransferStatus::Active);
            assert_eq!(next_step(&ready, standing, NOW), Ok(NextStep::Open));
            assert_eq!(next_step(&ready, standing, END), Err(LinkError::Gone));
            for over in [
                TransferStatus::Pending,
                TransferStatus::Downloaded,
                TransferStatus::Expired,
                TransferStatus::Deleted,
            ] {
                let over = transfer(over);
                assert_eq!(next_step(&over, standing, NOW), Err(LinkError::Gone));
                assert_eq!(require_open(&over, NOW), Err(LinkError::Gone));
            }
        }
    }

    #[test]
    fn how_the_last_download_ended_may_be_told_until_it_expires() {
        for status in [TransferStatus::Active, TransferStatus::Downloaded] {
            assert_eq!(require_told(&transfer(status), NOW), Ok(()));
            let late = require_told(&transfer(status), END);
            assert_eq!(late, Err(LinkError::Gone));
        }
        for status in [
            TransferStatus::Pending,
            TransferStatus::PendingRecipient,
            TransferStatus::Deleted,
        ] {
            let refused = require_told(&transfer(status), NOW);
            assert_eq!(refused, Err(LinkError::Gone));
        }
    }
}
