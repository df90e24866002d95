//! The keys of an agent, signed by the one it is known by.
//!
//! ```text
//! bundle = deterministic CBOR ‖ 64 bytes of signature
//! CBOR   = {v, ek, ik, xk, version, agent_id, min_suite, not_after, prev_hash}
//! ```

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use aws_lc_rs::digest::{SHA256, digest};
use minicbor::{Decoder, Encoder, decode};

use super::pin::Pin;
use super::{Fingerprint, IdentityPublicKey, KemPublicKey, Untrusted};
use crate::cbor::{self, VERSION, bytes, expect_map, key, millis, optional, timestamp, to_vec};
use crate::statement::Statement;
use crate::{Malformed, Signature};

/// The keys of an agent, and what it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The agent.
    pub agent: AgentId,
    /// Which of its bundles this is: one after the other, from 1.
    pub version: u64,
    /// What it is known by, and signs with.
    pub identity: IdentityPublicKey,
    /// What is sealed for it where no one-time prekey is left.
    pub kem: KemPublicKey,
    /// Its key of the compatible formats.
    pub compatible: EncryptionPublicKey,
    /// The weakest suite that it accepts; 0 are the compatible formats.
    pub min_suite: u8,
    /// Until when something may be sealed for it.
    pub not_after: Timestamp,
    /// SHA-256 of the CBOR of the bundle before this; none before the first.
    pub previous: Option<[u8; 32]>,
}

impl Bundle {
    /// The deterministic CBOR, which is what is signed.
    pub fn to_cbor(&self) -> Vec<u8> {
        to_vec(|to| self.encode(to))
    }

    /// `SHA-256(cbor)`: what the next bundle refers to, and what a log of bundles holds.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.to_cbor()).as_ref());
        hash
    }

    /// What people compare to know that this is whom they mean.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.agent, &self.identity)
    }

    /// The keys in the order of their encodings, the shorter first.
    fn encode(&self, to: &mut Encoder<Vec<u8>>) -> cbor::Written {
        to.map(9)?.str("v")?.u8(VERSION)?;
        to.str("ek")?.bytes(self.kem.as_bytes())?;
        to.str("ik")?.bytes(self.identity.as_bytes())?;
        to.str("xk")?.bytes(self.compatible.as_bytes())?;
        to.str("version")?.u64(self.version)?;
        to.str("agent_id")?.bytes(self.agent.as_bytes())?;
        to.str("min_suite")?.u8(self.min_suite)?;
        to.str("not_after")?.u64(millis(self.not_after))?;
        to.str("prev_hash")?;
        match &self.previous {
            Some(hash) => to.bytes(hash)?,
            None => to.null()?,
        };
        Ok(())
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        expect_map(from, 9)?;
        cbor::version(from)?;
        key(from, "ek")?;
        let kem = cbor::checked(KemPublicKey::from_bytes(from.bytes()?))?;
        key(from, "ik")?;
        let identity = cbor::checked(IdentityPublicKey::from_bytes(&bytes(from)?))?;
        key(from, "xk")?;
        let compatible = cbor::checked(EncryptionPublicKey::try_from(bytes::<32>(from)?))?;
        key(from, "version")?;
        let version = from.u64()?;
        key(from, "agent_id")?;
        let agent = AgentId::from_bytes(bytes(from)?);
        key(from, "min_suite")?;
        let min_suite = from.u8()?;
        key(from, "not_after")?;
        let not_after = timestamp(from)?;
        key(from, "prev_hash")?;
        let previous = optional(from, bytes)?;
        // The first bundle has none before it, and every other has.
        if version == 0 || (version == 1) != previous.is_none() {
            return Err(decode::Error::message("not in a row"));
        }
        Ok(Self {
            agent,
            version,
            identity,
            kem,
            compatible,
            min_suite,
            not_after,
            previous,
        })
    }
}

/// A bundle, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBundle {
    /// What it claims.
    pub bundle: Bundle,
    /// By the identity key in it.
    pub signature: Signature,
}

impl SignedBundle {
    /// More bytes than any bundle has.
    pub const MAX_BYTES: usize = 1536;

    /// `CBOR ‖ signature`.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.bundle.to_cbor()[..], &self.signature].concat()
    }

    /// Reads a bundle; whether it is genuine, [`SignedBundle::check`] says.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (bundle, signature) =
            cbor::signed(bytes, Self::MAX_BYTES, Bundle::decode, Bundle::to_cbor)?;
        Ok(Self { bundle, signature })
    }

    /// Whether this is what `agent` says of itself, and may be believed by whoever knows `pin` of
    /// it; where nothing is known, whoever has the identity key in it is believed.
    pub fn check(
        self,
        agent: AgentId,
        pin: Option<&Pin>,
        now: Timestamp,
    ) -> Result<VerifiedBundle, Untrusted> {
        let bundle = self.bundle;
        if bundle.agent != agent {
            return Err(Untrusted::OtherAgent);
        }
        if pin.is_some_and(|it| it.identity != bundle.identity) {
            return Err(Untrusted::OtherIdentity);
        }
        bundle
            .identity
            .verify(&Statement::Bundle(&bundle.to_cbor()), &self.signature)?;
        if let Some(pin) = pin {
            pin.expect(&bundle)?;
        }
        if bundle.not_after <= now {
            return Err(Untrusted::Expired);
        }
        Ok(VerifiedBundle(bundle))
    }
}

/// A bundle that was checked against what was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBundle(Bundle);

impl VerifiedBundle {
    /// What it says.
    pub const fn bundle(&self) -> &Bundle {
        &self.0
    }

    /// What is known of the agent from here on.
    pub fn pin(&self) -> Pin {
        Pin {
            identity: self.0.identity,
            version: self.0.version,
            hash: self.0.hash(),
            min_suite: self.0.min_suite,
        }
    }
}
