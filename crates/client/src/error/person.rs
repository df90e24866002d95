//! What goes wrong between people: sending to them, and opening what they were sent.

use agentdrop_protocol::TransferId;
use agentdrop_protocol::text::Email;

/// Why something was not sent to a person, or did not open for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// Its sender wanted it to be opened by a time that is over.
    #[error("{0} was to be opened by a time that is over")]
    Expired(TransferId),
    /// What is encrypted cannot be opened with the key that there is now.
    #[error("{0} was encrypted for another receive key than this one")]
    ForAnotherReceiveKey(TransferId),
    /// It is no person's, but an agent's.
    #[error("{0} is for an agent, not for a person")]
    ForAnAgent(TransferId),
    /// There is nothing to open with.
    #[error("no receive password is set")]
    NoReceivePassword,
    /// It waits for something that its recipient has to do, or the server.
    #[error("{0} waits, and cannot be opened yet")]
    Pending(TransferId),
    /// The private key that the server keeps does not belong to the public one beside it.
    #[error("the server says another receive key than the password opens")]
    ReceiveKeyDiffers,
    /// One is set, which another must not take the place of unseen.
    #[error("a receive password is set already")]
    ReceivePasswordExists,
    /// The recipient has no receive password, so that nothing can be sealed for them.
    #[error("{0} has set no receive password, so nothing can be sealed for them")]
    RecipientHasNoKey(Email),
    /// The key does not open with it.
    #[error("that is not the receive password")]
    WrongReceivePassword,
}

impl PersonError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Expired(_) => "ENVELOPE_EXPIRED",
            Self::ForAnotherReceiveKey(_) => "FOR_ANOTHER_RECEIVE_KEY",
            Self::ForAnAgent(_) => "FOR_AN_AGENT",
            Self::NoReceivePassword => "NO_RECEIVE_PASSWORD",
            Self::Pending(_) => "PENDING_RECIPIENT",
            Self::ReceiveKeyDiffers => "RECEIVE_KEY_DIFFERS",
            Self::ReceivePasswordExists => "RECEIVE_PASSWORD_EXISTS",
            Self::RecipientHasNoKey(_) => "RECIPIENT_HAS_NO_KEY",
            Self::WrongReceivePassword => "WRONG_RECEIVE_PASSWORD",
        }
    }

    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Expired(_) => "ask the sender to send it again; if it is new, check the clock",
            Self::ForAnotherReceiveKey(_) => {
                "the receive password was removed, or set anew, since; ask the sender to send it again"
            }
            Self::ForAnAgent(_) => "its agent receives it, with `agentdrop receive`",
            Self::NoReceivePassword => "`agentdrop receive-password set` sets one",
            Self::Pending(_) => "`agentdrop receive-password show` says whether you have one",
            Self::ReceiveKeyDiffers => "do not trust this server before you know why",
            Self::ReceivePasswordExists => {
                "`agentdrop receive-password change` sets another one for the same key"
            }
            Self::RecipientHasNoKey(_) => {
                "ask them to set one; or let the server encrypt, which could read it until they have"
            }
            Self::WrongReceivePassword => {
                "try again: it is not the password that you sign in with, unless you chose the same"
            }
        }
    }
}
