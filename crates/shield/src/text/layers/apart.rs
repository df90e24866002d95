//! Letters with something between each of them.

use super::{At, Found, Take};
use crate::budget::Step;

/// How many bytes make a piece.
const LEAST: usize = 12;

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
        let letter = if it.is_ascii_alphabetic() { LETTER } else { 0 };
        let sign = if it.is_ascii_graphic() { SIGN } else { 0 };
        let gap = match it {
            b' ' | b'.' | b'-' | b'/' | b'|' | b',' | b'_' | b'*' | b'+' | b'~' => GAP,
            _ => 0,
        };
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
    let is_gap = |it: &u8| SORTS[usize::from(*it)] & GAP != 0;
    let is_pair = |at: usize| is(at, SIGN) && is(at + 1, GAP);
    let is_letter = |at: usize| is(at + 1, GAP) && is(at, LETTER);
    let mut at = 0;
    while at + LEAST < bytes.len() {
        // Whatever is long enough has two letters between gaps here, or just after.
        let begin = (at..at + 4).find(|it| is_letter(*it) && is_letter(it + 2));
        let Some(begin) = begin else {
            at += LEAST / 2;
            continue;
        };
        let mut start = begin;
        while start >= 2 && is_letter(start - 2) {
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
                .take_while(|it| is_gap(it))
                .count();
            if wider > 0 {
                joined.push(' ');
                from += wider;
            }
            end = from;
        }
        at = end + 1;
        if letters >= LEAST / 2 && letters * 10 >= joined.len() * 6 {
            take(Found::hidden(
                "letters set apart",
                At::Text(start),
                whole(text, &joined, start, end),
            ))?;
        }
    }
    Ok(())
}

/// The letters together, with the words around them.
fn whole(text: &str, joined: &str, start: usize, end: usize) -> String {
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let before = text
        .get(floor(start.saturating_sub(60))..start)
        .unwrap_or_default();
    let after = text
        .get(end..floor((end + 100).min(text.len())))
        .unwrap_or_default();
    let mut joined = joined.to_lowercase();
    if !joined.contains(' ') {
        for word in WORDS {
            joined = joined.replace(word, &format!(" {word} "));
        }
        joined = joined.replace("youarenow", "you are now");
    }
    // The last letter has no gap after it.
    let gap = if after.starts_with(|it: char| it.is_alphabetic()) && joined.len() > 1 {
        ""
    } else {
        " "
    };
    format!("{before} {joined}{gap}{after}")
}
