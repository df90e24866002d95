//! Many phrases, of which nearly no place in a text has one.
//!
//! They are a tree of their bytes. Before it is gone down, a few bits say of nearly every place that nothing
//! begins there: they are near to the processor, and the tree is not. Letters of ASCII are the same whether
//! they are large or small.

use std::fmt;
use std::ops::Range;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};

pub(crate) struct PhraseTree {
    beginnings: Beginnings,
    tree: NFA,
    root: StateID,
    /// How many bytes each has.
    lengths: Vec<usize>,
}

impl fmt::Debug for PhraseTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhraseTree({})", self.lengths.len())
    }
}

impl PhraseTree {
    /// Phrases are told by their places in the list.
    pub(crate) fn new<'a, I>(phrases: I) -> Result<Self, BuildError>
    where
        I: IntoIterator<Item = &'a [u8]>,
    {
        let phrases: Vec<Vec<u8>> = phrases
            .into_iter()
            .map(<[u8]>::to_ascii_lowercase)
            .collect();
        // It would have the state of most bytes looked at as if something were found.
        let tree = NFA::builder().prefilter(false).build(&phrases)?;
        Ok(Self {
            beginnings: Beginnings::of(&phrases),
            root: tree.start_state(Anchored::Yes).unwrap_or_default(),
            tree,
            lengths: phrases.iter().map(Vec::len).collect(),
        })
    }

    /// Hands on each phrase that begins here, and where it ends.
    pub(crate) fn at(&self, bytes: &[u8], at: usize, mut found: impl FnMut(usize, usize)) {
        let rest = bytes.get(at..).unwrap_or_default();
        if self.beginnings.may(head(rest)) {
            self.go_down(rest, |phrase, length| found(phrase, at + length));
        }
    }

    /// Hands on each phrase that stands anywhere, and where.
    pub(crate) fn all(&self, bytes: &[u8], mut found: impl FnMut(usize, Range<usize>)) {
        let mut next = head(bytes);
        for at in 0..bytes.len() {
            if self.beginnings.may(next) {
                let rest = bytes.get(at..).unwrap_or_default();
                self.go_down(rest, |phrase, length| found(phrase, at..at + length));
            }
            let after = bytes.get(at + 8).map_or(0, u8::to_ascii_lowercase);
            next = next << 8 | u64::from(after);
        }
    }

    #[inline(never)]
    fn go_down(&self, rest: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut state = self.root;
        for (length, byte) in (1..).zip(rest) {
            let byte = byte.to_ascii_lowercase();
            state = self.tree.next_state(Anchored::Yes, state, byte);
            if !self.tree.is_special(state) {
                continue;
            }
            if self.tree.is_dead(state) {
                return;
            }
            if !self.tree.is_match(state) {
                continue;
            }
            for number in 0..self.tree.match_len(state) {
                let phrase = self.tree.match_pattern(state, number).as_usize();
                // Others end here that begin later.
                if self.lengths.get(phrase) == Some(&length) {
                    found(phrase, length);
                }
            }
        }
    }
}

/// The next eight bytes, and zeros behind the last one.
fn head(rest: &[u8]) -> u64 {
    if let Some(head) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(head.map(|it| it.to_ascii_lowercase()));
    }
    let mut head = [0; 8];
    for (to, from) in head.iter_mut().zip(rest) {
        *to = from.to_ascii_lowercase();
    }
    u64::from_be_bytes(head)
}

/// What says of nearly every place that nothing begins there.
struct Beginnings {
    /// A bit for each pair of bytes that a phrase begins with.
    twos: Bits,
    /// The same, of those that have no more than two.
    whole: Bits,
    /// Of the first three or four bytes of those that have less than eight, some of which share their bit.
    short: Bits,
    /// Of all bytes of those that have four to seven.
    exact: Bits,
    /// Of the first four bytes of the others.
    long: Bits,
    /// Of their first eight.
    eights: Bits,
}

impl Beginnings {
    fn of(phrases: &[Vec<u8>]) -> Self {
        let mut it = Self {
            twos: Bits::none(),
            whole: Bits::none(),
            short: Bits::none(),
            exact: Bits::none(),
            long: Bits::none(),
            eights: Bits::none(),
        };
        for phrase in phrases {
            let head = head(phrase);
            match phrase.len() {
                0 => continue,
                // It goes on with any byte.
                1 => {
                    let first = (head >> 56) << 8;
                    for two in first..=first | 0xFF {
                        it.twos.set(two);
                        it.whole.set(two);
                    }
                    continue;
                }
                2 => it.whole.set(head >> 48),
                3 => it.short.set(spread(head >> 40 << 8)),
                4..=7 => {
                    it.short.set(spread(head >> 32));
                    it.exact.set(spread(head));
                }
                _ => {
                    it.long.set(spread(head >> 32));
                    it.eights.set(spread(head));
                }
            }
            it.twos.set(head >> 48);
        }
        it
    }

    fn may_be_short(&self, head: u64) -> bool {
        let first = |bytes: u32| head & u64::MAX << (64 - 8 * bytes);
        (4..=7).any(|bytes| self.exact.has(spread(first(bytes))))
    }

    /// Whether something may begin with these bytes.
    fn may(&self, head: u64) -> bool {
        if !self.twos.has(head >> 48) {
            return false;
        }
        let four = spread(head >> 32);
        (self.short.has(four) && self.may_be_short(head))
            || (self.long.has(four) && self.eights.has(spread(head)))
            || self.short.has(spread(head >> 40 << 8))
            || self.whole.has(head >> 48)
    }
}

/// Sixteen bits of more.
const fn spread(it: u64) -> u64 {
    it.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48
}

/// A bit for each number of sixteen bits.
#[derive(Debug)]
pub(crate) struct Bits(Box<[u64; 1 << 10]>);

impl Bits {
    pub(crate) fn none() -> Self {
        Self(Box::new([0; 1 << 10]))
    }

    pub(crate) fn set(&mut self, at: u64) {
        self.0[(at >> 6) as usize & 0x3FF] |= 1 << (at & 63);
    }

    pub(crate) fn has(&self, at: u64) -> bool {
        self.0[(at >> 6) as usize & 0x3FF] >> (at & 63) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_found_wherever_it_stands() {
        let all = [
            "a",
            "ab",
            "abc",
            "Abcd",
            "abcdefg",
            "abcdefgh",
            "bcdefghij",
            "zz",
            "\0\0",
        ];
        let phrases = PhraseTree::new(all.iter().map(|it| it.as_bytes())).unwrap();
        let text = "xabcDEFGhijABz a zz\0\0";
        let mut found = Vec::new();
        phrases.all(text.as_bytes(), |phrase, range| found.push((phrase, range)));
        let lower = text.to_lowercase();
        let mut wanted = Vec::new();
        for at in 0..text.len() {
            let rest = lower.split_at(at).1;
            let here = all.iter().enumerate();
            let here = here.filter(|it| rest.starts_with(&it.1.to_lowercase()));
            wanted.extend(here.map(|it| (it.0, at..at + it.1.len())));
        }
        assert_eq!(found, wanted);
        for (phrase, range) in found {
            let mut ends = Vec::new();
            phrases.at(text.as_bytes(), range.start, |phrase, end| {
                ends.push((phrase, end));
            });
            assert!(ends.contains(&(phrase, range.end)));
        }
    }
}
