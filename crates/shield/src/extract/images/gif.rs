//! GIF 89a.

use std::io;

use super::super::compressed::packed::Packed;
use super::behind;
use super::notes::{MOST, note, step, xmp};
use crate::budget::Step;
use crate::walk::Walk;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    let head: [u8; 13] = from.exactly()?;
    from.skip(colours(head[10]))?;
    loop {
        step!(walk.budget.work(64));
        match from.exactly()? {
            [0x3B] => return behind(walk, from),
            [0x2C] => {
                let head: [u8; 9] = from.exactly()?;
                from.skip(colours(head[8]) + 1)?;
                pass(from)?;
            }
            [0x21] => match from.exactly()? {
                [0xFE] => step!(note(walk, "comment", &blocks(from, |_| {})?)),
                [0x01] => {
                    // Where the text stands comes first.
                    let text = blocks(from, Vec::clear)?;
                    step!(note(walk, "text", &text));
                }
                [0xFF] => step!(application(walk, from)?),
                _ => pass(from)?,
            },
            // Between blocks zeros may stand.
            [0] => {}
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Bytes of a table of colours.
const fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Passes over blocks.
fn pass(from: &mut Packed<'_>) -> io::Result<()> {
    loop {
        let [length] = from.exactly()?;
        if length == 0 {
            return Ok(());
        }
        from.skip(u64::from(length))?;
    }
}

/// What all blocks hold; the first one may be of another sort.
fn blocks(from: &mut Packed<'_>, first: impl FnOnce(&mut Vec<u8>)) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut first = Some(first);
    loop {
        let [length] = from.exactly()?;
        if length == 0 {
            return Ok(all);
        }
        let block = from.some(u64::from(length), 255)?;
        if all.len() as u64 <= MOST {
            all.extend(block);
        }
        if let Some(first) = first.take() {
            first(&mut all);
        }
    }
}

fn application(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    let [length] = from.exactly()?;
    let name = from.some(u64::from(length), 255)?;
    if name != b"XMP DataXMP" {
        if length == 0 {
            return Ok(Ok(()));
        }
        let data = blocks(from, |_| {})?;
        return Ok(note(walk, "application extension", &data));
    }
    // It is written as it is, and ends so that who reads blocks finds its end.
    let mut all = Vec::new();
    loop {
        let [byte] = from.exactly()?;
        if byte == 1 || byte == 0 || all.len() as u64 > MOST {
            break;
        }
        all.push(byte);
    }
    pass(from)?;
    Ok(xmp(walk, "XMP", &all))
}
