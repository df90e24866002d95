//! What can go wrong: one type a direction, one for bytes that are no key at all.
//!
//! They say little on purpose. Whoever can send us sealed bytes and watch the answer must not learn which check failed.

use std::io;

use agentdrop_cobblestone::Refused;
use agentdrop_envelope::Malformed;
use agentdrop_envelope::identity::Untrusted;

/// Why something could not be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Reading the plaintext or writing the sealed bytes failed.
    #[error("reading or writing failed while sealing")]
    Io(#[from] io::Error),
    /// The cryptographic library refused: no memory, or no chance from the operating system.
    #[error("the cryptographic library refused to work")]
    Library,
    /// The recipient accepts only what this program is too old to make.
    #[error("the recipient accepts only sealing that is newer than this program")]
    NewerSuite,
    /// There is no recipient or no file, or a recipient is named twice.
    #[error("an envelope has at least one file, and at least one recipient, each named once")]
    Recipients,
    /// More came of the file than was said, or less, or something after its end.
    #[error("the file is not as long as it was said to be")]
    Size,
    /// The file is longer than AES-GCM can seal under one nonce.
    #[error(
        "the file is longer than {} bytes, the most that one seal can hold",
        crate::MAX_PLAINTEXT_BYTES
    )]
    TooLong,
    /// There are more files, or more is said of them, than one envelope holds.
    #[error("there is more to say of the files than an envelope holds")]
    TooMuch,
    /// A recipient's key is not the recipient's.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// No secret can be agreed on with the peer's key.
    #[error(transparent)]
    UnusableKey(#[from] UnusableKey),
}

/// Why something could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is genuine, and its sender wanted it to be opened by a time that is over.
    #[error("the time is over that its sender gave it")]
    Expired,
    /// Reading the sealed bytes or writing the plaintext failed.
    #[error("reading or writing failed while opening")]
    Io(#[from] io::Error),
    /// It is for others.
    #[error("it is sealed for others, and not for this agent")]
    NotForMe,
    /// It opens, and who is said to have sent it did not sign it.
    #[error("it is not signed by the agent that is said to have sent it")]
    OtherSender,
    /// The key, the nonce, the salt or the bytes are not what was sealed. Which of them is not told.
    #[error("the sealed bytes are not genuine, or are not for this key")]
    Refused,
}

impl From<Malformed> for OpenError {
    fn from(_: Malformed) -> Self {
        Self::Refused
    }
}

impl From<Refused> for OpenError {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl From<UnusableKey> for OpenError {
    fn from(_: UnusableKey) -> Self {
        Self::Refused
    }
}

/// The agreement with a peer's key gave no secret: its point is of low order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no secret can be agreed on with this public key")]
pub struct UnusableKey;

/// Why bytes are not the key, salt or nonce they are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// There are too many bytes, or too few.
    #[error("{what} has {actual} bytes instead of {expected}")]
    Length {
        /// What the bytes were given for.
        what: &'static str,
        /// How many it has.
        expected: usize,
        /// How many there were.
        actual: usize,
    },
    /// The public key is a point of low order: whatever the private key, the secret would be zero and known to everyone.
    #[error("the public key is a point of low order")]
    LowOrder,
}
