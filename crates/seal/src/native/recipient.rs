//! Whom an envelope is sealed for.

use agentdrop_envelope::identity::{Fingerprint, KemPublicKey, SignedPrekey, VerifiedBundle};
use agentdrop_protocol::{AgentId, Timestamp};

use super::SUITE;
use crate::SealError;

/// A recipient, and which of its keys is used; made from what was checked, and from nothing else.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub(super) agent: AgentId,
    pub(super) fingerprint: Fingerprint,
    pub(super) key: KemPublicKey,
    pub(super) prekey: bool,
}

impl Recipient {
    /// Seals for the key in the bundle: whoever steals it while it is in use opens what was sent.
    pub fn new(bundle: &VerifiedBundle) -> Result<Self, SealError> {
        let bundle = bundle.bundle();
        if bundle.min_suite > SUITE {
            return Err(SealError::NewerSuite);
        }
        Ok(Self {
            agent: bundle.agent,
            fingerprint: bundle.fingerprint(),
            key: bundle.kem.clone(),
            prekey: false,
        })
    }

    /// Seals for a key that is used once, and is gone when the envelope was opened.
    pub fn with_prekey(
        bundle: &VerifiedBundle,
        prekey: SignedPrekey,
        now: Timestamp,
    ) -> Result<Self, SealError> {
        let of_bundle = Self::new(bundle)?;
        Ok(Self {
            key: prekey.check(bundle, now)?,
            prekey: true,
            ..of_bundle
        })
    }

    /// The agent.
    pub const fn agent(&self) -> AgentId {
        self.agent
    }
}
