//! Files that their sender did not encrypt, in chunks, so that any part can be read by itself.
//!
//! Chunk `n` of 64 KiB is `AES-256-GCM(file key, nonce(n, last), plaintext) ‖ tag`, where the nonce
//! is `0³ ‖ be64(n) ‖ last` and `last` is 1 for the last chunk: the STREAM construction of Hoang,
//! Reyhanitabar, Rogaway and Vizár (CRYPTO 2015). Cutting off, reordering or mixing chunks shows. A
//! file key is used for one file once, so counting nonces is safe. What comes in parts is one such
//! stream a part, each try to upload one under a key of its own: a part that comes again is never
//! encrypted under a key that was used before.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use bytes::{Bytes, BytesMut};

use agentdrop_protocol::PartTag;

use super::gcm::aes;
use super::{AtRestError, TransferKey};

/// Plaintext bytes in a chunk.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Stored bytes of a whole chunk.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;
const TAG: usize = 16;

/// How many bytes a file of `size` bytes is stored in. An empty file is one empty chunk.
pub(crate) const fn sealed_len(size: u64) -> u64 {
    let chunks = if size == 0 {
        1
    } else {
        size.div_ceil(CHUNK as u64)
    };
    size + chunks * TAG as u64
}

/// Encrypts a file as it comes in.
pub(crate) struct FileSealer {
    key: LessSafeKey,
    chunk: u64,
    /// The chunk that is being filled; a full one waits until it is known not to be the last.
    pending: BytesMut,
}

/// Decrypts chunks of a file, in any order.
pub(crate) struct FileOpener {
    key: LessSafeKey,
    last_chunk: u64,
}

impl FileSealer {
    /// For the file at `position`, which comes whole.
    pub(crate) fn new(key: &TransferKey, position: u32) -> Self {
        Self::with(aes(&key.file_key(position)))
    }

    /// For one try to upload a part.
    pub(crate) fn of_part(key: &TransferKey, tag: PartTag) -> Self {
        Self::with(aes(&key.part_key(tag)))
    }

    fn with(key: LessSafeKey) -> Self {
        Self {
            key,
            chunk: 0,
            pending: BytesMut::new(),
        }
    }

    /// Takes plaintext in; hands each chunk that is complete to `out`.
    pub(crate) fn update(&mut self, mut plaintext: &[u8], mut out: impl FnMut(Bytes)) {
        while !plaintext.is_empty() {
            if self.pending.len() == CHUNK {
                out(self.seal_pending(false));
            }
            if self.pending.capacity() < SEALED_CHUNK {
                self.pending.reserve(SEALED_CHUNK - self.pending.len());
            }
            let (now, later) = plaintext.split_at(plaintext.len().min(CHUNK - self.pending.len()));
            self.pending.extend_from_slice(now);
            plaintext = later;
        }
    }

    /// The last chunk.
    pub(crate) fn finish(mut self) -> Bytes {
        self.seal_pending(true)
    }

    fn seal_pending(&mut self, last: bool) -> Bytes {
        let mut chunk = self.pending.split();
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(self.chunk, last), Aad::empty(), &mut chunk)
            .expect("a chunk is shorter than AES-GCM allows");
        chunk.extend_from_slice(tag.as_ref());
        self.chunk += 1;
        chunk.freeze()
    }
}

impl FileOpener {
    /// For the file at `position`, of `size` bytes before it was encrypted.
    pub(crate) fn new(key: &TransferKey, position: u32, size: u64) -> Self {
        Self::with(aes(&key.file_key(position)), size)
    }

    /// For one try to upload a part, of `size` bytes before it was encrypted.
    pub(crate) fn of_part(key: &TransferKey, tag: PartTag, size: u64) -> Self {
        Self::with(aes(&key.part_key(tag)), size)
    }

    fn with(key: LessSafeKey, size: u64) -> Self {
        let last_chunk = size.saturating_sub(1) / CHUNK as u64;
        Self { key, last_chunk }
    }

    /// Decrypts chunk `n` in place; answers how many bytes of it are plaintext.
    pub(crate) fn open(&self, n: u64, chunk: &mut [u8]) -> Result<usize, AtRestError> {
        let plaintext = self
            .key
            .open_in_place(nonce(n, n == self.last_chunk), Aad::empty(), chunk);
        plaintext.map(|it| it.len()).map_err(|_| AtRestError)
    }
}

fn nonce(chunk: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&chunk.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::super::ServerKey;
    use super::*;
    use agentdrop_protocol::{Timestamp, TransferId};

    fn key() -> TransferKey {
        let transfer = TransferId::new(Timestamp::from_millis(1), [1; 10]);
        ServerKey::new(&[1; 32])
            .new_transfer_key(transfer)
            .unwrap()
            .0
    }

    fn sealed(key: &TransferKey, plaintext: &[u8], step: usize) -> Vec<u8> {
        let (mut sealer, mut out) = (FileSealer::new(key, 0), Vec::new());
        for piece in plaintext.chunks(step) {
            sealer.update(piece, |chunk| out.extend_from_slice(&chunk));
        }
        out.extend_from_slice(&sealer.finish());
        out
    }

    fn opened(key: &TransferKey, size: usize, sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
        let (opener, mut out) = (FileOpener::new(key, 0, size as u64), Vec::new());
        for (n, chunk) in sealed.chunks(SEALED_CHUNK).enumerate() {
            let mut chunk = chunk.to_vec();
            let length = opener.open(n as u64, &mut chunk)?;
            out.extend_from_slice(&chunk[..length]);
        }
        Ok(out)
    }

    #[test]
    fn what_is_sealed_opens_whatever_the_pieces() {
        let key = key();
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let plaintext: Vec<u8> = (0..size)
                .map(|it| u8::try_from(it % 251).unwrap())
                .collect();
            for step in [1_000, CHUNK, 1 << 20] {
                let sealed = sealed(&key, &plaintext, step);
                assert_eq!(sealed.len() as u64, sealed_len(size as u64));
                assert_eq!(
                    opened(&key, size, &sealed).unwrap(),
                    plaintext,
                    "{size} by {step}"
                );
            }
        }
    }

    #[test]
    fn what_was_changed_cut_or_swapped_does_not_open() {
        let key = key();
        let size = 2 * CHUNK + 10;
        let good = sealed(&key, &vec![7; size], CHUNK);
        for at in [0, CHUNK, SEALED_CHUNK, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(opened(&key, size, &bad).is_err());
        }
        assert!(opened(&key, size, &good[..good.len() - 1]).is_err());
        assert!(
            opened(&key, 2 * CHUNK, &good[..2 * SEALED_CHUNK]).is_err(),
            "a shorter file"
        );
        let mut swapped = good.clone();
        swapped[..SEALED_CHUNK].copy_from_slice(&good[SEALED_CHUNK..2 * SEALED_CHUNK]);
        assert!(opened(&key, size, &swapped).is_err());
        let tag = PartTag::new([0; 16]);
        let part = FileOpener::of_part(&key, tag, size as u64);
        assert!(
            part.open(0, &mut good[..SEALED_CHUNK].to_vec()).is_err(),
            "a part's key"
        );
        let other = FileOpener::new(&key, 1, size as u64);
        assert!(
            other.open(0, &mut good[..SEALED_CHUNK].to_vec()).is_err(),
            "another file's key"
        );
    }
}
