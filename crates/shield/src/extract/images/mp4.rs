//! MP4 and `QuickTime`: ISO 14496-12. Boxes in boxes.

use std::io::{self, Cursor};

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, step, xmp};
use crate::budget::Step;
use crate::walk::Walk;

/// What Adobe's notes are marked with.
const XMP: [u8; 16] = [
    0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC,
];

/// How deep boxes lie in each other.
const DEPTH: u8 = 10;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    while !from.peek(1)?.is_empty() {
        step!(walk.budget.work(64));
        let short = u64::from(u32::from_be_bytes(from.exactly()?));
        let kind: [u8; 4] = from.exactly()?;
        let length = match short {
            // It goes on to the end.
            0 => u64::MAX,
            1 => u64::from_be_bytes(from.exactly()?).saturating_sub(16),
            _ => short.saturating_sub(8),
        };
        match &kind {
            b"mdat" if length == u64::MAX => return Ok(Ok(())),
            b"mdat" => from.skip(length)?,
            _ => {
                let kept = length.min(4 * MOST);
                let data = from.some(kept, kept)?;
                step!(one(walk, kind, &data, DEPTH));
                if length != u64::MAX {
                    from.skip(length - kept)?;
                }
            }
        }
    }
    Ok(Ok(()))
}

fn boxes(walk: &mut Walk<'_>, mut bytes: &[u8], depth: u8) -> Step {
    while let [a, b, c, d, e, f, g, h, rest @ ..] = bytes {
        walk.budget.work(64)?;
        let (kind, length) = (
            [*e, *f, *g, *h],
            u32::from_be_bytes([*a, *b, *c, *d]) as usize,
        );
        let (data, length) = match (length, rest.first_chunk::<8>()) {
            (0, _) => (rest, bytes.len()),
            (1, Some(long)) => {
                let long = usize::try_from(u64::from_be_bytes(*long)).unwrap_or(usize::MAX);
                (&rest[8..], long.max(16))
            }
            _ => (rest, length.max(8)),
        };
        let end = length.saturating_sub(bytes.len() - data.len());
        one(walk, kind, &data[..end.min(data.len())], depth)?;
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn one(walk: &mut Walk<'_>, kind: [u8; 4], data: &[u8], depth: u8) -> Step {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(());
    };
    let name = kind.iter().map(|it| char::from(*it)).collect::<String>();
    match &kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"udta" | b"ilst" | b"----" | b"moof" | b"traf" => {
            boxes(walk, data, depth)
        }
        // In films of Apple boxes follow at once, else four bytes stand in front.
        b"meta" if data.get(4..8) == Some(b"hdlr") => boxes(walk, data, depth),
        b"meta" => boxes(walk, data.get(4..).unwrap_or_default(), depth),
        b"uuid" => match data.split_first_chunk() {
            Some((&XMP, rest)) => xmp(walk, "XMP", rest),
            _ => note(walk, &name, data.get(16..).unwrap_or_default()),
        },
        b"XMP_" => xmp(walk, "XMP", data),
        b"data" => content(walk, data),
        b"hdlr" => note(walk, &name, data.get(20..).unwrap_or_default()),
        b"mean" | b"name" | b"cprt" | b"titl" | b"dscp" | b"perf" | b"auth" | b"gnre" => {
            note(walk, &name, data)?;
            note(walk, &name, data.get(4..).unwrap_or_default())?;
            note(walk, &name, data.get(6..).unwrap_or_default())
        }
        // Notes of films: their length and language, or once more a box.
        [0xA9, ..] => {
            note(walk, &name, data.get(4..).unwrap_or_default())?;
            walk.inside(&name, |walk| boxes(walk, data, depth))
        }
        // Names of songs hold a box.
        _ if data.get(4..8) == Some(b"data") => walk.inside(&name, |walk| boxes(walk, data, depth)),
        _ => note(walk, &name, data),
    }
}

/// What a box of notes holds: text, or a picture.
fn content(walk: &mut Walk<'_>, data: &[u8]) -> Step {
    let Some((head, rest)) = data.split_first_chunk::<8>() else {
        return Ok(());
    };
    match head[3] {
        13 | 14 | 27 => walk.look_into("picture", &mut Cursor::new(rest)),
        2 => super::notes::text(walk, "data", &super::notes::wide(rest, false)),
        _ => note(walk, "data", rest),
    }
}
