//! Long runs of the letters of an encoding: base64, base32, base16, base85.

use std::ops::Range;

use super::{At, Found, Take, What, words, words_or_code};
use crate::budget::Step;
use crate::kind::Kind;

/// Characters that make a run worth a look.
const LEAST: usize = 20;

/// Of a line that goes on in the next one.
const LEAST_LINE: usize = 40;

const CLASS: [bool; 256] = {
    let mut table = [false; 256];
    let mut it = 0_u8;
    while it < 0x80 {
        table[it as usize] =
            it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_' | b'=');
        it += 1;
    }
    table
};

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let is_part = |at: usize| bytes.get(at).is_some_and(|it| CLASS[usize::from(*it)]);
    let mut at = LEAST - 1;
    while at < bytes.len() {
        // Whatever is long enough has a part here.
        if !is_part(at) {
            at += LEAST;
            continue;
        }
        let mut start = at;
        while start > 0 && at - start < LEAST && is_part(start - 1) {
            start -= 1;
        }
        let mut end = at + 1;
        while is_part(end) {
            end += 1;
        }
        at = end + LEAST;
        if end - start < LEAST {
            continue;
        }
        let (run, end) = whole(bytes, start..end);
        at = at.max(end + LEAST);
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
    ascii85(text, take)?;
    other85(text, take)
}

/// A run with the lines that go on with it, and where they end.
fn whole(bytes: &[u8], first: Range<usize>) -> (Vec<u8>, usize) {
    let mut run = bytes.get(first.clone()).unwrap_or_default().to_vec();
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
        line = next
            .iter()
            .take_while(|it| CLASS[usize::from(**it)])
            .count();
        // The next line belongs to it if there is nothing else in it.
        let after = next.get(line).unwrap_or(&b'\n');
        let is_end = matches!(after, b'\r' | b'\n' | b'"' | b'\'' | b'\\');
        if lines != 1 || line == 0 || !is_end {
            break;
        }
        run.extend(next.iter().take(line));
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
    let shifts = 0..4;
    for shift in shifts {
        let run = run.get(shift..).unwrap_or_default();
        let head = packed(
            run.get(..32.min(run.len())).unwrap_or_default(),
            6,
            sixty_four,
        );
        if shift == 0 && is_file(&head) && run.len() >= 64 {
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

fn is_promising(head: &[u8]) -> bool {
    let head = head.get(..head.len().min(21)).unwrap_or_default();
    let is_text = |it: &&u8| matches!(it, 9 | 10 | 13 | 0x20..=0x7E | 0x80..);
    let high = head.iter().filter(|it| !it.is_ascii()).count();
    let is_narrow = head.iter().all(|it| is_text(&it)) && (high == 0 || is_utf8(head));
    let is_two = head.len() > 8
        && head
            .as_chunks::<2>()
            .0
            .iter()
            .all(|it| it[1] == 0 && it[0] != 0);
    is_narrow || is_two
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
    match it {
        b'A'..=b'Z' => Some(it - b'A'),
        b'a'..=b'z' => Some(it - b'a' + 26),
        b'0'..=b'9' => Some(it - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

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
    while let Some((before, after)) = text.get(rest..).and_then(|it| it.split_once("<~")) {
        let at = rest + before.len();
        rest = at + 2;
        let Some((inside, _)) = after.split_once("~>") else {
            break;
        };
        rest += inside.len();
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

/// The other way to write base 85, of Git and Python.
fn other85(text: &str, take: &mut Take<'_>) -> Step {
    const DIGITS: &[u8; 85] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let digit = |it: u8| DIGITS.iter().position(|digit| *digit == it);
    let decode = |run: &[u8]| -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for five in run.chunks(5) {
            let mut value = 0_u64;
            for at in 0..5 {
                value = value * 85 + five.get(at).map_or(Some(84), |it| digit(*it))? as u64;
            }
            let value = u32::try_from(value).ok()?;
            out.extend(value.to_be_bytes().into_iter().take(five.len() - 1));
        }
        Some(out)
    };
    let mut at = 0;
    for word in text.split([' ', '\n', '\t', '\r', '"', '\'']) {
        if word.len() >= LEAST_LINE
            && decode(word.as_bytes().get(..20).unwrap_or_default())
                .is_some_and(|it| is_promising(&it))
            && let Some(text) = decode(word.as_bytes()).as_deref().and_then(words)
        {
            take(Found::hidden("base85", At::Text(at), text))?;
        }
        at += word.len() + 1;
    }
    Ok(())
}
