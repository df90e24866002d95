//! Characters that are written as their numbers, one after the other: binary, octal, decimal, hexadecimal.

use super::{At, Found, Take, words};
use crate::budget::Step;

/// How many numbers make a text.
const LEAST: usize = 12;

/// How many are read at most, one after the other.
const MOST: usize = 1 << 16;

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes
        .get(at..)
        .and_then(|it| it.iter().position(u8::is_ascii_digit))
    {
        let start = begin(bytes, at + step);
        let (tokens, end) = tokens(bytes, start);
        at = end.max(at + step + 1);
        if tokens.len() < LEAST {
            continue;
        }
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

/// Numbers with nothing but separators between, and where they end.
fn tokens(bytes: &[u8], start: usize) -> (Vec<&[u8]>, usize) {
    let (mut tokens, mut at) = (Vec::new(), start);
    while tokens.len() < MOST {
        let rest = bytes.get(at..).unwrap_or_default();
        let is_gap = |it: &u8| {
            matches!(
                it,
                b' ' | b',' | b';' | b':' | b'\n' | b'\r' | b'\t' | b'-' | b'\\'
            )
        };
        let gap = rest.iter().take(5).take_while(|it| is_gap(it)).count();
        let rest = rest.get(gap..).unwrap_or_default();
        let rest_is_marked = matches!(rest, [b'0', b'x' | b'X', ..]);
        let mark = if rest_is_marked {
            2
        } else {
            usize::from(matches!(rest, [b'x', ..]))
        };
        let digits = rest.get(mark..).unwrap_or_default();
        let length = digits
            .iter()
            .take(9)
            .take_while(|it| it.is_ascii_hexdigit())
            .count();
        let is_end = digits.get(length).is_some_and(u8::is_ascii_alphanumeric);
        if length == 0 || length > 8 || is_end || (gap == 0 && !tokens.is_empty()) {
            break;
        }
        tokens.push(digits.get(..length).unwrap_or_default());
        at += gap + mark + length;
    }
    (tokens, at)
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
