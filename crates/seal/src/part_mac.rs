//! What tells sealed parts apart on the machine that sealed them.

use std::fmt;

use agentdrop_cobblestone::{HEADER_BYTES, SEALED_CHUNK_BYTES};
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
///
/// Where a file is sealed in chunks there are tags already: [`tag_of_chunks`](Self::tag_of_chunks)
/// takes those in place of what they are of, which is a thousandth of the bytes. Why that is
/// enough: `docs/protocol.md`, "Uploads that go on".
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

    /// Answers the tag of a part of a file, whatever its bytes are.
    pub fn tag(&self, file: u32, part: u32, bytes: &[u8]) -> Result<[u8; TAG_BYTES], SealError> {
        self.gmac(Of::Bytes, file, part, bytes)
    }

    /// Answers the tag of a part of a file that is sealed in chunks; the part begins at byte `from` of the sealed file.
    ///
    /// It tells apart what one key and salt seal, and nothing else: for bytes that were not sealed so it is no use.
    pub fn tag_of_chunks(
        &self,
        file: u32,
        part: u32,
        from: u64,
        bytes: &[u8],
    ) -> Result<[u8; TAG_BYTES], SealError> {
        self.gmac(Of::Chunks, file, part, &tags_and_edges(from, bytes))
    }

    fn gmac(
        &self,
        of: Of,
        file: u32,
        part: u32,
        bytes: &[u8],
    ) -> Result<[u8; TAG_BYTES], SealError> {
        let numbers = [of as u32, file, part].map(u32::to_be_bytes);
        let mut nonce = [0; NONCE_LEN];
        for (to, from) in nonce.iter_mut().zip(numbers.as_flattened()) {
            *to = *from;
        }
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

/// What a tag is of; a nonce is for one of them.
#[derive(Clone, Copy)]
enum Of {
    Bytes = 0,
    Chunks = 1,
}

/// `u64be(from) ‖ u64be(length)`, and of the bytes all but those of whole chunks whose tag stands behind them in this part.
///
/// A chunk whose tag is cut off, or may come in the next part, is there byte by byte, and so is the stream's header. The last
/// chunk, which is shorter, counts as one that is cut off: so it takes no knowledge of where the file ends.
fn tags_and_edges(from: u64, bytes: &[u8]) -> Vec<u8> {
    let chunks = bytes.len() / SEALED_CHUNK_BYTES + 1;
    let mut taken = Vec::with_capacity(chunks * TAG_BYTES + SEALED_CHUNK_BYTES + HEADER_BYTES);
    taken.extend_from_slice(&from.to_be_bytes());
    taken.extend_from_slice(&(bytes.len() as u64).to_be_bytes());

    let (header, chunk) = (HEADER_BYTES as u64, SEALED_CHUNK_BYTES as u64);
    let begin = usize::try_from(header.saturating_sub(from)).unwrap_or(HEADER_BYTES);
    let (begin, mut rest) = bytes.split_at(begin.min(bytes.len()));
    taken.extend_from_slice(begin);
    let left = chunk - from.saturating_sub(header) % chunk;
    let mut left = usize::try_from(left).unwrap_or(SEALED_CHUNK_BYTES);
    while let Some((end, later)) = rest.split_at_checked(left) {
        let tag = end.last_chunk::<TAG_BYTES>();
        taken.extend_from_slice(tag.map_or(end, |it| it));
        (rest, left) = (later, SEALED_CHUNK_BYTES);
    }
    taken.extend_from_slice(rest);
    taken
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

    #[test]
    fn of_whole_chunks_the_tags_are_taken_and_all_else_as_it_is() {
        let bytes: Vec<u8> = (0..)
            .map(|it: u32| it.to_le_bytes()[it as usize % 3])
            .take(50_000)
            .collect();
        let taken = |from: usize, to: usize| {
            let taken = tags_and_edges(from as u64, &bytes[from..to]);
            let numbers = [from as u64, (to - from) as u64].map(u64::to_be_bytes);
            assert_eq!(taken[..16], *numbers.as_flattened());
            taken[16..].to_vec()
        };
        let chunk = |n: usize| 56 + n * SEALED_CHUNK_BYTES;
        let tag = |n: usize| &bytes[chunk(n + 1) - 16..chunk(n + 1)];
        assert_eq!(taken(0, 20), bytes[..20]);
        assert_eq!(taken(20, 100), bytes[20..100]);
        assert_eq!(taken(0, chunk(1) - 1), bytes[..chunk(1) - 1]);
        assert_eq!(taken(0, chunk(1)), [&bytes[..56], tag(0)].concat());
        let behind = &bytes[chunk(1)..chunk(1) + 9];
        assert_eq!(
            taken(0, chunk(1) + 9),
            [&bytes[..56], tag(0), behind].concat()
        );
        assert_eq!(taken(chunk(1), chunk(3)), [tag(1), tag(2)].concat());
        assert_eq!(taken(chunk(1) - 16, chunk(2)), [tag(0), tag(1)].concat());
        // A tag that was cut is not one.
        assert_eq!(
            taken(chunk(1) - 15, chunk(2)),
            [&tag(0)[1..], tag(1)].concat()
        );
        assert_eq!(taken(100, 100), b"");
    }
}
