//! Matroska and `WebM`: RFC 9559. Elements in elements.

use std::io;

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, step};
use crate::budget::Step;
use crate::walk::Walk;

/// A length that is not known: it goes on until something stands there that cannot be in it.
const OPEN: u64 = u64::MAX;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    // Elements are read one after the other, whatever they are in: what holds others is stepped into.
    while !from.peek(1)?.is_empty() {
        step!(walk.budget.work(64));
        let id = id(from)?;
        let length = length(from)?;
        match id {
            // The segment, information, tracks, tags, chapters, attached files, and what they hold.
            0x1853_8067 | 0x1549_A966 | 0x1654_AE6B | 0xAE | 0x1254_C367 | 0x7373 | 0x67C8
            | 0x1043_A770 | 0x45B9 | 0xB6 | 0x80 | 0x1941_A469 | 0x61A7 => {}
            // What a note says, titles, names of programs, of chapters, of tracks, of files.
            0x4487 | 0x45A3 | 0x7BA9 | 0x4D80 | 0x5741 | 0x85 | 0x536E | 0x466E | 0x467E => {
                let data = from.some(length, MOST)?;
                step!(note(walk, place(id), &data));
            }
            0x465C => {
                let file = from.some(length, 8 * MOST)?;
                step!(walk.look_into("attached file", &mut io::Cursor::new(file)));
            }
            // A film that is being sent does not say how long its parts are.
            _ if length == OPEN => {}
            _ => from.skip(length)?,
        }
    }
    Ok(Ok(()))
}

const fn place(id: u64) -> &'static str {
    match id {
        0x45A3 => "name of a note",
        0x4487 => "note",
        0x7BA9 => "title",
        0x85 => "chapter",
        0x536E => "name of a track",
        0x466E => "name of an attached file",
        0x467E => "about an attached file",
        _ => "program",
    }
}

/// A number of one to four bytes, with the bits that say how many.
fn id(from: &mut Packed<'_>) -> io::Result<u64> {
    let [first] = from.exactly()?;
    let more = first.leading_zeros();
    if more > 3 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    number(from, u64::from(first), more)
}

/// A number of one to eight bytes, without those bits.
fn length(from: &mut Packed<'_>) -> io::Result<u64> {
    let [first] = from.exactly()?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let most = (1 << (7 * (more + 1))) - 1;
    let length = number(from, u64::from(first), more)? & most;
    Ok(if length == most { OPEN } else { length })
}

fn number(from: &mut Packed<'_>, first: u64, more: u32) -> io::Result<u64> {
    let mut number = first;
    for _ in 0..more {
        let [next] = from.exactly()?;
        number = number << 8 | u64::from(next);
    }
    Ok(number)
}
