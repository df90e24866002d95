//! Streams of any size, encrypted in chunks: the C2SP chunked-encryption specification's
//! Cobblestone-256.
//!
//! ```text
//! okm(76) = HKDF-Expand-SHA512(key, "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" ‖ salt ‖ context)
//! AES key = okm[..32], base nonce = okm[32..44], commitment = okm[44..]
//! stream  = salt(24) ‖ commitment(32) ‖ chunk 0 ‖ chunk 1 ‖ …
//! chunk n = AES-256-GCM(AES key, base nonce ⊕ be64(n), plaintext of up to 16 KiB) ‖ tag(16)
//! ```
//!
//! Every chunk but the last holds 16 KiB, and the last one less, if need be nothing: so a stream
//! that was cut off shows, and where a chunk lies follows from its number. The commitment binds the
//! stream to one key and one context: nobody can make a stream that opens under two of either.
//!
//! It knows nothing of whose key it is. That is the caller's, who also says in the context what
//! the stream is, so that none is taken for another.

mod opener;
mod schedule;
mod sealer;

pub use opener::Opener;
pub use schedule::Key;
pub use sealer::Sealer;

/// Plaintext bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 16 * 1024;
/// Bytes of every chunk but the last, as it is stored.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Bytes before the first chunk: the salt and the commitment.
pub const HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;
/// Bytes of the random salt that a stream begins with.
pub const SALT_BYTES: usize = 24;
/// Most chunks of one stream; 4 PiB of plaintext.
pub const MAX_CHUNKS: u64 = 1 << 38;

const TAG_BYTES: usize = 16;
const COMMITMENT_BYTES: usize = 32;

/// Why a stream does not open. Which check failed is not said: whoever tampers learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream was changed, cut off, or made for another key or purpose")]
pub struct Refused;

/// A stream holds at most [`MAX_CHUNKS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stream holds at most 4 PiB")]
pub struct TooLong;

/// How many bytes the stream of `plaintext` bytes has; `None` if it would be too long.
pub const fn sealed_len(plaintext: u64) -> Option<u64> {
    let chunks = plaintext / CHUNK_BYTES as u64 + 1;
    if chunks > MAX_CHUNKS {
        return None;
    }
    Some(HEADER_BYTES as u64 + plaintext + chunks * TAG_BYTES as u64)
}

/// How many plaintext bytes a stream of `sealed` bytes holds; `None` if no stream is of this length.
pub const fn plaintext_len(sealed: u64) -> Option<u64> {
    let Some(chunks) = sealed.checked_sub(HEADER_BYTES as u64) else {
        return None;
    };
    let full = chunks / SEALED_CHUNK_BYTES as u64;
    let last = chunks % SEALED_CHUNK_BYTES as u64;
    match last.checked_sub(TAG_BYTES as u64) {
        Some(last) if full < MAX_CHUNKS => Some(full * CHUNK_BYTES as u64 + last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_both_ways() {
        let chunk = CHUNK_BYTES as u64;
        for plaintext in [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 10 << 30] {
            let sealed = sealed_len(plaintext).unwrap();
            assert_eq!(plaintext_len(sealed), Some(plaintext));
        }
        assert_eq!(sealed_len(0), Some(56 + 16));
        assert_eq!(sealed_len(chunk), Some(56 + chunk + 32));
        for no_stream in [0, 55, 56, 56 + 15, 56 + SEALED_CHUNK_BYTES as u64] {
            assert_eq!(plaintext_len(no_stream), None, "{no_stream}");
        }
        assert_eq!(sealed_len(u64::MAX), None);
        assert_eq!(plaintext_len(u64::MAX), None);
    }
}
