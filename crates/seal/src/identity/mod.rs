//! The keys of an agent, and what it signs with them.
//!
//! What the others see of them, and how they check it, is in the crate of the envelope, and comes along here.

mod kem;
mod signing;

pub use agentdrop_envelope::Verdict;
pub use agentdrop_envelope::identity::{
    Bundle, Fingerprint, FingerprintError, IdentityPublicKey, KemKeyId, KemPublicKey, Pin, Prekey,
    Rotation, SignedBundle, SignedPrekey, SignedRotation, Untrusted, VerifiedBundle,
    VerifiedRotation, digits, words,
};
pub use kem::KemKey;
pub(crate) use kem::{Chance, wrap};
pub use signing::IdentityKey;
