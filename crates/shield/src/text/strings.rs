//! Words between bytes that are no text.

use crate::budget::Step;
use crate::kind::Kind;
use crate::walk::{Setting, Walk};

/// How many characters in a row are worth a look.
const LEAST: usize = 40;

/// Judges the pieces of text in what is no text.
pub(super) fn look(walk: &mut Walk<'_>, kind: Kind, bytes: &[u8]) -> Step {
    let setting = match kind {
        // Programs speak to those who run them.
        Kind::Pe | Kind::Elf | Kind::MachO | Kind::JavaClass | Kind::Wasm | Kind::Catalogue => {
            Setting::Code
        }
        // What these hold is looked at by itself; of the rest, some is their names and their padding.
        Kind::Tar | Kind::Zip | Kind::SevenZip => return Ok(()),
        _ => Setting::Metadata,
    };
    let mut found = String::new();
    narrow(bytes, &mut found);
    two_bytes(bytes, &mut found);
    if kind == Kind::Catalogue {
        // What stands between zeros is a sentence by itself, whatever is before and after it.
        found = found.replace('\n', " ;\n");
    }
    if found.is_empty() {
        return Ok(());
    }
    walk.text(&found, setting)
}

/// Judges the pieces of plain text in what is text of another form.
pub(super) fn look_narrow(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    let mut found = String::new();
    narrow(bytes, &mut found);
    if found.is_empty() {
        return Ok(());
    }
    walk.text(&found, Setting::Visible)
}

/// Runs of UTF-8. Every run that is long enough has a byte at a multiple of its length.
fn narrow(bytes: &[u8], found: &mut String) {
    let is_part = |it: u8| matches!(it, 9 | 10 | 13 | 0x20..=0x7E | 0x80..);
    let part_at = |at: usize| bytes.get(at).is_some_and(|it| is_part(*it));
    let mut at = LEAST - 1;
    while at < bytes.len() {
        if !part_at(at) {
            at += LEAST;
            continue;
        }
        let mut start = at;
        while start > 0 && at - start < LEAST && part_at(start - 1) {
            start -= 1;
        }
        let mut end = at + 1;
        while part_at(end) {
            end += 1;
        }
        if end - start >= LEAST {
            for chunk in bytes.get(start..end).unwrap_or_default().utf8_chunks() {
                keep(chunk.valid(), found);
            }
        }
        at = end + LEAST;
    }
}

/// Runs of UTF-16 in the order of Windows, of letters that have ASCII codes.
fn two_bytes(bytes: &[u8], found: &mut String) {
    let pair = |at: usize| match bytes.get(at..at + 2) {
        Some([it @ (9 | 10 | 13 | 0x20..=0x7E), 0]) => Some(char::from(*it)),
        _ => None,
    };
    let step = LEAST * 2;
    let mut at = step - 2;
    while at + 2 < bytes.len() {
        let Some(begin) = [at, at + 1].into_iter().find(|it| pair(*it).is_some()) else {
            at += step;
            continue;
        };
        let mut start = begin;
        while start >= 2 && begin - start < step && pair(start - 2).is_some() {
            start -= 2;
        }
        let mut end = start;
        let mut text = String::new();
        while let Some(it) = pair(end) {
            text.push(it);
            end += 2;
        }
        keep(&text, found);
        at = end + step;
    }
}

/// Only what has words is kept.
fn keep(text: &str, found: &mut String) {
    let has_spaces = || text.bytes().filter(|it| *it == b' ').count() * 20 >= text.len();
    let letters = || text.chars().filter(|it| it.is_alphabetic()).count();
    let has_words = text.len() >= LEAST && has_spaces();
    if has_words || (!text.is_ascii() && letters() >= LEAST / 2) {
        found.push_str(text);
        found.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_bytes_are_found_wherever_they_begin() {
        let words = "these are words that stand between bytes of a program";
        let two: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for shift in 0..90 {
            let mut bytes = vec![0x01; shift];
            bytes.extend(words.as_bytes());
            bytes.extend([0, 1, 2, 3]);
            let mut found = String::new();
            narrow(&bytes, &mut found);
            assert_eq!(found, format!("{words}\n"), "at {shift}");
            let mut bytes = vec![0x01; shift];
            bytes.extend(&two);
            bytes.extend([1, 1, 1, 1]);
            let mut found = String::new();
            two_bytes(&bytes, &mut found);
            assert_eq!(found, format!("{words}\n"), "at {shift}");
        }
    }
}
