//! Receive passwords: what a person opens with what they are sent.
//!
//! The key pair is made where the person is. The server has the public half, and the private half
//! encrypted with a key that is derived from the password, which it never learns.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{EncryptionPublicKey, ParseError, Timestamp};

/// Fewest iterations of a key that is taken in: fewer make a password cheap to try.
pub const MIN_ITERATIONS: u32 = 600_000;
/// Most iterations: more would keep the person's own machine busy for hours.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// Sets what the owner of an account is sent files under; in a session alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetReceivePassword {
    /// The public key that files are encrypted for.
    pub public_key: EncryptionPublicKey,
    /// The private key, encrypted with the password.
    pub encrypted_private_key: EncryptedPrivateKey,
}

/// What the owner of an account is sent files under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceivePassword {
    /// The public key that files are encrypted for.
    pub public_key: EncryptionPublicKey,
    /// The private key, encrypted with the password.
    pub encrypted_private_key: EncryptedPrivateKey,
    /// When it was set.
    pub set_at: Timestamp,
}

/// A private key, encrypted with a password: `AES-256-GCM(PBKDF2-HMAC-SHA256(password, salt,
/// iterations, 32), nonce, key, "agentdrop/receive-password/v1")`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EncryptedPrivateKey {
    /// Which form it is of: `1`.
    #[cfg_attr(feature = "openapi", schema(value_type = u8, minimum = 1, maximum = 1))]
    pub v: Version,
    /// How a key is derived from the password.
    pub kdf: KdfAlgorithm,
    /// How often that is iterated.
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 600_000, maximum = 10_000_000))]
    pub iterations: Iterations,
    /// 16 bytes that make the same password another key, in base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte, min_length = 24, max_length = 24))]
    pub salt: Base64Bytes<16>,
    /// How the private key is encrypted.
    pub cipher: CipherAlgorithm,
    /// 12 bytes of nonce, in base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte, min_length = 16, max_length = 16))]
    pub nonce: Base64Bytes<12>,
    /// The private key's 32 bytes, encrypted, and 16 bytes of tag, in base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte, min_length = 64, max_length = 64))]
    pub ciphertext: Base64Bytes<48>,
}

super::define_choice! {
    /// How a key is derived from a password.
    KdfAlgorithm {
        /// RFC 8018 §5.2.
        Pbkdf2 = "PBKDF2-HMAC-SHA256",
    }
}

super::define_choice! {
    /// How a private key is encrypted.
    CipherAlgorithm {
        /// NIST SP 800-38D.
        Aes256Gcm = "AES-256-GCM",
    }
}

/// The only form that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Version;

impl TryFrom<u8> for Version {
    type Error = ParseError;

    fn try_from(version: u8) -> Result<Self, ParseError> {
        match version {
            1 => Ok(Self),
            _ => Err(ParseError::new("must be 1")),
        }
    }
}

impl From<Version> for u8 {
    fn from(_: Version) -> Self {
        1
    }
}

/// From [`MIN_ITERATIONS`] to [`MAX_ITERATIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Iterations(u32);

impl TryFrom<u32> for Iterations {
    type Error = ParseError;

    fn try_from(iterations: u32) -> Result<Self, ParseError> {
        if (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Ok(Self(iterations));
        }
        Err(ParseError::new(format!(
            "must be a number from {MIN_ITERATIONS} to {MAX_ITERATIONS}"
        )))
    }
}

impl From<Iterations> for u32 {
    fn from(iterations: Iterations) -> Self {
        iterations.0
    }
}

/// So many bytes, in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Base64Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Debug for Base64Bytes<N> {
    /// Not the bytes: with those of a private key, whoever reads a log tries passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Bytes({N})")
    }
}

impl<const N: usize> Serialize for Base64Bytes<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Base64Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        let bytes = STANDARD.decode(&*text).ok();
        let bytes = bytes.and_then(|it| it.try_into().ok()).map(Self);
        bytes.ok_or_else(|| D::Error::custom(format_args!("must be base64 of {N} bytes")))
    }
}

/// What to encrypt for, to send files to a person. It looks the same for everybody who cannot be
/// encrypted for, whether they have an account or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientPublicKey {
    /// Whether there is one.
    pub has_public_key: bool,
    /// The public key that files are encrypted for.
    pub public_key: Option<EncryptionPublicKey>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "v": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": 600_000,
            "salt": STANDARD.encode([1; 16]), "cipher": "AES-256-GCM",
            "nonce": STANDARD.encode([2; 12]), "ciphertext": STANDARD.encode([3; 48]),
        })
    }

    #[test]
    fn what_is_read_is_written_alike() {
        let read: EncryptedPrivateKey = serde_json::from_value(good()).unwrap();
        assert_eq!(u32::from(read.iterations), MIN_ITERATIONS);
        assert_eq!(serde_json::to_value(&read).unwrap(), good());
        assert!(!format!("{read:?}").contains("3, 3"));
    }

    #[test]
    fn what_is_weak_or_of_another_form_is_refused() {
        for (field, bad) in [
            ("v", json!(2)),
            ("v", json!("1")),
            ("kdf", json!("scrypt")),
            ("iterations", json!(MIN_ITERATIONS - 1)),
            ("iterations", json!(MAX_ITERATIONS + 1)),
            ("salt", json!(STANDARD.encode([1; 15]))),
            ("cipher", json!("AES-128-GCM")),
            ("nonce", json!("")),
            ("ciphertext", json!(STANDARD.encode([3; 49]))),
            ("ciphertext", json!("not base64")),
            ("ciphertext", json!(null)),
        ] {
            let mut key = good();
            key[field] = bad.clone();
            let read = serde_json::from_value::<EncryptedPrivateKey>(key);
            assert!(read.is_err(), "{field}: {bad}");
        }
    }
}
