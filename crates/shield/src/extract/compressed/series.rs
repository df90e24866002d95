//! Streams one after the other, read as one.

use std::io::{self, BufRead, Read};

use super::packed::Packed;
use crate::budget::Budget;

/// A stream that is being unpacked.
pub(in crate::extract) trait Stream<'a>: Read {
    /// What stands behind it, once it is at its end.
    fn rest(self: Box<Self>) -> Packed<'a>;

    /// What is written in it beside the content, and where.
    fn texts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What comes next.
pub(in crate::extract) enum Next<'a> {
    Stream(Box<dyn Stream<'a> + 'a>),
    /// No stream any more.
    Rest(Packed<'a>),
    /// One that takes more memory than there is.
    TooLarge,
}

/// Begins the next stream.
type Begin<'a> = Box<dyn FnMut(Packed<'a>) -> io::Result<Next<'a>> + 'a>;

/// All streams, one after the other.
pub(in crate::extract) struct Series<'a> {
    budget: Budget,
    begin: Begin<'a>,
    state: State<'a>,
    /// Of the first streams; who writes a thousand comments is looked at all the same.
    pub(in crate::extract) texts: Vec<(&'static str, String)>,
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
    pub(in crate::extract) fn new(
        packed: Packed<'a>,
        begin: impl FnMut(Packed<'a>) -> io::Result<Next<'a>> + 'a,
    ) -> Self {
        Self {
            budget: packed.budget().clone(),
            begin: Box::new(begin),
            state: State::Between(packed),
            texts: Vec::new(),
        }
    }

    /// A single stream; whatever stands behind it is the rest.
    pub(in crate::extract) fn one(
        packed: Packed<'a>,
        mut begin: impl FnMut(Packed<'a>) -> io::Result<Next<'a>> + 'a,
    ) -> Self {
        let mut has_begun = false;
        Self::new(packed, move |packed| {
            if std::mem::replace(&mut has_begun, true) {
                return Ok(Next::Rest(packed));
            }
            begin(packed)
        })
    }

    /// Whether it ended because a decoder would have taken more memory than there is.
    pub(in crate::extract) const fn wants_memory(&self) -> bool {
        matches!(self.state, State::TooLarge)
    }

    /// What stands behind the last stream, if the end was reached.
    pub(in crate::extract) fn into_rest(self) -> Option<Packed<'a>> {
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
pub(in crate::extract) fn begins(
    packed: &mut Packed<'_>,
    magic: &[u8],
) -> io::Result<Option<bool>> {
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
