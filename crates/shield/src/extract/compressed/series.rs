//! Streams one after the other, read as one.

use std::io::{self, BufRead, Read};

use super::packed::Packed;
use crate::budget::{Budget, Counted};

/// A stream that is being unpacked.
pub(super) trait Stream<'a>: Read {
    /// What stands behind it, once it is at its end.
    fn rest(self: Box<Self>) -> Packed<'a>;

    /// What is written in it beside the content, and where.
    fn texts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What comes next.
pub(super) enum Next<'a> {
    Stream(Box<dyn Stream<'a> + 'a>),
    /// No stream any more.
    Rest(Packed<'a>),
    /// One that takes more memory than there is.
    TooLarge,
}

/// Begins the next stream.
pub(super) type Begin = for<'a> fn(Packed<'a>) -> io::Result<Next<'a>>;

/// All streams, one after the other.
pub(super) struct Series<'a> {
    budget: Budget,
    begin: Begin,
    state: State<'a>,
    /// Of the first streams; who writes a thousand comments is looked at all the same.
    pub(super) texts: Vec<(&'static str, String)>,
}

enum State<'a> {
    Between(Packed<'a>),
    Within(Box<dyn Stream<'a> + 'a>),
    Ended(Option<Packed<'a>>),
    TooLarge,
}

/// How many texts beside the content are kept.
const MAX_TEXTS: usize = 1000;

impl<'a> Series<'a> {
    pub(super) fn new(from: Counted<'a>, begin: Begin) -> Self {
        Self {
            budget: from.budget().clone(),
            begin,
            state: State::Between(Packed::new(from)),
            texts: Vec::new(),
        }
    }

    /// Whether it ended because a decoder would have taken more memory than there is.
    pub(super) const fn wants_memory(&self) -> bool {
        matches!(self.state, State::TooLarge)
    }

    /// What stands behind the last stream, if the end was reached.
    pub(super) fn into_rest(self) -> Option<Packed<'a>> {
        match self.state {
            State::Ended(rest) => rest,
            State::Between(_) | State::Within(_) | State::TooLarge => None,
        }
    }

    fn next(&mut self, packed: Packed<'a>) -> io::Result<State<'a>> {
        // A decoder has its cost, be the stream as short as it may.
        let worked = self.budget.work(16 << 10);
        worked.map_err(|_| io::Error::other("the scan ends"))?;
        Ok(match (self.begin)(packed)? {
            Next::Stream(stream) => {
                let room = MAX_TEXTS.saturating_sub(self.texts.len());
                self.texts.extend(stream.texts().into_iter().take(room));
                State::Within(stream)
            }
            Next::Rest(rest) => State::Ended(Some(rest)),
            Next::TooLarge => State::TooLarge,
        })
    }
}

impl Read for Series<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended(None)) {
                State::Between(packed) => self.state = self.next(packed)?,
                State::Within(mut stream) => {
                    // What fails once is not tried again: it is at its end.
                    let read = stream.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        self.state = State::Within(stream);
                        return Ok(read);
                    }
                    self.state = State::Between(stream.rest());
                }
                ended @ (State::Ended(_) | State::TooLarge) => {
                    self.state = ended;
                    return Ok(0);
                }
            }
        }
    }
}

/// Passes over zeros, as of a tape, and tells whether a stream begins with this; `None` at the end.
pub(super) fn begins(packed: &mut Packed<'_>, magic: &[u8]) -> io::Result<Option<bool>> {
    loop {
        let bytes = packed.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let zeros = bytes.iter().take_while(|it| **it == 0).count();
        if zeros == 0 {
            break;
        }
        packed.consume(zeros);
    }
    Ok(Some(packed.peek(magic.len())?.starts_with(magic)))
}
