//! Between two agents that know each other's identity: the native envelope.
//!
//! ```text
//! object 0 = header with a stanza a recipient ‖ sealed, signed manifest
//! object i = file i, from 1, with zeros behind it up to the length that PADMÉ gives
//! stanza   = recipient id(16) ‖ key id(16) ‖ HPKE.SealBase(recipient's key, info, file key)(1120 + 48)
//! info     = "agentdrop/v2 wrap\0" ‖ bytes 0..26 of the header ‖ recipient id ‖ key id ‖ recipient's fingerprint(32)
//! ```
//!
//! Whoever opens one goes through three types, each of which is had from the one before only, and promises more:
//! [`Arrived`] is an envelope of this transfer that has a stanza for us; [`Claimed`] opened, and says who sent it; and
//! [`Incoming`] is signed by whom we know under that name. Only that has files.
//!
//! On the wire: object 0 is the first file, called `envelope`; the others are called `1`, `2`, and so on.

mod ahead;
mod incoming;
mod outgoing;
mod recipient;
mod stanza;
#[cfg(test)]
mod vectors;

pub use agentdrop_envelope::{
    File, MAX_MANIFEST_BYTES, MAX_RECIPIENTS, Manifest, Padding, Policy, Receipt,
};
pub use ahead::Unsealed;
pub use incoming::{Arrived, Claimed, Incoming, KeyKind};
pub use outgoing::{About, Envelope, Outgoing, Sender};
pub use recipient::Recipient;

pub use crate::files::{
    FileKeys, FileMeasuring, FileOpening, FileReader, FileSalt, FileSealer, FileTail, Kept, Sealed,
};

/// The name on the wire.
pub const ALGORITHM: &str = "AGENTDROP-2";
/// What object 0 is called.
pub const ENVELOPE: &str = "envelope";
/// The suite that is spoken here; suite 0 are the compatible formats.
pub const SUITE: u8 = 1;
/// The most bytes that object 0 can have.
pub const MAX_ENVELOPE_BYTES: usize = agentdrop_envelope::Header::FIXED_BYTES
    + MAX_RECIPIENTS * agentdrop_envelope::Stanza::BYTES
    + 4
    + MAX_MANIFEST_BYTES;

/// How many bytes a file of `plaintext` bytes has, padded and sealed; `None` if it is too long.
pub const fn sealed_len(plaintext: u64) -> Option<u64> {
    Padding::Padme.sealed_len(plaintext)
}
