//! Who an agent is: its public keys, and what it says of them.
//!
//! Everything here is public, and comes from a server that may lie. So each kind is read first,
//! strictly, and tells nothing but what it claims; what was checked against what the reader knows
//! already has another type, and that alone is good for anything.

mod bundle;
mod compare;
mod error;
mod fingerprint;
mod keys;
mod pin;
mod prekey;
mod rotation;

pub use bundle::{Bundle, SignedBundle, VerifiedBundle};
pub use compare::{digits, words};
pub use error::Untrusted;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use keys::{IdentityPublicKey, KemKeyId, KemPublicKey};
pub use pin::Pin;
pub use prekey::{Prekey, SignedPrekey};
pub use rotation::{Rotation, SignedRotation, VerifiedRotation};
