//! Letters of one script that look like those of another.

use unicode_security::skeleton;

use super::{At, Found, Take};
use crate::budget::Step;
use crate::text::fold::Folded;

pub(super) fn search(folded: &Folded, take: &mut Take<'_>) -> Step {
    let Some(at) = mixed(&folded.text) else {
        return Ok(());
    };
    let mut out = String::with_capacity(folded.text.len());
    let mut known = [('\0', '\0'); 64];
    for it in folded.text.chars() {
        if it.is_ascii() {
            out.push(it);
            continue;
        }
        let slot = &mut known[u32::from(it) as usize % 64];
        if slot.0 != it {
            let mut looks = [0; 4];
            let mut skeleton = skeleton(it.encode_utf8(&mut looks));
            let first = skeleton.next().filter(char::is_ascii_alphanumeric);
            *slot = (it, first.map_or(it, |it| it.to_ascii_lowercase()));
        }
        out.push(slot.1);
    }
    take(Found::hidden(
        "letters of other scripts",
        At::Folded(at),
        out,
    ))
}

/// The first word in which scripts are mixed that look alike.
fn mixed(text: &str) -> Option<usize> {
    let mut is_plain = false;
    let mut is_other = false;
    let mut start = 0;
    for (at, it) in text.char_indices() {
        if it.is_ascii_lowercase() {
            is_plain = true;
        } else if matches!(u32::from(it), 0x250..=0x2AF | 0x370..=0x58F | 0x10A0..=0x10FF | 0x13A0..=0x13FF | 0x1D00..=0x1DBF | 0xA720..=0xA7FF)
        {
            is_other = true;
        } else if !it.is_alphanumeric() {
            (is_plain, is_other, start) = (false, false, at);
        }
        if is_plain && is_other {
            return Some(start);
        }
    }
    None
}
