//! Parts of a file, without the rest of it.

use std::ops::Range;

use agentdrop_cobblestone::{CHUNK_BYTES, HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use zeroize::Zeroizing;

use crate::OpenError;

/// Opens parts of one file.
///
/// Every byte of a part is what was sealed for that place. Whether the other parts are there, nobody has looked.
#[derive(Debug)]
pub struct FileReader {
    opener: Opener,
    size: u64,
    sealed_size: u64,
}

impl FileReader {
    pub(super) const fn new(opener: Opener, size: u64, sealed_size: u64) -> Self {
        Self {
            opener,
            size,
            sealed_size,
        }
    }

    /// Bytes of the plaintext.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Which bytes of the stream it takes to open these of the plaintext; none if they are not all in it.
    pub fn sealed_range(&self, plain: &Range<u64>) -> Option<Range<u64>> {
        if plain.start > plain.end || plain.end > self.size {
            return None;
        }
        let (begin, whole) = (HEADER_BYTES as u64, SEALED_CHUNK_BYTES as u64);
        let first = begin + plain.start / CHUNK_BYTES as u64 * whole;
        if plain.is_empty() {
            return Some(first..first);
        }
        let end = begin + plain.end.div_ceil(CHUNK_BYTES as u64) * whole;
        Some(first..end.min(self.sealed_size))
    }

    /// Opens these bytes of the plaintext; `sealed` are the bytes that [`sealed_range`](Self::sealed_range) tells, all of
    /// them, and what is left of them afterwards is of no use.
    pub fn open(
        &self,
        plain: &Range<u64>,
        sealed: &mut [u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let range = self.sealed_range(plain).ok_or(OpenError::Refused)?;
        if range.end - range.start != sealed.len() as u64 {
            return Err(OpenError::Refused);
        }
        let first = plain.start / CHUNK_BYTES as u64;
        let mut opened = Zeroizing::new(Vec::with_capacity(sealed.len()));
        for (n, chunk) in (first..).zip(sealed.chunks_mut(SEALED_CHUNK_BYTES)) {
            opened.extend_from_slice(self.opener.open_at(n, chunk)?);
        }
        if plain.is_empty() {
            return Ok(opened);
        }
        let skip = usize::try_from(plain.start % CHUNK_BYTES as u64);
        let len = usize::try_from(plain.end - plain.start);
        let (Ok(skip), Ok(len)) = (skip, len) else {
            return Err(OpenError::Refused);
        };
        let wanted = opened.get(skip..).and_then(|it| it.get(..len));
        Ok(Zeroizing::new(wanted.ok_or(OpenError::Refused)?.to_vec()))
    }
}
