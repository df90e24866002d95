//! The values that are not secret and must not repeat.

use crate::{ParseError, SealError, random::random_bytes};

/// What makes the content key of a transfer differ from that of every other transfer between the same two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Draws a salt by chance: one a transfer.
    pub fn generate() -> Result<Self, SealError> {
        random_bytes().map(Self)
    }

    /// Answers the salt that was sent along.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Answers the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What makes the keystream of a file differ from that of every other file under the same key (NIST SP 800-38D §8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; Self::BYTES]);

impl Nonce {
    /// How many bytes a nonce has.
    pub const BYTES: usize = 12;

    /// Draws a nonce by chance: one a file.
    pub fn generate() -> Result<Self, SealError> {
        random_bytes().map(Self)
    }

    /// Answers the nonce that was sent along.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Answers the 12 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Salt {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        sized("a salt", bytes).map(Self)
    }
}

impl TryFrom<&[u8]> for Nonce {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        sized("a nonce", bytes).map(Self)
    }
}

/// Answers `bytes` as an array, if there are as many as there must be.
pub(crate) fn sized<const N: usize>(
    what: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], ParseError> {
    bytes.try_into().map_err(|_| ParseError::Length {
        what,
        expected: N,
        actual: bytes.len(),
    })
}
