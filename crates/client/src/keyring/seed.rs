//! The secret half of a key, as it is kept.

use std::fmt;

use agentdrop_seal::identity::{IdentityKey, KemKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// 32 secret bytes, which leave memory with their owner.
///
/// It is written as text, in base64: only to a file that nobody else may read. It is on the heap,
/// because what is moved leaves a copy behind.
pub(super) struct Seed(Box<Zeroizing<[u8; 32]>>);

impl Seed {
    pub(super) fn of_identity(key: &IdentityKey) -> Self {
        Self::copy(key.expose_secret())
    }

    pub(super) fn of_kem(key: &KemKey) -> Self {
        Self::copy(key.expose_secret())
    }

    pub(super) fn to_identity(&self) -> IdentityKey {
        let mut copy = Self::copy(&self.0);
        IdentityKey::take(&mut copy.0[..]).expect("a seed has 32 bytes")
    }

    pub(super) fn to_kem(&self) -> KemKey {
        let mut copy = Self::copy(&self.0);
        KemKey::take(&mut copy.0[..]).expect("a seed has 32 bytes")
    }

    fn copy(bytes: &[u8; 32]) -> Self {
        let mut seed = Self(Box::new(Zeroizing::new([0; 32])));
        seed.0.copy_from_slice(bytes);
        seed
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(STANDARD.encode(&self.0[..])))
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = STANDARD.decode(&*text).map(Zeroizing::new).ok();
        let bytes = bytes.as_ref().and_then(|it| it.as_slice().try_into().ok());
        let bytes = bytes.ok_or_else(|| D::Error::custom("must be base64 of 32 bytes"))?;
        Ok(Self::copy(bytes))
    }
}
