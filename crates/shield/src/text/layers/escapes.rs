//! Characters that are written as their numbers: `%41`, `\u0041`, `&#65;`, `=41`, `U+0041`.

use super::{At, Found, Take, What, is_words};
use crate::budget::Step;
use crate::many::next;

/// How far apart escapes of one piece may be.
const GAP: usize = 40;

/// How many make a piece.
const LEAST: usize = 3;

/// Bytes of one piece: what is longer is looked at in several.
const MOST: usize = 1 << 14;

#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
fn is_start(it: u8) -> bool {
    (it == b'%') | (it == b'\\') | (it == b'&') | (it == b'=') | (it == b'U')
}

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    // Where the piece begins and ends, how many escapes it has, and how many of those stand for letters.
    let mut piece: Option<(usize, usize, usize, usize)> = None;
    let mut at = 0;
    while let Some(found) = next(bytes, at, is_start) {
        at = found;
        let Some((it, length)) = escape(bytes.get(at..).unwrap_or_default()) else {
            at += 1;
            continue;
        };
        let is_letter = usize::from(it.is_ascii_alphanumeric());
        match &mut piece {
            Some((start, end, count, letters)) if at - *end <= GAP && at - *start <= MOST => {
                *end = at + length;
                *count += 1;
                *letters += is_letter;
            }
            _ => {
                finish(text, piece.take(), take)?;
                piece = Some((at, at + length, 1, is_letter));
            }
        }
        at += length;
    }
    finish(text, piece, take)
}

fn finish(text: &str, piece: Option<(usize, usize, usize, usize)>, take: &mut Take<'_>) -> Step {
    let Some((start, end, count, letters)) = piece.filter(|it| it.2 >= LEAST) else {
        return Ok(());
    };
    // With the words around it, which may go on with it.
    let start = floor(text, start.saturating_sub(GAP));
    let end = floor(text, (end + GAP).min(text.len()));
    let unescaped = unescape(text.get(start..end).unwrap_or_default());
    if !is_words(&unescaped) {
        return Ok(());
    }
    take(Found {
        name: "escapes",
        at: At::Text(start),
        // Nobody has to escape letters.
        is_hidden: letters >= LEAST && letters * 2 >= count,
        what: What::Text(unescaped),
        rule: None,
    })
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// With every escape replaced by what it stands for.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        if matches!(byte, b'%' | b'\\' | b'&' | b'=' | b'U')
            && let Some((it, length)) = escape(rest)
        {
            let is_byte = matches!(byte, b'%' | b'=') || rest.get(1) == Some(&b'x');
            match u8::try_from(u32::from(it)) {
                // Bytes of UTF-8, one by one.
                Ok(code) if is_byte => out.push(code),
                _ => out.extend(it.encode_utf8(&mut [0; 4]).bytes()),
            }
            at += length;
            continue;
        }
        out.push(*byte);
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What an escape stands for, and how long it is.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let digits = |from: usize, to: usize, radix: u32| {
        let digits = str::from_utf8(bytes.get(from..to)?).ok()?;
        let is_plain = digits.bytes().all(|it| it.is_ascii_alphanumeric());
        let code = u32::from_str_radix(digits, radix)
            .ok()
            .filter(|_| is_plain)?;
        char::from_u32(code)
    };
    // Up to a character that ends it.
    let until = |from: usize, most: usize, end: u8| {
        let rest = bytes.get(from..)?;
        let length = rest.iter().take(most).position(|it| *it == end)?;
        Some(from + length)
    };
    match bytes {
        [b'%' | b'=', ..]
            if matches!(bytes.get(1), Some(b'\r' | b'\n')) && bytes.first() == Some(&b'=') =>
        {
            Some((' ', 2))
        }
        [b'%', b'u', ..] => Some((digits(2, 6, 16)?, 6)),
        [b'%', ..] => Some((digits(1, 3, 16)?, 3)),
        [b'=', one, two, ..] => {
            let is_upper = |it: &u8| matches!(it, b'0'..=b'9' | b'A'..=b'F');
            let is_both = is_upper(one) && is_upper(two);
            Some((digits(1, 3, 16).filter(|_| is_both)?, 3))
        }
        [b'\\', b'u', b'{', ..] => {
            let end = until(3, 7, b'}')?;
            Some((digits(3, end, 16)?, end + 1))
        }
        [b'\\', b'u', ..] => Some((digits(2, 6, 16)?, 6)),
        [b'\\', b'U', ..] => Some((digits(2, 10, 16)?, 10)),
        [b'\\', b'x', ..] => Some((digits(2, 4, 16)?, 4)),
        [b'\\', b'0'..=b'3', ..] => Some((digits(1, 4, 8)?, 4)),
        [b'&', b'#', b'x' | b'X', ..] => {
            let end = until(3, 8, b';')?;
            Some((digits(3, end, 16)?, end + 1))
        }
        [b'&', b'#', ..] => {
            let end = until(2, 9, b';')?;
            Some((digits(2, end, 10)?, end + 1))
        }
        [b'&', ..] => {
            let end = until(1, 8, b';')?;
            let it = named(bytes.get(1..end)?)?;
            Some((it, end + 1))
        }
        [b'U', b'+', ..] => {
            let length = bytes
                .iter()
                .skip(2)
                .take(6)
                .take_while(|it| it.is_ascii_hexdigit())
                .count();
            let after = bytes.get(2 + length);
            let is_spaced = usize::from(after == Some(&b' '));
            (length >= 4).then_some(())?;
            Some((digits(2, 2 + length, 16)?, 2 + length + is_spaced))
        }
        _ => None,
    }
}

fn named(name: &[u8]) -> Option<char> {
    Some(match name {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        b"nbsp" | b"ensp" | b"emsp" | b"Tab" | b"NewLine" => ' ',
        b"colon" => ':',
        b"comma" => ',',
        b"period" => '.',
        b"excl" => '!',
        b"lpar" => '(',
        b"rpar" => ')',
        b"shy" | b"zwnj" | b"zwj" => '\u{200C}',
        _ => return None,
    })
}
