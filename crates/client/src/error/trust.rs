//! What is wrong with the server's word.

use agentdrop_protocol::TransferId;

/// How what the server says contradicts what it said, or what is known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The grant has other files than the transfer that was announced.
    #[error("the files of {0} are not those that were announced")]
    Changed(TransferId),
    /// The channel cannot be used.
    #[error("the channel with the recipient is {0}")]
    ChannelClosed(&'static str),
    /// It was announced as encrypted, and comes without encryption.
    #[error("{0} was announced as encrypted, and the server hands it out as plaintext")]
    Downgrade(TransferId),
    /// The recipient has no key to seal with; plaintext is never sent instead.
    #[error("`{0}` has no encryption key, so nothing can be sealed for it")]
    E2eeUnavailable(String),
    /// A file's address is one that bytes must not be fetched from.
    #[error("the server sends to {0} for a file, which is neither encrypted nor its own")]
    ForeignUrl(String),
    /// Something without which a sealed file cannot be opened is missing or malformed.
    #[error("{transfer} cannot be opened: {what}")]
    Incomplete {
        /// The transfer.
        transfer: TransferId,
        /// What is wrong.
        what: &'static str,
    },
    /// Its sender gave it a time, which is over.
    #[error("the time is over that the sender gave {0}")]
    Expired(TransferId),
    /// It was sealed for a key that is used once, and was, or whose time is over.
    #[error("the key that {0} was sealed for is gone")]
    KeyGone(TransferId),
    /// The server has another key for this agent than the identity.
    #[error("the server has another key for this agent than its identity")]
    OwnKeyDiffers,
    /// The server gives two keys for the other agent.
    #[error("the server gives two different keys for the other agent")]
    PeerKeyDiffers,
    /// It is not encrypted, and the caller did not say that it may be so.
    #[error("{0} is not encrypted by its sender")]
    Plaintext(TransferId),
    /// It was sealed for a key that this agent had, or never had.
    #[error("{0} was sealed for another key than this agent's")]
    SealedForAnotherKey(TransferId),
    /// It opens, and is not signed by whom the server names as its sender; or the server names nobody.
    #[error("{0} is not signed by the agent that the server names as its sender")]
    SenderUnverified(TransferId),
    /// It was sealed in a way that this version does not know.
    #[error("{transfer} was sealed with `{algorithm}`, which is not known here")]
    UnknownAlgorithm {
        /// The transfer.
        transfer: TransferId,
        /// What the sender used, made printable.
        algorithm: String,
    },
    /// The channel is one between others.
    #[error("{0} was sealed for a channel that this agent has no part in")]
    WrongChannel(TransferId),
}

impl TrustError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Changed(_) => "TRANSFER_CHANGED",
            Self::ChannelClosed(_) => "CHANNEL_CLOSED",
            Self::Downgrade(_) => "DOWNGRADE",
            Self::E2eeUnavailable(_) => "E2EE_UNAVAILABLE",
            Self::ForeignUrl(_) => "FOREIGN_URL",
            Self::Incomplete { .. } => "E2EE_INCOMPLETE",
            Self::Expired(_) => "ENVELOPE_EXPIRED",
            Self::KeyGone(_) => "KEY_GONE",
            Self::OwnKeyDiffers => "OWN_KEY_DIFFERS",
            Self::PeerKeyDiffers => "PEER_KEY_DIFFERS",
            Self::Plaintext(_) => "PLAINTEXT",
            Self::SealedForAnotherKey(_) => "SEALED_FOR_ANOTHER_KEY",
            Self::SenderUnverified(_) => "SENDER_UNVERIFIED",
            Self::UnknownAlgorithm { .. } => "UNKNOWN_ALGORITHM",
            Self::WrongChannel(_) => "WRONG_CHANNEL",
        }
    }

    pub(super) const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Changed(_)
            | Self::Downgrade(_)
            | Self::ForeignUrl(_)
            | Self::SenderUnverified(_) => "do not trust this server before you know why",
            Self::ChannelClosed(_) => "the other side has to agree to the channel again",
            Self::E2eeUnavailable(_) => "it has to connect first, which gives it a key",
            Self::Expired(_) | Self::Incomplete { .. } => "ask the sender to send it again",
            Self::KeyGone(_) => {
                "it was received before, here or in a copy of this identity; else ask the sender to send it again"
            }
            Self::OwnKeyDiffers => {
                "this identity was replaced: use the newer one, or register this agent anew"
            }
            Self::PeerKeyDiffers => "ask its owner which key is right before you go on",
            Self::Plaintext(_) => "the server can read it; accept it only if you mean to",
            Self::SealedForAnotherKey(_) => {
                "use the identity of the time it was sent, or ask the sender to send it again"
            }
            Self::UnknownAlgorithm { .. } => "a newer version may know it",
            Self::WrongChannel(_) => return None,
        })
    }
}
