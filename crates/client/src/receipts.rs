//! Receipts of what this agent sent, checked here: what the server says of a delivery is not believed.

use agentdrop_protocol::wire::transfers::{Delivery, DeliveryStatus, Transfer};
use agentdrop_seal::identity::{IdentityPublicKey, Verdict};

use crate::client::Client;
use crate::error::{Error, PeerError, Result};
use crate::trust::SentTransfers;

/// What a receipt is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptCheck {
    /// The recipient signed it, of this transfer.
    Verified,
    /// The recipient did not sign it, or it says other than the server does.
    NotGenuine,
    /// There is none: the delivery is the server's word.
    None,
    /// It cannot be checked: the transfer was not sent from here, or so long ago that it is forgotten.
    Unchecked,
}

impl ReceiptCheck {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotGenuine => "not genuine",
            Self::None => "none",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Client {
    /// Checks the receipt of a delivery of what this agent sent.
    ///
    /// Where it does not fit the key that the recipient is known by, the server is asked whether that
    /// was rotated since.
    pub async fn check_receipt(&self, of: &Transfer, delivery: &Delivery) -> Result<ReceiptCheck> {
        let Some(receipt) = &delivery.receipt else {
            return Ok(ReceiptCheck::None);
        };
        let (Some(mine), Some(recipient)) = (self.identity(), of.recipient_agent_id) else {
            return Ok(ReceiptCheck::Unchecked);
        };
        if of.sender_agent_id != mine.agent_uuid() {
            return Ok(ReceiptCheck::Unchecked);
        }
        let identities = || {
            let known = self.known_agents()?.map(|it| it.look_up(recipient));
            let known = known.transpose()?.flatten();
            Ok::<_, Error>(known.map_or_else(Vec::new, |it| it.identities()))
        };
        let sent = SentTransfers::open(mine.folder());
        let check = |identities: &[IdentityPublicKey]| match sent.check(
            of.id,
            recipient,
            identities,
            receipt.as_bytes(),
        ) {
            Ok(Some(verdict)) if agrees(verdict, delivery.status) => Ok(ReceiptCheck::Verified),
            Ok(None) => Ok(ReceiptCheck::Unchecked),
            Ok(Some(_)) | Err(Error::Peer(PeerError::ReceiptNotGenuine(_))) => {
                Ok(ReceiptCheck::NotGenuine)
            }
            Err(error) => Err(error),
        };
        // It may have been received after the recipient rotated its identity, and before it did so again.
        let known = identities()?;
        let checked = check(&known)?;
        // Whom nothing is known of is not met for it: any key that the server made up would fit.
        if checked != ReceiptCheck::NotGenuine || known.is_empty() {
            return Ok(checked);
        }
        match self.meet(recipient, &of.recipient).await {
            Ok(Some(_)) => check(&identities()?),
            // What the server shows instead makes the receipt no better.
            Ok(None) | Err(Error::Peer(_) | Error::Api(_) | Error::Answer(_)) => Ok(checked),
            Err(error) => Err(error),
        }
    }
}

const fn agrees(verdict: Verdict, status: DeliveryStatus) -> bool {
    matches!(
        (verdict, status),
        (
            Verdict::Placed | Verdict::Quarantined,
            DeliveryStatus::Received
        ) | (Verdict::Refused, DeliveryStatus::Rejected)
    )
}
