//! The formats of the published clients, read and written to the byte.
//!
//! In all of them a file is one AES-256-GCM message with empty additional data; they differ in where its key comes from.
//! What they promise, and what not, is told at the [crate]'s door.

pub mod channel;
pub mod human;
pub mod wrapped;

use std::{fmt, str::FromStr};

/// How the files of a transfer are sealed: the field `encryption_algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// With the secret of two agents' [channel].
    Channel,
    /// With a key agreed on with a [person](human)'s receive key.
    Human,
    /// With a random key, [wrapped] for the recipient.
    Wrapped,
}

impl Algorithm {
    /// Answers the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => channel::ALGORITHM,
            Self::Human => human::ALGORITHM,
            Self::Wrapped => wrapped::ALGORITHM,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        [Self::Channel, Self::Human, Self::Wrapped]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(UnknownAlgorithm)
    }
}

/// The name is of no algorithm that this version knows. What it names must not be taken for plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the encryption algorithm is not known")]
pub struct UnknownAlgorithm;
