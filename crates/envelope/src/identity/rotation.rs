//! That an agent has another identity key, said by the old one.
//!
//! ```text
//! rotation = deterministic CBOR ‖ 64 bytes of signature
//! CBOR     = {v, to, from, since, agent_id, prev_hash}
//! ```
//!
//! That the agent has the new key too, its next bundle shows, which the new key signs.

use agentdrop_protocol::AgentId;
use minicbor::{Decoder, Encoder, decode};

use super::{IdentityPublicKey, Untrusted};
use crate::cbor::{self, VERSION, bytes, expect_map, key, to_vec};
use crate::statement::Statement;
use crate::{Malformed, Signature};

/// The end of one identity key and the beginning of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The agent.
    pub agent: AgentId,
    /// The old key.
    pub from: IdentityPublicKey,
    /// The new key.
    pub to: IdentityPublicKey,
    /// The version of the first bundle that the new key signs.
    pub since: u64,
    /// [Hash](super::Bundle::hash) of the last bundle that the old key signed.
    pub previous: [u8; 32],
}

impl Rotation {
    /// The deterministic CBOR, which is what is signed.
    pub fn to_cbor(&self) -> Vec<u8> {
        to_vec(|to| self.encode(to))
    }

    fn encode(&self, to: &mut Encoder<Vec<u8>>) -> cbor::Written {
        to.map(6)?.str("v")?.u8(VERSION)?;
        to.str("to")?.bytes(self.to.as_bytes())?;
        to.str("from")?.bytes(self.from.as_bytes())?;
        to.str("since")?.u64(self.since)?;
        to.str("agent_id")?.bytes(self.agent.as_bytes())?;
        to.str("prev_hash")?.bytes(&self.previous)?;
        Ok(())
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        expect_map(from, 6)?;
        cbor::version(from)?;
        key(from, "to")?;
        let to = cbor::checked(IdentityPublicKey::from_bytes(&bytes(from)?))?;
        key(from, "from")?;
        let old = cbor::checked(IdentityPublicKey::from_bytes(&bytes(from)?))?;
        key(from, "since")?;
        let since = from.u64()?;
        key(from, "agent_id")?;
        let agent = AgentId::from_bytes(bytes(from)?);
        key(from, "prev_hash")?;
        let previous = bytes(from)?;
        // The first bundle is signed by the first key.
        if since < 2 || to == old {
            return Err(decode::Error::message("no change"));
        }
        Ok(Self {
            agent,
            from: old,
            to,
            since,
            previous,
        })
    }
}

/// A rotation, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRotation {
    /// What it claims.
    pub rotation: Rotation,
    /// By the old key.
    pub signature: Signature,
}

impl SignedRotation {
    /// More bytes than any rotation has.
    pub const MAX_BYTES: usize = 512;

    /// `CBOR ‖ signature`.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.rotation.to_cbor()[..], &self.signature].concat()
    }

    /// Reads a rotation; whether it is genuine, [`SignedRotation::check`] says.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (rotation, signature) =
            cbor::signed(bytes, Self::MAX_BYTES, Rotation::decode, Rotation::to_cbor)?;
        Ok(Self {
            rotation,
            signature,
        })
    }

    /// Whether `agent` says this, which is known by `identity`.
    pub fn check(
        self,
        agent: AgentId,
        identity: &IdentityPublicKey,
    ) -> Result<VerifiedRotation, Untrusted> {
        if self.rotation.agent != agent {
            return Err(Untrusted::OtherAgent);
        }
        if self.rotation.from != *identity {
            return Err(Untrusted::OtherIdentity);
        }
        let cbor = self.rotation.to_cbor();
        identity.verify(&Statement::Rotation(&cbor), &self.signature)?;
        Ok(VerifiedRotation(self.rotation))
    }
}

/// A rotation that the key which was known says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRotation(Rotation);

impl VerifiedRotation {
    /// What it says.
    pub const fn rotation(&self) -> &Rotation {
        &self.0
    }
}
