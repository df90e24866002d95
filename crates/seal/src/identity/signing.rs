//! What an agent is known by.

use std::fmt;

use agentdrop_envelope::identity::{
    Bundle, IdentityPublicKey, Prekey, Rotation, SignedBundle, SignedPrekey, SignedRotation,
};
use agentdrop_envelope::{Receipt, Signature, Statement, Verdict};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::{ParseError, SealError, secret::Secret};

/// The Ed25519 private key of an agent (RFC 8032): the 32 bytes it is made from.
pub struct IdentityKey {
    seed: Secret,
    public: IdentityPublicKey,
}

impl IdentityKey {
    /// Draws a key by chance.
    pub fn generate() -> Result<Self, SealError> {
        Secret::random().map(Self::new)
    }

    /// Takes over the 32 bytes of a key that was kept, and erases them where they came from.
    pub fn take(bytes: &mut [u8]) -> Result<Self, ParseError> {
        Secret::take("an identity key", bytes).map(Self::new)
    }

    fn new(seed: Secret) -> Self {
        let public = SigningKey::from_bytes(seed.expose()).verifying_key();
        let public = IdentityPublicKey::from_bytes(public.as_bytes())
            .expect("a clamped multiple of the base point is of large order, and spelled once");
        Self { seed, public }
    }

    /// The public half, which others know the agent by.
    pub const fn public_key(&self) -> IdentityPublicKey {
        self.public
    }

    /// Answers the private bytes, to be kept where only their owner can read them.
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.seed.expose()
    }

    /// Signs the agent's keys; the identity in `bundle` becomes this one.
    pub fn sign_bundle(&self, mut bundle: Bundle) -> SignedBundle {
        bundle.identity = self.public;
        let signature = self.sign(&Statement::Bundle(&bundle.to_cbor()));
        SignedBundle { bundle, signature }
    }

    /// Signs a key that is to be used once.
    pub fn sign_prekey(&self, prekey: Prekey) -> SignedPrekey {
        let signature = self.sign(&Statement::Prekey(&prekey.to_cbor()));
        SignedPrekey { prekey, signature }
    }

    /// Says that the agent has another identity key from here on; the old one in `rotation` becomes this.
    pub fn sign_rotation(&self, mut rotation: Rotation) -> SignedRotation {
        rotation.from = self.public;
        let signature = self.sign(&Statement::Rotation(&rotation.to_cbor()));
        SignedRotation {
            rotation,
            signature,
        }
    }

    /// `Ed25519(identity, "agentdrop/v2 receipt\0" ‖ transfer id ‖ SHA-512(manifest) ‖ verdict)`.
    pub(crate) fn sign_receipt(
        &self,
        transfer: [u8; 16],
        manifest: [u8; 64],
        verdict: Verdict,
    ) -> Receipt {
        let mut receipt = Receipt {
            transfer,
            manifest,
            verdict,
            signature: [0; 64],
        };
        receipt.signature = self.sign(&receipt.statement());
        receipt
    }

    /// RFC 8032 §5.1.6. The key that signs is made for it, and erased.
    pub(crate) fn sign(&self, statement: &Statement<'_>) -> Signature {
        let key = SigningKey::from_bytes(self.seed.expose());
        key.sign(&statement.to_bytes()).to_bytes()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(…)")
    }
}
