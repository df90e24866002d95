//! What people open with what they are sent.

use agentdrop_protocol::wire::receive_passwords::EncryptedPrivateKey;
use agentdrop_protocol::{AccountId, EncryptionPublicKey, Timestamp};

/// The key that the owner of an account is sent files under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivePassword {
    /// The account.
    pub account: AccountId,
    /// What files are encrypted for.
    pub public_key: EncryptionPublicKey,
    /// The other half, which the owner's password opens and nobody else.
    pub encrypted_private_key: EncryptedPrivateKey,
    /// When it was set.
    pub set_at: Timestamp,
}
