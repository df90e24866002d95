//! The public half: what a peer publishes, and which points are turned away.

use std::fmt;

use crate::{ParseError, salt::sized};

/// The X25519 public key of a peer: 32 bytes that are not a point of low order.
///
/// It is compared byte for byte, as a pin must be: two spellings of one point are two keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Answers the key, unless it is a point of low order.
    ///
    /// With such a point the secret is zero whatever our own key is: anyone could open what we seal to it, and seal what we
    /// open from it.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, ParseError> {
        let mut point = bytes;
        // RFC 7748 §5: the highest bit is not part of the number.
        point[31] &= 0x7f;
        if LOW_ORDER.contains(&point) {
            Err(ParseError::LowOrder)
        } else {
            Ok(Self(bytes))
        }
    }

    /// Answers the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::from_bytes(sized("a public key", bytes)?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The u-coordinates, little-endian, of every point whose order divides 8 on Curve25519 or its twist, and the spellings of
/// 0 and 1 that are not reduced modulo p = 2²⁵⁵ − 19.
const LOW_ORDER: [[u8; 32]; 7] = [
    // 0 and 1
    [0; 32],
    spelled(0x01, 0x00, 0x00),
    // the two of order 8
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    // p − 1, then p and p + 1: 0 and 1 once more
    spelled(0xec, 0xff, 0x7f),
    spelled(0xed, 0xff, 0x7f),
    spelled(0xee, 0xff, 0x7f),
];

const fn spelled(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SecretKey, UnusableKey};

    #[test]
    fn points_of_low_order_are_refused_in_every_spelling() {
        for mut point in LOW_ORDER {
            assert_eq!(PublicKey::from_bytes(point), Err(ParseError::LowOrder));
            point[31] |= 0x80;
            assert_eq!(PublicKey::from_bytes(point), Err(ParseError::LowOrder));
        }
    }

    #[test]
    fn were_one_let_through_the_agreement_would_refuse_it() {
        let mine = SecretKey::generate().unwrap();
        for mut point in LOW_ORDER {
            assert_eq!(mine.agree(&PublicKey(point)).unwrap_err(), UnusableKey);
            point[31] |= 0x80;
            assert_eq!(mine.agree(&PublicKey(point)).unwrap_err(), UnusableKey);
        }
    }
}
