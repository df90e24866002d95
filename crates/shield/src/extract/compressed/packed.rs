//! What comes packed, with a look ahead.

use std::io::{self, BufRead, Read};

use crate::budget::Counted;

/// What comes packed, with a look ahead.
pub(super) struct Packed<'a> {
    from: Counted<'a>,
    buffer: Vec<u8>,
    at: usize,
}

/// Bytes that are read at a time.
const BUFFER: usize = 32 << 10;

impl<'a> Packed<'a> {
    pub(super) fn new(from: Counted<'a>) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            at: 0,
        }
    }

    pub(super) const fn from(&self) -> &Counted<'a> {
        &self.from
    }

    /// The next bytes, which stay where they are; fewer of them at the end only.
    pub(super) fn peek(&mut self, most: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < most {
            self.buffer.drain(..self.at);
            self.at = 0;
            let missing = BUFFER.max(most) - self.buffer.len();
            let from = Read::by_ref(&mut self.from);
            from.take(missing as u64).read_to_end(&mut self.buffer)?;
        }
        let left = &self.buffer[self.at..];
        Ok(&left[..most.min(left.len())])
    }
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Packed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.peek(1)?;
        }
        Ok(&self.buffer[self.at..])
    }

    fn consume(&mut self, read: usize) {
        self.at = self.buffer.len().min(self.at + read);
    }
}
