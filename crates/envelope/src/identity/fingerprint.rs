//! An agent in one line that people can compare.

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::AgentId;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};

use super::IdentityPublicKey;
use crate::statement::sha512;

/// `adk`, and then `1`, stand before the digits.
const PREFIX: Hrp = Hrp::parse_unchecked("adk");

/// `SHA-512("agentdrop/v2 fp\0" ‖ agent id ‖ identity key)[..32]`, written as Bech32 (BIP 173):
/// `adk1…`, 62 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of an agent.
    pub fn of(agent: AgentId, identity: &IdentityPublicKey) -> Self {
        let label = b"agentdrop/v2 fp\0";
        let hash = sha512(&[&label[..], agent.as_bytes(), identity.as_bytes()].concat());
        let mut fingerprint = [0; 32];
        for (to, from) in fingerprint.iter_mut().zip(hash) {
            *to = from;
        }
        Self(fingerprint)
    }

    /// The fingerprint with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, PREFIX, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a fingerprint, which is adk1 and 58 letters and digits; one may be mistyped")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|_| FingerprintError)?;
        let mut bytes = checked.byte_iter();
        let mut fingerprint = [0; 32];
        for place in &mut fingerprint {
            *place = bytes.next().ok_or(FingerprintError)?;
        }
        let fingerprint = Self(fingerprint);
        // Capitals read the same; every other spelling is not one of ours.
        if bytes.next().is_none() && fingerprint.to_string() == text.to_ascii_lowercase() {
            Ok(fingerprint)
        } else {
            Err(FingerprintError)
        }
    }
}
