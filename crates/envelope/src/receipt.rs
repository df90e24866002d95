//! What a recipient says became of an envelope, signed, so that the server cannot say it.
//!
//! ```text
//! receipt = transfer id(16) ‖ SHA-512(manifest's cbor)(64) ‖ verdict(1) ‖ signature(64)
//! ```

use crate::header::Rest;
use crate::identity::{IdentityPublicKey, Untrusted};
use crate::statement::{Statement, sha512};
use crate::{Malformed, Signature};

/// What became of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All of it was opened, checked, and put where it belongs.
    Placed,
    /// All of it was opened and checked, and is kept apart: the scanner did not like it.
    Quarantined,
    /// All of it was opened and checked, and was thrown away: the recipient does not want such.
    Refused,
}

impl Verdict {
    /// The byte it is signed as.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Placed => 1,
            Self::Quarantined => 2,
            Self::Refused => 3,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Placed),
            2 => Ok(Self::Quarantined),
            3 => Ok(Self::Refused),
            _ => Err(Malformed),
        }
    }
}

/// A receipt, whoever made it: it is worth something once it was [checked](Self::check).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transfer.
    pub transfer: [u8; 16],
    /// SHA-512 of the manifest's CBOR.
    pub manifest: [u8; 64],
    /// What its recipient did with it.
    pub verdict: Verdict,
    /// By the recipient's identity key.
    pub signature: Signature,
}

impl Receipt {
    /// How many bytes a receipt has.
    pub const BYTES: usize = 16 + 64 + 1 + 64;

    /// What is signed.
    pub const fn statement(&self) -> Statement<'_> {
        Statement::Receipt {
            transfer: &self.transfer,
            manifest: &self.manifest,
            verdict: self.verdict,
        }
    }

    /// The bytes of this receipt.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let parts: [&[u8]; 4] = [
            &self.transfer,
            &self.manifest,
            &[self.verdict.to_byte()],
            &self.signature,
        ];
        let mut bytes = [0; Self::BYTES];
        let places = bytes.iter_mut();
        for (place, byte) in places.zip(parts.iter().copied().flatten()) {
            *place = *byte;
        }
        bytes
    }

    /// Reads a receipt; whether it is genuine, [`Receipt::check`] says.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = Rest(bytes);
        let receipt = Self {
            transfer: rest.array()?,
            manifest: rest.array()?,
            verdict: Verdict::from_byte(rest.array::<1>()?[0])?,
            signature: rest.array()?,
        };
        if rest.0.is_empty() {
            Ok(receipt)
        } else {
            Err(Malformed)
        }
    }

    /// Whether `recipient` says this of the envelope of `transfer` whose manifest had this hash; what
    /// became of it.
    pub fn check(
        &self,
        recipient: &IdentityPublicKey,
        transfer: &[u8; 16],
        manifest: &[u8; 64],
    ) -> Result<Verdict, Untrusted> {
        if self.transfer != *transfer || self.manifest != *manifest {
            return Err(Untrusted::OtherTransfer);
        }
        recipient.verify(&self.statement(), &self.signature)?;
        Ok(self.verdict)
    }
}

/// `SHA-512(cbor)`: which manifest a receipt is of.
pub fn manifest_hash(cbor: &[u8]) -> [u8; 64] {
    sha512(cbor)
}
