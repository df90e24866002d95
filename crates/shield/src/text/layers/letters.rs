//! Letters that were shifted, turned round, replaced by digits, or set apart.

use super::{At, Found, Take};
use crate::budget::Step;
use crate::text::fold::Folded;
use crate::text::words::{Disguise, Hit, Words};

/// What is turned back around a hint.
const AROUND: usize = 600;

pub(super) fn search(words: &Words, hits: &[Hit], folded: &Folded, take: &mut Take<'_>) -> Step {
    hinted(words, hits, &folded.text, take)?;
    digits(&folded.text, take)
}

/// Where strong words stand in a disguise, everything around them is taken out of it.
fn hinted(words: &Words, hits: &[Hit], text: &str, take: &mut Take<'_>) -> Step {
    let mut until = 0;
    for hit in hits {
        let Some(disguise) = words.disguise(hit.concept) else {
            continue;
        };
        let at = hit.start as usize;
        if at < until {
            continue;
        }
        let start = boundary(text, at.saturating_sub(AROUND));
        let end = boundary(text, (at + AROUND).min(text.len()));
        until = end;
        let piece = text.get(start..end).unwrap_or_default();
        let (name, plain) = match disguise {
            Disguise::Shifted(by) => (
                "shifted letters",
                piece.chars().map(|it| shift(it, by)).collect(),
            ),
            Disguise::Mirrored => ("mirrored letters", piece.chars().map(mirror).collect()),
            Disguise::Reversed => {
                let turned: String = piece.chars().rev().collect();
                // The words may stand in their order, or not.
                let each = turned.split(' ').rev().collect::<Vec<_>>().join(" ");
                ("reversed letters", format!("{turned}\n\n{each}"))
            }
        };
        take(Found::hidden(name, At::Folded(start), plain))?;
    }
    Ok(())
}

fn shift(it: char, by: u8) -> char {
    match u8::try_from(it) {
        Ok(it @ b'a'..=b'z') => char::from(b'a' + (it - b'a' + 26 - by) % 26),
        _ => it,
    }
}

fn mirror(it: char) -> char {
    match u8::try_from(it) {
        Ok(it @ b'a'..=b'z') => char::from(b'a' + b'z' - it),
        _ => it,
    }
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Words in which digits stand for letters, where there are several near to each other.
fn digits(text: &str, take: &mut Take<'_>) -> Step {
    let (mut first, mut last, mut count) = (0, 0, 0_usize);
    let mut at = 0;
    for word in text.split(' ') {
        if is_leet(word) {
            if count > 0 && at - last > 80 {
                plain(text, first, last, count, take)?;
                count = 0;
            }
            if count == 0 {
                first = at;
            }
            (last, count) = (at + word.len(), count + 1);
        }
        at += word.len() + 1;
    }
    plain(text, first, last, count, take)
}

fn plain(text: &str, first: usize, last: usize, count: usize, take: &mut Take<'_>) -> Step {
    if count < 3 || last - first > 1 << 14 {
        return Ok(());
    }
    let start = boundary(text, first.saturating_sub(60));
    let end = boundary(text, (last + 60).min(text.len()));
    let piece = text.get(start..end).unwrap_or_default();
    // A one is an i to some, and an l to others.
    let with = |one: char| -> String { piece.chars().map(|it| letter(it, one)).collect() };
    let both = format!("{}\n\n{}", with('i'), with('l'));
    take(Found::hidden("digits for letters", At::Folded(start), both))
}

fn is_leet(word: &str) -> bool {
    let word = word.trim_matches(|it: char| !it.is_ascii_alphanumeric());
    if !(3..=20).contains(&word.len()) {
        return false;
    }
    let is_digit = |it: &u8| {
        matches!(
            it,
            b'0' | b'1' | b'3' | b'4' | b'5' | b'7' | b'8' | b'@' | b'$'
        )
    };
    let (mut digits, mut letters) = (0, 0);
    for it in word.bytes() {
        digits += usize::from(is_digit(&it));
        letters += usize::from(it.is_ascii_lowercase());
    }
    digits + letters == word.len() && digits > 0 && letters > 0
}

fn letter(it: char, one: char) -> char {
    match it {
        '0' => 'o',
        '1' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        _ => it,
    }
}
