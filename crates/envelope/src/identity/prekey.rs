//! Keys that are used once, each signed on its own: the server hands one out at a time, and could
//! hand out its own else.
//!
//! ```text
//! prekey = deterministic CBOR ‖ 64 bytes of signature
//! CBOR   = {v, key, agent_id, not_after}
//! ```

use agentdrop_protocol::{AgentId, Timestamp};
use minicbor::{Decoder, Encoder, decode};

use super::{KemPublicKey, Untrusted, VerifiedBundle};
use crate::cbor::{self, VERSION, bytes, expect_map, key, millis, timestamp, to_vec};
use crate::statement::Statement;
use crate::{Malformed, Signature};

/// A key that one envelope is sealed for, and whose secret half is erased when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prekey {
    /// Whose it is.
    pub agent: AgentId,
    /// The key.
    pub kem: KemPublicKey,
    /// Until when something may be sealed for it.
    pub not_after: Timestamp,
}

impl Prekey {
    /// The deterministic CBOR, which is what is signed.
    pub fn to_cbor(&self) -> Vec<u8> {
        to_vec(|to| self.encode(to))
    }

    fn encode(&self, to: &mut Encoder<Vec<u8>>) -> cbor::Written {
        to.map(4)?.str("v")?.u8(VERSION)?;
        to.str("key")?.bytes(self.kem.as_bytes())?;
        to.str("agent_id")?.bytes(self.agent.as_bytes())?;
        to.str("not_after")?.u64(millis(self.not_after))?;
        Ok(())
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        expect_map(from, 4)?;
        cbor::version(from)?;
        key(from, "key")?;
        let kem = cbor::checked(KemPublicKey::from_bytes(from.bytes()?))?;
        key(from, "agent_id")?;
        let agent = AgentId::from_bytes(bytes(from)?);
        key(from, "not_after")?;
        let not_after = timestamp(from)?;
        Ok(Self {
            agent,
            kem,
            not_after,
        })
    }
}

/// A prekey, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPrekey {
    /// What it claims.
    pub prekey: Prekey,
    /// By the agent's identity key.
    pub signature: Signature,
}

impl SignedPrekey {
    /// More bytes than any prekey has.
    pub const MAX_BYTES: usize = 1536;

    /// `CBOR ‖ signature`.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.prekey.to_cbor()[..], &self.signature].concat()
    }

    /// Reads a prekey; whether it is genuine, [`SignedPrekey::check`] says.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (prekey, signature) =
            cbor::signed(bytes, Self::MAX_BYTES, Prekey::decode, Prekey::to_cbor)?;
        Ok(Self { prekey, signature })
    }

    /// The key, if it is of the agent whose bundle this is.
    pub fn check(self, of: &VerifiedBundle, now: Timestamp) -> Result<KemPublicKey, Untrusted> {
        let of = of.bundle();
        if self.prekey.agent != of.agent {
            return Err(Untrusted::OtherAgent);
        }
        let statement = self.prekey.to_cbor();
        of.identity
            .verify(&Statement::Prekey(&statement), &self.signature)?;
        if self.prekey.not_after <= now {
            return Err(Untrusted::Expired);
        }
        Ok(self.prekey.kem)
    }
}
