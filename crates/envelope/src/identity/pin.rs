//! What is known of an agent, and what may follow.

use super::{Bundle, IdentityPublicKey, Untrusted, VerifiedRotation};

/// What is known of an agent: kept by whoever dealt with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The identity key.
    pub identity: IdentityPublicKey,
    /// The version of the last bundle that was believed.
    pub version: u64,
    /// Its [hash](Bundle::hash).
    pub hash: [u8; 32],
    /// The weakest suite that it accepted.
    pub min_suite: u8,
}

impl Pin {
    /// Whether `bundle`, whose signature was checked, may follow what is known.
    ///
    /// Of one key there is one row of bundles. A second bundle of the same version, or one that
    /// does not refer to the last, is of a second row: somebody else has the key, or has set the
    /// agent back.
    pub(super) fn expect(&self, bundle: &Bundle) -> Result<(), Untrusted> {
        let last = bundle.hash() == self.hash;
        let refers = bundle.previous == Some(self.hash);
        match bundle.version.checked_sub(self.version) {
            None => return Err(Untrusted::RolledBack),
            Some(0) if !last => return Err(Untrusted::Forked),
            Some(1) if !refers => return Err(Untrusted::Forked),
            Some(_) => {}
        }
        if bundle.min_suite < self.min_suite {
            return Err(Untrusted::Downgraded);
        }
        Ok(())
    }

    /// What is known after the agent got another identity key, of which the old one says so.
    ///
    /// No bundle of the old key is believed any more, and of the new one none before the first.
    pub fn rotated(&self, rotation: &VerifiedRotation) -> Result<Self, Untrusted> {
        let rotation = rotation.rotation();
        if rotation.from != self.identity {
            return Err(Untrusted::OtherIdentity);
        }
        let version = rotation.since.saturating_sub(1);
        if version < self.version {
            return Err(Untrusted::RolledBack);
        }
        if version == self.version && rotation.previous != self.hash {
            return Err(Untrusted::Forked);
        }
        Ok(Self {
            identity: rotation.to,
            version,
            hash: rotation.previous,
            min_suite: self.min_suite,
        })
    }
}
