//! Long runs of the letters of an encoding: base64, base32, base16, base85.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::{At, Found, Take, What, words, words_or_code};
use crate::budget::Step;
use crate::kind::Kind;
use crate::many::{next_long_run, next_run};

/// Characters that make a run worth a look.
const LEAST: usize = 20;

/// Of a line that goes on in the next one.
const LEAST_LINE: usize = 40;

const fn is_part(it: u8) -> bool {
    PARTS[it as usize]
}

/// What a run stands among: words without any of these are long enough to hold one.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
const fn is_inside(it: u8) -> bool {
    (it != b' ') & (it != b'\n') & (it != b'\t') & (it != b'\r') & (it != b'"') & (it != b'\'')
}

/// Which bytes are of a run.
const PARTS: [bool; 256] = {
    let mut table = [false; 256];
    let mut it = 0_u8;
    while it < 0x80 {
        table[it as usize] =
            it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_' | b'=');
        it += 1_u8;
    }
    table
};

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let (mut at, mut run_at) = (0, 0);
    while let Some(word) = next_long_run(bytes, at, LEAST, is_inside) {
        at = word.end;
        run_at = within(bytes, word.start.max(run_at)..word.end, take)?;
        if word.len() >= LEAST_LINE {
            other85(bytes, word, take)?;
        }
    }
    ascii85(text, take)
}

/// Looks at the runs in a word; one that goes on in further lines ends there.
fn within(bytes: &[u8], word: Range<usize>, take: &mut Take<'_>) -> Step<usize> {
    let mut at = word.start;
    let here = bytes.get(..word.end).unwrap_or_default();
    while let Some(run) = next_run(here, at, LEAST, is_part) {
        let start = run.start;
        let (run, end) = whole(bytes, run);
        at = end;
        if let Some((name, what)) = decoded(&run) {
            take(Found {
                name,
                at: At::Text(start),
                is_hidden: true,
                what,
                rule: None,
            })?;
        }
    }
    Ok(at)
}

/// A run with the lines that go on with it, and where they end.
fn whole(bytes: &[u8], first: Range<usize>) -> (Cow<'_, [u8]>, usize) {
    let mut run = Cow::from(bytes.get(first.clone()).unwrap_or_default());
    let (mut line, mut end) = (first.len(), first.end);
    while line >= LEAST_LINE {
        let rest = bytes.get(end..).unwrap_or_default();
        let is_gap = |it: &u8| {
            matches!(
                it,
                b'\r' | b'\n' | b' ' | b'\t' | b'"' | b'\'' | b'>' | b'#' | b'\\'
            )
        };
        let gap = rest.iter().take(12).take_while(|it| is_gap(it)).count();
        let lines = rest.iter().take(gap).filter(|it| **it == b'\n').count();
        let next = rest.get(gap..).unwrap_or_default();
        line = next.iter().take_while(|it| is_part(**it)).count();
        // The next line belongs to it if there is nothing else in it.
        let after = next.get(line).unwrap_or(&b'\n');
        let is_end = matches!(after, b'\r' | b'\n' | b'"' | b'\'' | b'\\');
        if lines != 1 || line == 0 || !is_end {
            break;
        }
        run.to_mut().extend(next.iter().take(line));
        end += gap + line;
    }
    (run, end)
}

fn decoded(run: &[u8]) -> Option<(&'static str, What)> {
    if run.iter().all(u8::is_ascii_hexdigit) {
        return Some(("hex", What::Text(words_or_code(&hex(run))?)));
    }
    let is_wide = |it: &u8| matches!(it, b'A'..=b'Z' | b'2'..=b'7' | b'=');
    if run.iter().all(is_wide)
        && let Some(text) = words_or_code(&packed(run, 5, wide))
    {
        return Some(("base32", What::Text(text)));
    }
    // A little of it tells whether it is worth the rest; what comes before it may belong to it.
    for shift in 0..4 {
        let run = run.get(shift..).unwrap_or_default();
        let may_be_file = shift == 0 && run.len() >= 64;
        if !may_be_file && !may_be_promising(run) {
            continue;
        }
        let head = run.get(..32.min(run.len())).unwrap_or_default();
        let head = packed(head, 6, sixty_four);
        if may_be_file && is_file(&head) {
            return Some(("base64", What::File(packed(run, 6, sixty_four))));
        }
        if !is_promising(&head) {
            continue;
        }
        if let Some(text) = words_or_code(&packed(run, 6, sixty_four)) {
            return Some(("base64", What::Text(text)));
        }
    }
    None
}

fn is_file(head: &[u8]) -> bool {
    // Shorter beginnings are met by chance.
    let is_long = |kind: Kind| {
        !matches!(
            kind,
            Kind::Gzip | Kind::Bzip2 | Kind::Media | Kind::Pe | Kind::Pickle
        )
    };
    match Kind::of(head) {
        Kind::Text | Kind::Html | Kind::Xml | Kind::Email | Kind::Binary => false,
        Kind::Gzip => head.get(2) == Some(&8),
        kind => is_long(kind),
    }
}

/// Of what is no text, the first six bytes mostly say so; texts of two bytes a letter have zeros.
fn may_be_promising(run: &[u8]) -> bool {
    let digits = run.iter().take(8).map_while(|it| sixty_four(*it));
    let (count, six) = digits.fold((0, 0_u64), |it, digit| {
        (it.0 + 1, it.1 << 6 | u64::from(digit))
    });
    let [_, _, six @ ..] = &six.to_be_bytes();
    let is_wide = [six[1], six[3], six[5]] == [0; 3];
    // What ends before is too short for a text.
    count == 8 && (is_wide || six.iter().all(|it| may_be_text(*it)) && is_utf8(six))
}

fn is_promising(head: &[u8]) -> bool {
    let head = head.get(..head.len().min(21)).unwrap_or_default();
    let high = head.iter().filter(|it| !it.is_ascii()).count();
    let is_narrow = head.iter().all(|it| may_be_text(*it)) && (high == 0 || is_utf8(head));
    let is_two = head.len() > 8
        && head
            .as_chunks::<2>()
            .0
            .iter()
            .all(|it| it[1] == 0 && it[0] != 0);
    is_narrow || is_two
}

const fn may_be_text(it: u8) -> bool {
    matches!(it, 9 | 10 | 13 | 0x20..=0x7E | 0x80..)
}

fn is_utf8(head: &[u8]) -> bool {
    str::from_utf8(head)
        .err()
        .is_none_or(|it| it.error_len().is_none())
}

fn hex(run: &[u8]) -> Vec<u8> {
    let digit = |it: u8| match it {
        b'0'..=b'9' => it - b'0',
        _ => it.to_ascii_lowercase().wrapping_sub(b'a' - 10) & 0xF,
    };
    run.as_chunks::<2>()
        .0
        .iter()
        .map(|it| digit(it[0]) << 4 | digit(it[1]))
        .collect()
}

/// Digits of so many bits each, as bytes; it ends with the first that is none.
fn packed(run: &[u8], bits: u32, digit: fn(u8) -> Option<u8>) -> Vec<u8> {
    let (mut out, mut held, mut count) = (Vec::with_capacity(run.len()), 0_u32, 0);
    for it in run.iter().map_while(|it| digit(*it)) {
        held = held << bits | u32::from(it);
        count += bits;
        if count >= 8 {
            count -= 8;
            out.push((held >> count & 0xFF) as u8);
            held &= (1 << count) - 1;
        }
    }
    out
}

fn sixty_four(it: u8) -> Option<u8> {
    SIXTY_FOUR[usize::from(it)]
}

/// The digits of base 64, of both alphabets.
const SIXTY_FOUR: [Option<u8>; 256] = {
    let mut table = digits(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    (table[b'-' as usize], table[b'_' as usize]) = (Some(62), Some(63));
    table
};

fn wide(it: u8) -> Option<u8> {
    match it {
        b'A'..=b'Z' => Some(it - b'A'),
        b'2'..=b'7' => Some(it - b'2' + 26),
        _ => None,
    }
}

/// What stands between `<~` and `~>`.
fn ascii85(text: &str, take: &mut Take<'_>) -> Step {
    let mut rest = 0;
    let find = |from: usize, what: &[u8]| {
        let found = memmem::find(text.as_bytes().get(from..)?, what);
        found.map(|it| from + it)
    };
    while let Some(at) = find(rest, b"<~") {
        let Some(end) = find(at + 2, b"~>") else {
            break;
        };
        rest = end;
        let inside = text.get(at + 2..end).unwrap_or_default();
        let mut out = Vec::new();
        let digits: Vec<u32> = inside
            .bytes()
            .filter(|it| (b'!'..=b'u').contains(it))
            .map(|it| u32::from(it - b'!'))
            .collect();
        for five in digits.chunks(5) {
            let padded = (0..5).map(|it| five.get(it).copied().unwrap_or(84));
            let value = padded.fold(0_u32, |sum, it| sum.wrapping_mul(85).wrapping_add(it));
            out.extend(value.to_be_bytes().into_iter().take(five.len() - 1));
        }
        if let Some(text) = words_or_code(&out) {
            take(Found::hidden("base85", At::Text(at), text))?;
        }
    }
    Ok(())
}

/// The digits of the other way to write base 85, of Git and Python.
const EIGHTY_FIVE: [Option<u8>; 256] = digits(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
);

/// What each byte is worth of so many digits.
const fn digits(digits: &[u8]) -> [Option<u8>; 256] {
    let mut table = [None; 256];
    let mut at = 0_u8;
    while (at as usize) < digits.len() {
        table[digits[at as usize] as usize] = Some(at);
        at += 1;
    }
    table
}

fn other85(bytes: &[u8], word: Range<usize>, take: &mut Take<'_>) -> Step {
    let start = word.start;
    let word = bytes.get(word).unwrap_or_default();
    let head = word.get(..20).unwrap_or_default();
    if from85(head).is_some_and(|it| is_promising(&it))
        && let Some(text) = from85(word).as_deref().and_then(words)
    {
        take(Found::hidden("base85", At::Text(start), text))?;
    }
    Ok(())
}

fn from85(word: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for five in word.chunks(5) {
        let mut value = 0_u64;
        for at in 0..5 {
            let digit = five
                .get(at)
                .map_or(Some(84), |it| EIGHTY_FIVE[usize::from(*it)])?;
            value = value * 85 + u64::from(digit);
        }
        let value = u32::try_from(value).ok()?;
        out.extend(value.to_be_bytes().into_iter().take(five.len() - 1));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    #[test]
    fn nothing_promising_is_ruled_out_early() {
        let texts: [&[u8]; 6] = [
            b"just some words",
            "жить-поживать".as_bytes(),
            "日本語の文章です".as_bytes(),
            b"w\0o\0r\0d\0s\0w\0o\0r\0d\0s\0",
            &[0xFF; 30],
            b"words\x01\x02\x03 and signs",
        ];
        for text in texts {
            for cut in 0..text.len() {
                // Each digit from the first one on begins a run, whether a byte begins there or not.
                let bits: Vec<u8> = text
                    .iter()
                    .skip(cut)
                    .flat_map(|it| (0..8).rev().map(move |bit| it >> bit & 1))
                    .collect();
                let digit =
                    |six: &[u8]| LETTERS[usize::from(six.iter().fold(0, |sum, it| sum << 1 | it))];
                let run: Vec<u8> = bits.chunks_exact(6).map(digit).collect();
                for run in (0..4)
                    .filter_map(|it| run.get(it..))
                    .filter(|it| it.len() >= 17)
                {
                    let head = packed(&run[..32.min(run.len())], 6, sixty_four);
                    assert!(may_be_promising(run) || !is_promising(&head), "{head:?}");
                }
            }
        }
        assert!(may_be_promising(b"anVzdCBzb21lIHdvcmRz"));
        assert!(!may_be_promising(b"gIGCg4SFhoeIiYqLjI2O"));
        assert!(!may_be_promising(b"===================="));
    }
}
