//! What tells sealed parts apart on the machine that sealed them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::secret::Secret;
use crate::{ParseError, SealError, TAG_BYTES};

/// Makes tags of parts, to see later whether a part is what it was: GMAC, AES-256-GCM of no plaintext
/// with the part as additional data (NIST SP 800-38D §3).
///
/// Ten times as fast as SHA-256, and enough: whoever could make two parts of one tag has to know the
/// key, which lies where the keys of the files lie. Each file and part has its own nonce. A tag is
/// kept when the part is made first; one that is made again is compared and thrown away, so of a
/// nonce never more than one tag is seen.
pub struct PartMac {
    secret: Secret,
    key: LessSafeKey,
}

impl PartMac {
    /// Draws a key.
    pub fn generate() -> Result<Self, SealError> {
        Self::new(Secret::random()?).ok_or(SealError::Library)
    }

    /// Takes the 32 bytes of a key over, and erases the caller's copy.
    pub fn take(bytes: &mut [u8]) -> Result<Self, ParseError> {
        let what = "a key for tags of parts";
        let secret = Secret::take(what, bytes)?;
        Self::new(secret).ok_or(ParseError::Length {
            what,
            expected: 32,
            actual: bytes.len(),
        })
    }

    fn new(secret: Secret) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, secret.expose()).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            secret,
        })
    }

    /// Answers the 32 bytes, to write them where nobody else reads.
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.secret.expose()
    }

    /// Answers the tag of a part of a file.
    pub fn tag(&self, file: u32, part: u32, bytes: &[u8]) -> Result<[u8; TAG_BYTES], SealError> {
        let mut nonce = [0; NONCE_LEN];
        let (of_file, of_part) = nonce.split_at_mut(NONCE_LEN - size_of::<u32>());
        of_part.copy_from_slice(&part.to_be_bytes());
        let (_, of_file) = of_file.split_at_mut(size_of::<u32>());
        of_file.copy_from_slice(&file.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(bytes), &mut [])
            .map_err(|_| SealError::Library)?;
        let mut out = [0; TAG_BYTES];
        out.copy_from_slice(tag.as_ref());
        Ok(out)
    }
}

impl fmt::Debug for PartMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartMac(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_that_of_the_standard() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 13: no text at all.
        let mac = PartMac::take(&mut [0; 32]).unwrap();
        let tag = mac.tag(0, 0, b"").unwrap();
        assert_eq!(
            tag,
            [
                0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb,
                0x73, 0x8b,
            ]
        );
    }

    #[test]
    fn a_key_a_file_a_part_and_a_bit_make_another_tag() {
        let mac = PartMac::generate().unwrap();
        let part = vec![7; 100_000];
        let tag = mac.tag(1, 2, &part).unwrap();
        let mut secret = *mac.expose_secret();
        let again = PartMac::take(&mut secret).unwrap();
        assert_eq!(again.tag(1, 2, &part).unwrap(), tag);
        let mut flipped = part.clone();
        flipped[99_999] ^= 1;
        let other = PartMac::generate().unwrap();
        let tags = [
            mac.tag(2, 1, &part),
            mac.tag(1, 3, &part),
            mac.tag(1, 2, &flipped),
            mac.tag(1, 2, &part[..99_999]),
            other.tag(1, 2, &part),
        ];
        for it in tags {
            assert_ne!(it.unwrap(), tag);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for length in [0, 31, 33] {
            assert!(PartMac::take(&mut vec![1; length]).is_err());
        }
    }
}
