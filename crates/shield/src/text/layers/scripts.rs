//! Letters of one script that look like those of another.

use unicode_security::skeleton;

use super::{At, Found, Take};
use crate::budget::Step;
use crate::text::fold::{Folded, looks_alike};

/// What is looked at around a word in which scripts are mixed.
const AROUND: usize = 300;

pub(super) fn search(folded: &Folded, take: &mut Take<'_>) -> Step {
    let text = folded.text.as_str();
    let mut piece: Option<(usize, usize)> = None;
    let mut at = 0_usize;
    for word in text.split(' ') {
        if !word.is_ascii() && is_mixed(word) {
            let (start, end) = (at.saturating_sub(AROUND), at + word.len() + AROUND);
            piece = match piece {
                Some((first, last)) if start <= last && end - first < 1 << 14 => Some((first, end)),
                other => {
                    plain(text, other, take)?;
                    Some((start, end))
                }
            };
        }
        at += word.len() + 1;
    }
    plain(text, piece, take)
}

/// The piece in the letters that it looks to be written in.
fn plain(text: &str, piece: Option<(usize, usize)>, take: &mut Take<'_>) -> Step {
    let Some((start, end)) = piece else {
        return Ok(());
    };
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(start), floor(end.min(text.len())));
    let looks = |it: char| {
        if it.is_ascii() {
            return it;
        }
        let mut bytes = [0; 4];
        let first = skeleton(it.encode_utf8(&mut bytes)).next();
        let first = first.filter(char::is_ascii_alphanumeric);
        first.map_or(it, |it| it.to_ascii_lowercase())
    };
    let out = text.get(start..end).unwrap_or_default();
    let out = out.chars().map(looks).collect();
    take(Found::hidden(
        "letters of other scripts",
        At::Folded(start),
        out,
    ))
}

/// Whether letters of scripts that look alike stand in one word.
fn is_mixed(word: &str) -> bool {
    let (mut is_plain, mut is_other) = (false, false);
    for it in word.chars() {
        match it {
            'a'..='z' => is_plain = true,
            _ if looks_alike(it) => is_other = true,
            '0'..='9' => {}
            _ if it.is_ascii() || !it.is_alphanumeric() => (is_plain, is_other) = (false, false),
            _ => {}
        }
        if is_plain && is_other {
            return true;
        }
    }
    false
}
