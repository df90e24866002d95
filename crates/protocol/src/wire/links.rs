//! Mailed links by which people open what they were sent.

use serde::{Deserialize, Serialize};

use super::receive_passwords::ReceivePassword;
use super::transfers::Transfer;
use crate::EncryptionPublicKey;
use crate::text::{Email, Name};

super::define_choice! {
    /// What whoever holds a link has to do next.
    NextStep {
        /// To fetch the files, and to open them.
        Open = "open",
        /// To set a receive password, which the files are then encrypted for.
        SetReceivePassword = "set_receive_password",
        /// To make an account with this address, or to show that the one that has it is theirs.
        SignUp = "sign_up",
        /// To wait a moment: the files are being encrypted for them.
        Wait = "wait",
    }
}

/// Where a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    /// The transfer.
    pub transfer: LinkedTransfer,
    /// What whoever holds the link has to do next.
    pub next_step: NextStep,
    /// What opens the transfer, with the recipient's receive password; nothing before it is
    /// encrypted, and where they have another key by now.
    pub receive_password: Option<ReceivePassword>,
}

/// A transfer, as whoever holds a link to it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkedTransfer {
    /// The transfer.
    #[serde(flatten)]
    pub transfer: Transfer,
    /// The account that sent it.
    pub sender_account: SenderAccount,
    /// How often it may be downloaded still.
    pub downloads_remaining: u32,
    /// The sender's ephemeral public key, in base64.
    pub encrypted_key: Option<String>,
    /// The recipient's key that it is encrypted for.
    pub recipient_public_key: Option<EncryptionPublicKey>,
}

/// The account that sent a transfer, as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SenderAccount {
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
}
