//! A note in a picture or a recording, on its way to be judged.

use std::io::{Cursor, Read};

use encoding_rs::{UTF_16BE, UTF_16LE};
use flate2::read::ZlibDecoder;

use super::super::UNREADABLE;
use super::super::decoded;
use crate::budget::Step;
use crate::walk::{Setting, Walk};

/// Of one note.
pub(super) const MOST: u64 = 4 << 20;

/// A note that is text, if it is.
pub(super) fn note(walk: &mut Walk<'_>, place: &str, bytes: &[u8]) -> Step {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.len() < 3 || !crate::text::is_text(bytes) {
        return walk.budget.work(64);
    }
    text(walk, place, &decoded(bytes))
}

/// A note that is text in any case.
pub(super) fn text(walk: &mut Walk<'_>, place: &str, text: &str) -> Step {
    let text = text.trim_matches(['\0', ' ']);
    if text.is_empty() {
        return walk.budget.work(64);
    }
    walk.text_in(place, text, Setting::Metadata)
}

/// A note with two bytes a character; with a mark in front of it, or as said.
pub(super) fn wide(bytes: &[u8], is_little: bool) -> String {
    let encoding = if is_little { UTF_16LE } else { UTF_16BE };
    encoding.decode(bytes).0.into_owned()
}

/// A note in elements, as Adobe writes it.
pub(super) fn xmp(walk: &mut Walk<'_>, place: &str, bytes: &[u8]) -> Step {
    walk.look_into(place, &mut Cursor::new(bytes))
}

/// What a colour profile says of itself.
pub(super) fn profile(walk: &mut Walk<'_>, place: &str, profile: &[u8]) -> Step {
    let number = |at: usize| {
        let bytes = profile.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    };
    for tag in 0..number(128).unwrap_or_default().min(200) {
        let entry = 132 + tag * 12;
        let (Some(at), Some(length)) = (number(entry + 4), number(entry + 8)) else {
            break;
        };
        let Some(data) = profile.get(at..).and_then(|it| it.get(..length)) else {
            continue;
        };
        match data {
            [b'd', b'e', b's', b'c', _, _, _, _, _, _, _, _, rest @ ..]
            | [b't', b'e', b'x', b't', _, _, _, _, rest @ ..] => {
                let ascii = rest.split(|it| *it == 0).next().unwrap_or_default();
                note(walk, place, ascii)?;
            }
            [b'm', b'l', b'u', b'c', ..] => text(
                walk,
                place,
                &wide(data.get(28..).unwrap_or_default(), false),
            )?,
            _ => {}
        }
    }
    Ok(())
}

/// What is packed as in zlib, as far as it is kept; all of it counts.
pub(super) fn inflated(walk: &mut Walk<'_>, place: &str, bytes: &[u8]) -> Step<Vec<u8>> {
    let taken = std::rc::Rc::new(std::cell::Cell::new(bytes.len() as u64));
    let _layer = walk.budget.layer(&taken);
    let mut decoder = ZlibDecoder::new(bytes);
    let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 14]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(read) => {
                walk.budget.expand(read as u64)?;
                if all.len() as u64 <= MOST {
                    all.extend_from_slice(&buffer[..read]);
                }
            }
            Err(_) => {
                walk.inside(place, |walk| walk.found(&UNREADABLE, None));
                return Ok(all);
            }
        }
    }
}

/// Runs a step inside of something that reads: what may end the scan goes out, whatever is read.
macro_rules! step {
    ($step:expr) => {
        if let Err(why) = $step {
            return Ok(Err(why));
        }
    };
}

pub(super) use step;
