//! What is sealed for an agent, and how the file key is wrapped: HPKE (RFC 9180) in base mode, with X-Wing.
//!
//! ```text
//! enc(1120) ‖ wrapped(48) = SealBase(public key, info, aad = "", file key)
//! suite: KEM 0x647A MLKEM768-X25519, KDF 0x0001 HKDF-SHA256, AEAD 0x0002 AES-256-GCM
//! ```

use std::convert::Infallible;
use std::fmt;

use agentdrop_envelope::FileKey;
use agentdrop_envelope::identity::{KemKeyId, KemPublicKey};
use agentdrop_protocol::EncryptionPublicKey;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use hpke::{single_shot_open, single_shot_seal_with_rng};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{OpenError, ParseError, SealError, UnusableKey, random, secret::Secret};

/// Bytes that the recipient decapsulates.
const ENCAPSULATION: usize = 1120;
/// A file key and its tag.
const WRAPPED: usize = 48;
/// Bytes of chance that one encapsulation takes: 32 for each half.
const CHANCE: usize = 64;

/// The X-Wing private key of an agent, or of one envelope: the 32 bytes it is made from.
pub struct KemKey {
    seed: Secret,
    public: KemPublicKey,
}

impl KemKey {
    /// Draws a key by chance.
    pub fn generate() -> Result<Self, SealError> {
        Secret::random().map(Self::new)
    }

    /// Takes over the 32 bytes of a key that was kept, and erases them where they came from.
    pub fn take(bytes: &mut [u8]) -> Result<Self, ParseError> {
        Secret::take("a sealing key", bytes).map(Self::new)
    }

    fn new(seed: Secret) -> Self {
        let public = XWing::sk_to_pk(&private_key(&seed)).to_bytes();
        let public = KemPublicKey::from_bytes(&public)
            .expect("the numbers of a key that was just made are reduced");
        Self { seed, public }
    }

    /// The public half, which something is sealed for.
    pub const fn public_key(&self) -> &KemPublicKey {
        &self.public
    }

    /// Which key this is.
    pub fn id(&self) -> KemKeyId {
        self.public.id()
    }

    /// Answers the private bytes, to be kept where only their owner can read them.
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.seed.expose()
    }

    /// Unwraps a file key that was wrapped for this key and `info`.
    pub(crate) fn unwrap(
        &self,
        info: &[u8],
        encapsulation: &[u8; ENCAPSULATION],
        wrapped: &[u8; WRAPPED],
    ) -> Result<FileKey, OpenError> {
        // Where the point is of low order some libraries refuse and some do not: here it is refused.
        let point = encapsulation.last_chunk::<32>();
        if point.is_none_or(|it| EncryptionPublicKey::try_from(*it).is_err()) {
            return Err(OpenError::Refused);
        }
        let enc = <XWing as Kem>::EncappedKey::from_bytes(encapsulation);
        let enc = enc.map_err(|_| OpenError::Refused)?;
        let private = private_key(&self.seed);
        let opened = single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &private,
            &enc,
            info,
            wrapped,
            b"",
        );
        let opened = Zeroizing::new(opened.map_err(|_| OpenError::Refused)?);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(opened.get(..32).ok_or(OpenError::Refused)?);
        Ok(FileKey::take(&mut key))
    }
}

/// Wraps a file key for `recipient`.
pub(crate) fn wrap(
    key: &FileKey,
    recipient: &KemPublicKey,
    info: &[u8],
    mut chance: Chance,
) -> Result<(Box<[u8; ENCAPSULATION]>, [u8; WRAPPED]), SealError> {
    let recipient = <XWing as Kem>::PublicKey::from_bytes(recipient.as_bytes());
    let recipient = recipient.map_err(|_| UnusableKey)?;
    let sealed = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &recipient,
        info,
        key.expose_secret(),
        b"",
        &mut chance,
    );
    let (enc, sealed) = sealed.map_err(|_| SealError::Library)?;
    let mut encapsulation = Box::new([0; ENCAPSULATION]);
    encapsulation.copy_from_slice(&enc.to_bytes());
    let wrapped = sealed.try_into().map_err(|_| SealError::Library)?;
    // More than was drawn was asked for: what was given then was no chance.
    if chance.ran_out {
        return Err(SealError::Library);
    }
    Ok((encapsulation, wrapped))
}

fn private_key(seed: &Secret) -> <XWing as Kem>::PrivateKey {
    <XWing as Kem>::PrivateKey::from_bytes(seed.expose())
        .expect("any 32 bytes are an X-Wing private key")
}

impl fmt::Debug for KemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KemKey(…)")
    }
}

/// Chance for one encapsulation, drawn before: the library takes it where it cannot fail.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Chance {
    bytes: Box<[u8; CHANCE]>,
    used: usize,
    ran_out: bool,
}

impl Chance {
    pub(crate) fn draw() -> Result<Self, SealError> {
        let mut chance = Self::fixed([0; CHANCE]);
        random::fill(&mut *chance.bytes)?;
        Ok(chance)
    }

    fn fixed(bytes: [u8; CHANCE]) -> Self {
        Self {
            bytes: Box::new(bytes),
            used: 0,
            ran_out: false,
        }
    }

    /// What is no chance at all, for vectors that are the same in every run.
    #[cfg(test)]
    pub(crate) fn repeating(byte: u8) -> Self {
        Self::fixed([byte; CHANCE])
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used.saturating_add(to.len());
        if let Some(bytes) = self.bytes.get(self.used..end) {
            to.copy_from_slice(bytes);
            self.used = end;
        } else {
            self.ran_out = true;
        }
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

#[cfg(test)]
mod tests {
    use hpke::aead::ChaCha20Poly1305;
    use serde_json::Value;

    use super::*;

    /// Of the draft that gives X-Wing its number in HPKE; the one there is of our key derivation has another cipher.
    const VECTOR: &str = include_str!("../../tests/it/vectors/hpke-pq.json");

    fn bytes(of: &Value, name: &str) -> Vec<u8> {
        hex::decode(of[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn a_key_and_an_encapsulation_are_those_of_the_draft() {
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let key = KemKey::take(&mut bytes(&vector, "skRm")).unwrap();
        assert_eq!(key.public_key().as_bytes()[..], bytes(&vector, "pkRm"));
        let chance = Chance::fixed(bytes(&vector, "ikmE").try_into().unwrap());
        let file_key = FileKey::take(&mut [7; 32]);
        let (enc, wrapped) = wrap(&file_key, key.public_key(), b"info", chance).unwrap();
        assert_eq!(enc[..], bytes(&vector, "enc"));
        let opened = key.unwrap(b"info", &enc, &wrapped).unwrap();
        assert_eq!(opened.expose_secret(), &[7; 32]);
        assert!(key.unwrap(b"other", &enc, &wrapped).is_err());
    }

    #[test]
    fn the_schedule_is_that_of_the_draft() {
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let key = private_key(&Secret::take("a key", &mut bytes(&vector, "skRm")).unwrap());
        let enc = <XWing as Kem>::EncappedKey::from_bytes(&bytes(&vector, "enc")).unwrap();
        let info = bytes(&vector, "info");
        let mut opener = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &key,
            &enc,
            &info,
        )
        .unwrap();
        for it in vector["encryptions"].as_array().unwrap() {
            let opened = opener.open(&bytes(it, "ct"), &bytes(it, "aad")).unwrap();
            assert_eq!(opened, bytes(it, "pt"));
        }
        for it in vector["exports"].as_array().unwrap() {
            let mut exported = [0; 32];
            opener
                .export(&bytes(it, "exporter_context"), &mut exported)
                .unwrap();
            assert_eq!(exported[..], bytes(it, "exported_value"));
        }
    }

    #[test]
    fn no_chance_is_given_out_twice_whoever_asks_for_it() {
        let mut bytes = [0; CHANCE];
        (0..).zip(&mut bytes).for_each(|(n, it)| *it = n);
        let mut chance = Chance::fixed(bytes);
        assert_eq!(chance.try_next_u32().unwrap(), 0x0302_0100);
        assert_eq!(chance.try_next_u64().unwrap(), 0x0b0a_0908_0706_0504);
        let mut rest = [0; CHANCE - 12];
        chance.try_fill_bytes(&mut rest).unwrap();
        assert_eq!(rest, bytes[12..]);
        assert!(!chance.ran_out);
        chance.try_next_u32().unwrap();
        assert!(chance.ran_out);
    }

    #[test]
    fn where_more_chance_is_asked_for_than_there_is_nothing_is_sealed() {
        let key = KemKey::take(&mut [1; 32]).unwrap();
        let mut chance = Chance::draw().unwrap();
        chance.used = 1;
        let sealed = wrap(&FileKey::take(&mut [7; 32]), key.public_key(), b"", chance);
        assert!(matches!(sealed, Err(SealError::Library)));
    }
}
