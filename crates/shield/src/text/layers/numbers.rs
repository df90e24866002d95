//! Characters that are written as their numbers, one after the other: binary, octal, decimal, hexadecimal.

use std::ops::Range;

use super::{At, Found, Take, words};
use crate::budget::Step;
use crate::many::next;

/// How many numbers make a text.
const LEAST: usize = 12;

/// How many are read at most, one after the other.
const MOST: usize = 1 << 16;

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = next(bytes, at, |it| it.is_ascii_digit()) {
        let start = begin(bytes, found);
        let all = || tokens(bytes, start).take(MOST);
        let first = all().next().unwrap_or(found..found + 1);
        if !matches!(first.len(), 2 | 3 | 7 | 8) {
            at = first.end.max(found + 1);
            continue;
        }
        // Most numbers stand alone, or are none of letters: nothing has to be kept of them.
        let (mut count, mut end, mut least, mut most) = (0, found + 1, usize::MAX, 0);
        for it in all() {
            (least, most) = (least.min(it.len()), most.max(it.len()));
            (count, end) = (count + 1, it.end.max(end));
        }
        at = end;
        if count < LEAST || !matches!((least, most), (2, 2 | 3) | (3, 3) | (7, 7 | 8) | (8, 8)) {
            continue;
        }
        let tokens: Vec<&[u8]> = all().filter_map(|it| bytes.get(it)).collect();
        if let Some((name, text)) = decoded(&tokens) {
            take(Found::hidden(name, At::Text(start), text))?;
        }
    }
    Ok(())
}

/// A number in base 16 may begin with a letter.
fn begin(bytes: &[u8], at: usize) -> usize {
    let letters = bytes.get(..at).unwrap_or_default().iter().rev();
    at - letters
        .take(3)
        .take_while(|it| it.is_ascii_hexdigit())
        .count()
}

/// Where numbers stand with nothing but separators between.
fn tokens(bytes: &[u8], start: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let is_gap = |it: &u8| {
            matches!(
                it,
                b' ' | b',' | b';' | b':' | b'\n' | b'\r' | b'\t' | b'-' | b'\\'
            )
        };
        let gap = rest.iter().take(5).take_while(|it| is_gap(it)).count();
        let mark = match rest.get(gap..)? {
            [b'0', b'x' | b'X', ..] => 2,
            [b'x', ..] => 1,
            _ => 0,
        };
        let digits = rest.get(gap + mark..)?;
        let is_digit = |it: &&u8| it.is_ascii_hexdigit();
        let length = digits.iter().take(9).take_while(is_digit).count();
        let is_end = digits.get(length).is_some_and(u8::is_ascii_alphanumeric);
        if length == 0 || length > 8 || is_end || (gap == 0 && at != start) {
            return None;
        }
        let from = at + gap + mark;
        at = from + length;
        Some(from..at)
    })
}

fn decoded(tokens: &[&[u8]]) -> Option<(&'static str, String)> {
    let lengths =
        |least: usize, most: usize| tokens.iter().all(|it| (least..=most).contains(&it.len()));
    let digits = |is: fn(&u8) -> bool| tokens.iter().all(|it| it.iter().all(is));
    let read = |radix: u32| {
        let codes = tokens
            .iter()
            .map(|it| u8::from_str_radix(str::from_utf8(it).ok()?, radix).ok());
        words(&codes.collect::<Option<Vec<u8>>>()?)
    };
    if lengths(7, 8) && digits(|it| matches!(it, b'0' | b'1')) {
        return Some(("binary", read(2)?));
    }
    if lengths(2, 2)
        && let Some(text) = read(16)
    {
        return Some(("hex", text));
    }
    if lengths(2, 3) && digits(u8::is_ascii_digit) {
        let decimal = read(10).map(|it| ("decimal", it));
        return decimal.or_else(|| Some(("octal", read(8)?)));
    }
    None
}
