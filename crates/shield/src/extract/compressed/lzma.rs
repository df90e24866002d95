//! LZMA by itself, as before xz: a header without a mark of its own.

use std::io::{self, BufRead as _};

use super::packed::Packed;
use super::raw;
use super::series::{Next, begins};

/// Properties, the dictionary, the length.
const HEADER: usize = 13;
/// Nobody writes a larger one who means it.
const MAX_LENGTH: u64 = 1 << 40;
/// The length of what is read until its end is marked.
const UNKNOWN: u64 = u64::MAX;

struct Header {
    properties: u8,
    dictionary: u32,
    length: Option<u64>,
}

impl Header {
    /// What follows the header begins with a zero, always.
    fn read(head: &[u8]) -> Option<Self> {
        let (head, [0, ..]) = head.split_first_chunk::<HEADER>()? else {
            return None;
        };
        let [properties, a, b, c, d, length @ ..] = *head;
        let dictionary = u32::from_le_bytes([a, b, c, d]);
        let length = u64::from_le_bytes(length);
        // Those that writers use: a power of two, or that and its half.
        let bits = dictionary.count_ones();
        let is_usual = bits == 1 || bits == 2 && dictionary & (dictionary >> 1) != 0;
        let is_known = length < MAX_LENGTH;
        (properties < 9 * 5 * 5
            && dictionary >= 1 << 12
            && (is_usual || dictionary == u32::MAX)
            && (is_known || length == UNKNOWN))
            .then_some(Self {
                properties,
                dictionary,
                length: is_known.then_some(length),
            })
    }
}

/// Whether something begins like this.
pub(crate) fn is_lzma(head: &[u8]) -> bool {
    Header::read(head).is_some()
}

pub(in crate::extract) fn begin(mut packed: Packed<'_>) -> io::Result<Next<'_>> {
    // Zeros may be passed over, which are no properties that anybody uses.
    begins(&mut packed, b"")?;
    let Some(it) = Header::read(packed.peek(HEADER + 1)?) else {
        return Ok(Next::Rest(packed));
    };
    packed.consume(HEADER);
    raw::lzma_stream(packed, it.length, it.properties, it.dictionary)
}
