//! Zstandard, RFC 8878. A header may ask for a window of 3.75 TiB.

use std::io::{self, Read};

use ruzstd::decoding::StreamingDecoder;

use super::packed::Packed;
use super::series::{Next, Stream, begins};
use crate::budget::Memory;

struct Zstd<'a> {
    decoder: StreamingDecoder<Packed<'a>, ruzstd::decoding::FrameDecoder>,
    _memory: Memory,
}

pub(in crate::extract) fn begin(mut packed: Packed<'_>) -> io::Result<Next<'_>> {
    loop {
        if begins(&mut packed, b"\x28\xB5\x2F\xFD")? == Some(true) {
            break;
        }
        // Frames for other programs stand between those with content.
        match *packed.peek(8)? {
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, a, b, c, d] => {
                let length = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
                io::copy(&mut packed.by_ref().take(length), &mut io::sink())?;
            }
            _ => return Ok(Next::Rest(packed)),
        }
    }
    let needs = window(packed.peek(18)?);
    let Some(memory) = packed.budget().decoder(needs.saturating_add(1 << 19)) else {
        return Ok(Next::TooLarge);
    };
    let decoder = StreamingDecoder::new_with_max_window_size(packed, needs);
    Ok(Next::Stream(Box::new(Zstd {
        decoder: decoder.map_err(io::Error::other)?,
        _memory: memory,
    })))
}

/// How many bytes a frame that begins like this needs at hand.
fn window(head: &[u8]) -> u64 {
    let at = |n: usize| head.get(n).copied().unwrap_or_default();
    let flags = at(4);
    if flags & 0x20 == 0 {
        let (exponent, mantissa) = (u64::from(at(5) >> 3), u64::from(at(5) & 7));
        return (1 << (10 + exponent)) / 8 * (8 + mantissa);
    }
    // All of the content, and its length is written.
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let length = [1, 2, 4, 8][usize::from(flags >> 6)];
    let bytes = (0..length).map(|n| u64::from(at(5 + dictionary + n)) << (8 * n));
    let written: u64 = bytes.sum();
    if length == 2 { written + 256 } else { written }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer)
    }
}

impl<'a> Stream<'a> for Zstd<'a> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.decoder.into_inner()
    }
}
