//! What is here of a file that came in part, and from where on the rest has to come.

use agentdrop_cobblestone::{CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES};

/// The beginning of a file that was opened as it came: what its stream begins with, and how many chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What the stream begins with.
    pub header: [u8; HEADER_BYTES],
    /// Whole chunks of which the plaintext is here.
    pub chunks: u64,
}

impl Kept {
    /// What can be gone on behind where the first `here` bytes of a file of `size` bytes are here, whose stream has
    /// `sealed_size`; nothing, where that is not a chunk.
    ///
    /// Where all of the file is here, so is its padding, which is zeros; the last chunk, which is shorter, comes again.
    pub const fn of(
        header: [u8; HEADER_BYTES],
        here: u64,
        size: u64,
        sealed_size: u64,
    ) -> Option<Self> {
        let most = sealed_size.saturating_sub(HEADER_BYTES as u64) / SEALED_CHUNK_BYTES as u64;
        let whole = here / CHUNK_BYTES as u64;
        let chunks = if here >= size || whole > most {
            most
        } else {
            whole
        };
        match chunks {
            0 => None,
            chunks => Some(Self { header, chunks }),
        }
    }

    /// How many bytes of a file of `size` bytes are in these chunks.
    pub const fn plain_bytes(&self, size: u64) -> u64 {
        let bytes = self.chunks * CHUNK_BYTES as u64;
        if bytes < size { bytes } else { size }
    }

    /// How many bytes of the stream they were: from there on it has to come.
    pub const fn stream_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.chunks * SEALED_CHUNK_BYTES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; HEADER_BYTES] = [7; HEADER_BYTES];

    fn chunks(here: u64, size: u64) -> u64 {
        let sealed = crate::native::sealed_len(size).unwrap();
        let kept = Kept::of(HEADER, here, size, sealed);
        if let Some(kept) = kept {
            assert!(kept.stream_bytes() < sealed, "{here} of {size}");
            assert_eq!(
                kept.plain_bytes(size),
                size.min(kept.chunks * CHUNK_BYTES as u64)
            );
        }
        kept.map_or(0, |it| it.chunks)
    }

    #[test]
    fn whole_chunks_are_kept_and_never_the_last_which_is_shorter() {
        for (here, size, kept) in [
            (0, 0, 0),
            (16_383, 100_000, 0),
            (16_384, 100_000, 1),
            (32_767, 100_000, 1),
            (99_999, 100_000, 6),
            // 100,352 bytes with the padding: six chunks, and 2,048 bytes more.
            (100_000, 100_000, 6),
            (16_384, 16_384, 1),
            (16_383, 16_383, 1),
            (5, 5, 0),
            // Longer than it can be: somebody made it so.
            (u64::MAX, 100_000, 6),
        ] {
            assert_eq!(chunks(here, size), kept, "{here} of {size}");
        }
    }

    #[test]
    fn where_the_stream_is_shorter_than_the_file_needs_nothing_behind_its_end_is_kept() {
        let sealed = (HEADER_BYTES + 2 * SEALED_CHUNK_BYTES) as u64;
        let kept = Kept::of(HEADER, 50_000, 100_000, sealed).unwrap();
        assert_eq!((kept.chunks, kept.stream_bytes()), (2, sealed));
        assert_eq!(kept.plain_bytes(100_000), 32_768);
    }

    #[test]
    fn padding_behind_a_whole_file_need_not_come_again() {
        let size = 50_000_000;
        let padded = crate::native::sealed_len(size).unwrap();
        let behind = Kept::of(HEADER, size, size, padded).unwrap().stream_bytes();
        assert!(padded - behind < SEALED_CHUNK_BYTES as u64);
        assert!(chunks(size - 1, size) < chunks(size, size));
    }
}
