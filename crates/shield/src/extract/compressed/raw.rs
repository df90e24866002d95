//! Streams that do not say what they are: those of archives.

use std::io::{self, Read};

use deflate64::Deflate64Decoder;
use flate2::bufread::DeflateDecoder;
use lzma_rust2::LzmaReader;

use super::packed::Packed;
use super::series::{Next, Stream};
use crate::budget::Memory;

/// Not packed at all.
pub(in crate::extract) fn stored(packed: Packed<'_>) -> Next<'_> {
    struct Stored<'a>(Packed<'a>);

    impl Read for Stored<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl<'a> Stream<'a> for Stored<'a> {
        fn rest(self: Box<Self>) -> Packed<'a> {
            self.0
        }
    }

    Next::Stream(Box::new(Stored(packed)))
}

/// RFC 1951.
pub(in crate::extract) fn deflate(packed: Packed<'_>) -> Next<'_> {
    Next::Stream(Box::new(DeflateDecoder::new(packed)))
}

/// The same with a window of 64 KiB.
pub(in crate::extract) fn deflate64(packed: Packed<'_>) -> Next<'_> {
    Next::Stream(Box::new(Deflate64Decoder::with_buffer(packed)))
}

/// LZMA as in zip, with the length that a header says or until its end is marked.
pub(in crate::extract) fn lzma(
    mut packed: Packed<'_>,
    length: Option<u64>,
) -> io::Result<Next<'_>> {
    let mut head = [0; 9];
    packed.read_exact(&mut head)?;
    let [_, _, _, _, properties, a, b, c, d] = head;
    lzma_stream(packed, length, properties, u32::from_le_bytes([a, b, c, d]))
}

/// LZMA whose header was read.
pub(in crate::extract) fn lzma_stream(
    packed: Packed<'_>,
    length: Option<u64>,
    properties: u8,
    dictionary: u32,
) -> io::Result<Next<'_>> {
    // No more of it is ever used than comes out.
    let length_of = length.and_then(|it| u32::try_from(it).ok());
    let dictionary = dictionary.min(length_of.unwrap_or(u32::MAX).max(1 << 12));
    let Some(memory) = packed.budget().decoder(u64::from(dictionary) + (1 << 17)) else {
        return Ok(Next::TooLarge);
    };
    let length = length.unwrap_or(u64::MAX);
    let reader = LzmaReader::new_with_props(packed, length, properties, dictionary, None)?;
    Ok(Next::Stream(Box::new(Lzma {
        reader,
        _memory: memory,
    })))
}

struct Lzma<'a> {
    reader: LzmaReader<Packed<'a>>,
    _memory: Memory,
}

impl Read for Lzma<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<'a> Stream<'a> for Lzma<'a> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        let (mut packed, unused) = self.reader.into_parts();
        packed.put_back(&unused);
        packed
    }
}

impl<'a> Stream<'a> for DeflateDecoder<Packed<'a>> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.into_inner()
    }
}

impl<'a> Stream<'a> for Deflate64Decoder<Packed<'a>> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.into_inner()
    }
}
