//! PNG, third edition.

use std::io;

use super::super::compressed::packed::Packed;
use super::notes::{MOST, inflated, note, profile, step, xmp};
use super::{behind, tiff};
use crate::budget::Step;
use crate::walk::Walk;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    from.skip(8)?;
    loop {
        step!(walk.budget.work(64));
        let length = u64::from(u32::from_be_bytes(from.exactly()?));
        let kind: [u8; 4] = from.exactly()?;
        match &kind {
            b"IEND" => {
                from.skip(length + 4)?;
                return behind(walk, from);
            }
            b"IDAT" | b"fdAT" | b"PLTE" => from.skip(length)?,
            _ => {
                let data = from.some(length, MOST)?;
                step!(chunk(walk, kind, &data));
            }
        }
        from.skip(4)?;
    }
}

fn chunk(walk: &mut Walk<'_>, kind: [u8; 4], data: &[u8]) -> Step {
    let zero = data.iter().position(|it| *it == 0).unwrap_or(data.len());
    let (key, rest) = data.split_at(zero);
    let rest = rest.get(1..).unwrap_or_default();
    let name = String::from_utf8_lossy(&kind).into_owned();
    let place = format!("{name} {}", super::super::decoded(key));
    match &kind {
        b"tEXt" => note(walk, &place, rest),
        b"zTXt" => {
            let text = inflated(walk, &place, rest.get(1..).unwrap_or_default())?;
            note(walk, &place, &text)
        }
        b"iTXt" => {
            let mut parts = rest.get(2..).unwrap_or_default().splitn(3, |it| *it == 0);
            let translated = parts.nth(1).unwrap_or_default();
            note(walk, &place, translated)?;
            let text = parts.next().unwrap_or_default();
            let text = match rest.first() {
                Some(1) => &inflated(walk, &place, text)?,
                _ => text,
            };
            if key == b"XML:com.adobe.xmp" {
                return xmp(walk, "XMP", text);
            }
            note(walk, &place, text)
        }
        b"iCCP" => {
            note(walk, "iCCP", key)?;
            let data = inflated(walk, "iCCP", rest.get(1..).unwrap_or_default())?;
            profile(walk, "iCCP", &data)
        }
        b"eXIf" => tiff::exif(walk, data),
        // What readers do not know they pass over; a text in it is there for somebody.
        _ => note(walk, &name, data),
    }
}
