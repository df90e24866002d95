//! What comes packed, with a look ahead.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use memchr::memmem;

use crate::budget::{Budget, Counted};

/// What comes packed, with a look ahead.
pub(in crate::extract) struct Packed<'a> {
    from: Counted<'a>,
    buffer: Vec<u8>,
    at: usize,
}

/// Bytes that are read at a time.
const BUFFER: usize = 32 << 10;

impl<'a> Packed<'a> {
    pub(in crate::extract) fn new(from: Counted<'a>) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            at: 0,
        }
    }

    pub(in crate::extract) const fn budget(&self) -> &Budget {
        self.from.budget()
    }

    /// How many bytes of it were read so far, which may be a little more than were used.
    pub(in crate::extract) fn taken(&self) -> Rc<Cell<u64>> {
        self.from.taken()
    }

    /// Passes over so many bytes, if there are as many.
    pub(in crate::extract) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let ahead = self.fill_buf()?.len();
            if ahead == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let gone = usize::try_from(left).map_or(ahead, |it| it.min(ahead));
            self.consume(gone);
            left -= gone as u64;
        }
        Ok(())
    }

    /// So many of the next bytes, and of those no more than these.
    pub(in crate::extract) fn some(&mut self, bytes: u64, most: u64) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        self.by_ref().take(bytes.min(most)).read_to_end(&mut read)?;
        if (read.len() as u64) < bytes.min(most) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.skip(bytes - read.len() as u64)?;
        Ok(read)
    }

    /// The next bytes, of a number that is known.
    pub(in crate::extract) fn exactly<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Passes over what stands before these bytes, if they come.
    pub(in crate::extract) fn skip_to(&mut self, magic: &[u8]) -> io::Result<bool> {
        loop {
            let ahead = self.peek(BUFFER)?;
            let at = memmem::find(ahead, magic);
            let (length, is_end) = (ahead.len(), ahead.len() < BUFFER);
            // They may begin in what is here and end in what is not.
            let gone = if is_end {
                length
            } else {
                length + 1 - magic.len()
            };
            self.consume(at.unwrap_or(gone));
            if at.is_some() || is_end {
                return Ok(at.is_some());
            }
        }
    }

    /// These come next, once more.
    pub(in crate::extract) fn put_back(&mut self, bytes: &[u8]) {
        self.buffer.splice(..self.at, bytes.iter().copied());
        self.at = 0;
    }

    /// The next bytes, which stay where they are; fewer of them at the end only.
    pub(in crate::extract) fn peek(&mut self, most: usize) -> io::Result<&[u8]> {
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
