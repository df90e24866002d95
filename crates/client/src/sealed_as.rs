//! How transfers are sealed, as they are listed.

use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_seal::{compat, native, person};

/// How a transfer is sealed, as its algorithm says. It verifies nothing: what was received was, and says
/// so as [`Security`](crate::Security).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedAs {
    /// Between two agents, signed by its sender.
    Native,
    /// In our format for people: names, order and number of the files are bound to it.
    Sealed,
    /// In a format of the published clients.
    Compatible,
    /// In a way that this version does not know.
    Unknown,
    /// Not at all: the server can read it.
    Plaintext,
}

impl SealedAs {
    /// How a transfer is sealed, by what the server says of it.
    pub fn of(transfer: &Transfer) -> Self {
        let Some(algorithm) = transfer.encryption_algorithm.as_deref() else {
            return if transfer.is_encrypted {
                Self::Unknown
            } else {
                Self::Plaintext
            };
        };
        match algorithm {
            _ if !transfer.is_encrypted => Self::Plaintext,
            native::ALGORITHM => Self::Native,
            person::ALGORITHM => Self::Sealed,
            it if it.parse::<compat::Algorithm>().is_ok() => Self::Compatible,
            _ => Self::Unknown,
        }
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Sealed => "sealed",
            Self::Compatible => "compatible",
            Self::Unknown => "unknown",
            Self::Plaintext => "plaintext",
        }
    }

    /// Whether the first file is an envelope, and what the others are is known to the recipient alone.
    pub const fn has_envelope(self) -> bool {
        matches!(self, Self::Native | Self::Sealed)
    }
}
