//! xz. A header may ask for a dictionary of 4 GiB.

use std::io::{self, Read};

use lzma_rust2::XzReader;

use super::packed::Packed;
use super::series::{Next, Stream, begins};
use crate::budget::Memory;

const MAGIC: &[u8] = b"\xFD7zXZ\0";

struct Xz<'a> {
    reader: XzReader<Packed<'a>>,
    _memory: Memory,
}

pub(in crate::extract) fn begin(mut packed: Packed<'_>) -> io::Result<Next<'_>> {
    if begins(&mut packed, MAGIC)? != Some(true) {
        return Ok(Next::Rest(packed));
    }
    let dictionary = dictionary(packed.peek(12 + 1024)?).unwrap_or(8 << 20);
    let needs = dictionary + (1 << 17);
    let Some(memory) = packed.budget().decoder(needs) else {
        return Ok(Next::TooLarge);
    };
    // What a later block asks for beyond the first one cannot be read.
    let limit = u32::try_from(needs >> 10).unwrap_or(u32::MAX);
    Ok(Next::Stream(Box::new(Xz {
        reader: XzReader::new_mem_limit(packed, false, limit),
        _memory: memory,
    })))
}

/// How large a dictionary the first block asks for.
fn dictionary(head: &[u8]) -> Option<u64> {
    let block = head.get(12..)?;
    let flags = *block.get(1)?;
    let mut at = 2;
    for is_there in [flags & 0x40, flags & 0x80] {
        if is_there != 0 {
            at += number(block, at)?.1;
        }
    }
    for _ in 0..=flags & 3 {
        let (filter, read) = number(block, at)?;
        let (length, also) = number(block, at + read)?;
        at += read + also;
        if filter == 0x21 {
            let bits = u64::from(block.get(at)? & 0x3F);
            return Some(if bits >= 40 {
                1 << 32
            } else {
                (2 | (bits & 1)) << (bits / 2 + 11)
            });
        }
        at = at.checked_add(usize::try_from(length).ok()?)?;
    }
    None
}

/// A number of seven bits a byte, and how many bytes it takes.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (n, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        number |= u64::from(byte & 0x7F) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((number, n + 1));
        }
    }
    None
}

impl Read for Xz<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<'a> Stream<'a> for Xz<'a> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.reader.into_inner()
    }
}
