//! Public keys of agents, as the wire spells them.
//!
//! Two spellings are read, the raw 32 bytes and the `SubjectPublicKeyInfo` of RFC 8410 in DER, both
//! in base64; the raw one is written.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{ParseError, serde_as_text};

/// DER of `SEQUENCE { SEQUENCE { OID 1.3.101.110 }, BIT STRING }`, RFC 8410 §4, less the key.
const X25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];
/// The same for Ed25519, OID 1.3.101.112.
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The u-coordinates of order 1, 2, 4 and 8 on Curve25519 and on its twist, and their spellings
/// of p and above: with these a shared secret is the same for everyone (RFC 7748 §6.1).
const LOW_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    one(),
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
    near_p(0xec),
    near_p(0xed),
    near_p(0xee),
];

const fn one() -> [u8; 32] {
    let mut it = [0; 32];
    it[0] = 1;
    it
}

/// `p - 1`, `p` and `p + 1` for `0xec`, `0xed` and `0xee`, where p = 2^255 - 19.
const fn near_p(lowest: u8) -> [u8; 32] {
    let mut it = [0xff; 32];
    it[0] = lowest;
    it[31] = 0x7f;
    it
}

macro_rules! define_public_key {
    ($(#[$doc:meta])* $name:ident, $spki:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte, min_length = 44, max_length = 60, example = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw="))]
        pub struct $name([u8; 32]);

        impl $name {
            /// The raw key.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The key as base64 of its `SubjectPublicKeyInfo`.
            pub fn to_spki(&self) -> String {
                STANDARD.encode([&$spki[..], &self.0].concat())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&STANDARD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let wrong = || ParseError::new("must be base64 of 32 bytes, or of their SubjectPublicKeyInfo");
                let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
                let raw = bytes.strip_prefix(&$spki[..]).unwrap_or(&bytes);
                Self::try_from(<[u8; 32]>::try_from(raw).map_err(|_| wrong())?)
            }
        }

        serde_as_text!($name);
    };
}

define_public_key! {
    /// An X25519 public key (RFC 7748) that is not of low order.
    EncryptionPublicKey, X25519_SPKI
}
define_public_key! {
    /// An Ed25519 public key (RFC 8032), kept for its owner; nothing here verifies with it.
    SigningPublicKey, ED25519_SPKI
}

impl TryFrom<[u8; 32]> for EncryptionPublicKey {
    type Error = ParseError;

    fn try_from(key: [u8; 32]) -> Result<Self, ParseError> {
        // The top bit is ignored by RFC 7748 §5, so it must not disguise a bad key.
        let mut masked = key;
        masked[31] &= 0x7f;
        if LOW_ORDER.contains(&masked) {
            return Err(ParseError::new(
                "is a key of low order, with which nothing is secret",
            ));
        }
        Ok(Self(key))
    }
}

impl TryFrom<[u8; 32]> for SigningPublicKey {
    type Error = ParseError;

    fn try_from(key: [u8; 32]) -> Result<Self, ParseError> {
        if key == [0; 32] {
            return Err(ParseError::new("is all zero"));
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

    #[test]
    fn both_spellings_are_one_key() {
        let key: EncryptionPublicKey = RAW.parse().unwrap();
        assert!(key.to_spki().starts_with("MCowBQYDK2VuAyEA"));
        assert_eq!(key.to_spki().parse(), Ok(key));
        assert_eq!(key.to_string(), RAW);
        let key: SigningPublicKey = RAW.parse().unwrap();
        assert!(key.to_spki().starts_with("MCowBQYDK2VwAyEA"));
        assert!(
            key.to_spki().parse::<EncryptionPublicKey>().is_err(),
            "a key for another purpose"
        );
    }

    #[test]
    fn keys_of_low_order_are_refused() {
        for mut key in LOW_ORDER {
            assert!(EncryptionPublicKey::try_from(key).is_err());
            key[31] |= 0x80;
            assert!(EncryptionPublicKey::try_from(key).is_err());
        }
        for bad in [
            "",
            "B6N8",
            "not base64!",
            "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw",
        ] {
            assert!(bad.parse::<EncryptionPublicKey>().is_err(), "{bad}");
        }
    }
}
