//! FLAC, and the notes that it shares with Ogg.

use std::io::{self, Cursor};

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, step};
use crate::budget::Step;
use crate::walk::Walk;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    from.skip(4)?;
    loop {
        step!(walk.budget.work(64));
        let [kind, a, b, c] = from.exactly()?;
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        let data = from.some(length, 4 * MOST)?;
        match kind & 0x7F {
            4 => step!(comments(walk, &data)),
            6 => step!(picture(walk, &data)),
            // Seek tables are none, padding may be.
            _ => step!(note(walk, "block", &data)),
        }
        if kind & 0x80 != 0 {
            return Ok(Ok(()));
        }
    }
}

/// Notes as in Vorbis: who wrote them, how many, and each with its length.
pub(super) fn comments(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    let Some((vendor, rest)) = counted(bytes, u32::from_le_bytes) else {
        return Ok(());
    };
    note(walk, "vendor", vendor)?;
    let mut rest = rest.get(4..).unwrap_or_default();
    while let Some((comment, after)) = counted(rest, u32::from_le_bytes) {
        walk.budget.work(64)?;
        let equals = comment
            .iter()
            .position(|it| *it == b'=')
            .unwrap_or_default();
        let (key, value) = comment.split_at(equals);
        let place = format!("comment {}", super::super::decoded(key));
        note(walk, &place, value.strip_prefix(b"=").unwrap_or(value))?;
        rest = after;
    }
    Ok(())
}

fn picture(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    let parts = || {
        let (kind, rest) = counted(bytes.get(4..)?, u32::from_be_bytes)?;
        let (about, rest) = counted(rest, u32::from_be_bytes)?;
        let (file, _) = counted(rest.get(16..)?, u32::from_be_bytes)?;
        Some((kind, about, file))
    };
    let Some((kind, about, file)) = parts() else {
        return note(walk, "picture", bytes);
    };
    note(walk, "picture", kind)?;
    note(walk, "picture", about)?;
    walk.look_into("picture", &mut Cursor::new(file))
}

/// What stands behind its length, and what stands behind it.
fn counted(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(number(*length) as usize)
}
