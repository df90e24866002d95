//! Letters with something between each of them.

use super::{At, Found, Take};
use crate::budget::Step;
use crate::many::mask;

/// How many letters make a piece.
const LEAST: usize = 6;

/// What is told apart where the gaps between words are lost.
const WORDS: [&str; 22] = [
    "ignore",
    "disregard",
    "forget",
    "previous",
    "prior",
    "above",
    "instructions",
    "instruction",
    "system",
    "prompt",
    "reveal",
    "password",
    "assistant",
    "restrictions",
    "everything",
    "respond",
    "youarenow",
    "all",
    "your",
    "send",
    "api",
    "keys",
];

const LETTER: u8 = 1;
const SIGN: u8 = 2;
const GAP: u8 = 4;

/// What each byte is here.
const SORTS: [u8; 256] = {
    let mut table = [0; 256];
    let mut it = 0_u8;
    while it < 0x80 {
        let letter = if is_letter(it) { LETTER } else { 0 };
        let sign = if it.is_ascii_graphic() { SIGN } else { 0 };
        let gap = if is_gap(it) { GAP } else { 0 };
        table[it as usize] = letter | sign | gap;
        it += 1;
    }
    table
};

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let is = |at: usize, sort: u8| {
        bytes
            .get(at)
            .is_some_and(|it| SORTS[usize::from(*it)] & sort != 0)
    };
    let is_pair = |at: usize| is(at, SIGN) && is(at + 1, GAP);
    let is_spaced = |at: usize| is(at + 1, GAP) && is(at, LETTER);
    let mut at = 0;
    let mut pieces: Option<Pieces> = None;
    while let Some(begin) = two_letters(bytes, at) {
        let mut start = begin;
        while start >= 2 && is_spaced(start - 2) {
            start -= 2;
        }
        let (mut end, mut from, mut letters) = (begin, start, 0_usize);
        let mut joined = String::new();
        while is_pair(from) {
            let it = char::from(bytes[from]);
            letters += usize::from(it.is_ascii_alphabetic());
            joined.push(it);
            from += 2;
            // A wider gap ends a word.
            let wider = bytes
                .iter()
                .skip(from)
                .take(3)
                .take_while(|it| is_gap(**it))
                .count();
            if wider > 0 {
                joined.push(' ');
                from += wider;
            }
            end = from;
        }
        at = end + 1;
        if letters < LEAST || letters * 10 < joined.len() * 6 {
            continue;
        }
        match &mut pieces {
            Some(it) if it.are_near(start) => it.add(text, &joined, start, end),
            _ => {
                finish(text, pieces.take(), take)?;
                pieces = Some(Pieces::new(&joined, start, end));
            }
        }
    }
    finish(text, pieces, take)
}

/// Where the next two letters are with gaps behind them, which most texts have few of; many places are asked at once.
fn two_letters(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(here) = bytes.get(at..)?.first_chunk::<64>() {
        let (letters, gaps) = (mask(here, is_letter), mask(here, is_gap));
        let both = letters & gaps >> 1 & letters >> 2 & gaps >> 3;
        if both != 0 {
            return Some(at + both.trailing_zeros() as usize);
        }
        // What begins with one of the last three ends behind them.
        at += here.len() - 3;
    }
    let is = |it: &[u8; 4]| is_letter(it[0]) && is_gap(it[1]) && is_letter(it[2]) && is_gap(it[3]);
    let found = bytes.get(at..)?.array_windows().position(is);
    found.map(|it| at + it)
}

const fn is_letter(it: u8) -> bool {
    (it | 0x20).wrapping_sub(b'a') < 26
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
const fn is_gap(it: u8) -> bool {
    (it == b' ')
        | (it.wrapping_sub(b'*') <= b'/' - b'*')
        | (it == b'_')
        | (it == b'|')
        | (it == b'~')
}

/// Pieces that stand near to each other, put together: none brings the others along once more.
struct Pieces {
    start: usize,
    end: usize,
    plain: String,
    /// Whether the last letter may have been left to what follows.
    is_open: bool,
}

/// How many bytes are shown before and after.
const AROUND: (usize, usize) = (60, 100);

/// Bytes of what is put together: what is longer is looked at in several.
const MOST: usize = 1 << 14;

impl Pieces {
    fn new(joined: &str, start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            plain: apart(joined),
            is_open: joined.len() > 1,
        }
    }

    fn are_near(&self, start: usize) -> bool {
        start < self.end + AROUND.0 + AROUND.1 && start < self.start + MOST
    }

    fn add(&mut self, text: &str, joined: &str, start: usize, end: usize) {
        self.follow(text.get(self.end..start).unwrap_or_default());
        let next = Self::new(joined, start, end);
        self.plain.push(' ');
        self.plain.push_str(&next.plain);
        (self.end, self.is_open) = (end, next.is_open);
    }

    /// What stands behind; the last letter has no gap after it.
    fn follow(&mut self, text: &str) {
        if !(self.is_open && text.starts_with(char::is_alphabetic)) {
            self.plain.push(' ');
        }
        self.plain.push_str(text);
    }
}

/// Hands on the letters together, with the words around them.
fn finish(text: &str, pieces: Option<Pieces>, take: &mut Take<'_>) -> Step {
    let Some(mut pieces) = pieces else {
        return Ok(());
    };
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (pieces.start, pieces.end);
    let before = text.get(floor(start.saturating_sub(AROUND.0))..start);
    let after = text.get(end..floor((end + AROUND.1).min(text.len())));
    pieces.follow(after.unwrap_or_default());
    let whole = format!("{} {}", before.unwrap_or_default(), pieces.plain);
    take(Found::hidden("letters set apart", At::Text(start), whole))
}

/// Words that are told apart where the gaps between them are lost.
fn apart(joined: &str) -> String {
    let mut joined = joined.to_lowercase();
    if !joined.contains(' ') {
        for word in WORDS {
            joined = joined.replace(word, &format!(" {word} "));
        }
        joined = joined.replace("youarenow", "you are now");
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_are_found_wherever_they_stand() {
        for shift in 0..140 {
            let text = format!("{}a b c d ", "=".repeat(shift));
            for from in 0..=shift {
                assert_eq!(two_letters(text.as_bytes(), from), Some(shift));
            }
            assert_eq!(two_letters(text.as_bytes(), text.len()), None);
        }
        assert_eq!(two_letters(b"", 1), None);
    }
}
