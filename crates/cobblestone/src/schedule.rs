//! From a key and a context to what encrypts the chunks.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk};
use zeroize::{Zeroize, Zeroizing};

use crate::{COMMITMENT_BYTES, MAX_CHUNKS, Refused, SALT_BYTES, TAG_BYTES, TooLong};

const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;

/// The key of one or more streams: 32 uniformly random bytes, never a password.
#[derive(zeroize::ZeroizeOnDrop)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Takes over the bytes of a key, and erases them where they came from.
    pub fn take(bytes: &mut [u8; KEY_BYTES]) -> Self {
        let key = Self(*bytes);
        bytes.zeroize();
        key
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// What one stream is encrypted with.
pub(crate) struct Schedule {
    aead: LessSafeKey,
    base_nonce: [u8; NONCE_BYTES],
    pub(crate) commitment: [u8; COMMITMENT_BYTES],
}

/// How many bytes are derived.
struct Okm;

impl KeyType for Okm {
    fn len(&self) -> usize {
        KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES
    }
}

impl Schedule {
    /// `HKDF-Expand-SHA512(key, label ‖ salt ‖ context, 76)`, RFC 5869 §2.3.
    pub(crate) fn new(key: &Key, salt: &[u8; SALT_BYTES], context: &[u8]) -> Self {
        let mut okm = Zeroizing::new([0; KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES]);
        Prk::new_less_safe(HKDF_SHA512, &key.0)
            .expand(&[LABEL, salt, context], Okm)
            .and_then(|it| it.fill(&mut *okm))
            .expect("76 bytes are two blocks of SHA-512, far below the 255 that HKDF allows");
        let (aes, rest) = okm.split_at(KEY_BYTES);
        let (nonce, commits) = rest.split_at(NONCE_BYTES);
        let aes = UnboundKey::new(&AES_256_GCM, aes).expect("it has the length of an AES-256 key");
        let (mut base_nonce, mut commitment) = ([0; NONCE_BYTES], [0; COMMITMENT_BYTES]);
        base_nonce.copy_from_slice(nonce);
        commitment.copy_from_slice(commits);
        Self {
            aead: LessSafeKey::new(aes),
            base_nonce,
            commitment,
        }
    }

    /// Encrypts chunk `n` where it lies, and answers its tag.
    pub(crate) fn seal(&self, n: u64, chunk: &mut [u8]) -> Result<Tag, TooLong> {
        let nonce = self.nonce(n).ok_or(TooLong)?;
        let sealed = self
            .aead
            .seal_in_place_separate_tag(nonce, Aad::empty(), chunk);
        Ok(sealed.expect("a chunk is shorter than AES-GCM allows"))
    }

    /// Decrypts chunk `n`, its tag behind it, where it lies, and answers the plaintext.
    ///
    /// Where it is refused, nothing that was decrypted is left.
    pub(crate) fn open<'c>(&self, n: u64, chunk: &'c mut [u8]) -> Result<&'c mut [u8], Refused> {
        let nonce = self.nonce(n).ok_or(Refused)?;
        if chunk.len() < TAG_BYTES {
            return Err(Refused);
        }
        let opened = self.aead.open_in_place(nonce, Aad::empty(), chunk);
        opened.map_err(|_| Refused)
    }

    /// Decrypts chunk `n`, its tag behind it, and appends the plaintext to `out`.
    ///
    /// Where it is refused, nothing that was decrypted is left.
    pub(crate) fn open_to(&self, n: u64, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Refused> {
        let nonce = self.nonce(n).ok_or(Refused)?;
        let (sealed, tag) = chunk.split_last_chunk::<TAG_BYTES>().ok_or(Refused)?;
        let begin = out.len();
        out.resize(begin + sealed.len(), 0);
        let place = out.get_mut(begin..).unwrap_or_default();
        let opened = self
            .aead
            .open_separate_gather(nonce, Aad::empty(), sealed, tag, place);
        if opened.is_err() {
            place.zeroize();
            out.truncate(begin);
        }
        opened.map_err(|_| Refused)
    }

    /// `base nonce ⊕ be64(n)`, the number over its last eight bytes.
    fn nonce(&self, n: u64) -> Option<Nonce> {
        if n >= MAX_CHUNKS {
            return None;
        }
        let mut nonce = self.base_nonce;
        for (byte, with) in nonce.iter_mut().skip(4).zip(n.to_be_bytes()) {
            *byte ^= with;
        }
        Some(Nonce::assume_unique_for_key(nonce))
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule")
    }
}
