//! RIFF: WebP pictures, WAV sound, AVI films.

use std::io;

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, profile, step, xmp};
use super::{behind, mp3, tiff};
use crate::budget::Step;
use crate::walk::Walk;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    let head: [u8; 12] = from.exactly()?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let mut left = u64::from(length).saturating_sub(4);
    while left >= 8 {
        step!(walk.budget.work(64));
        let kind: [u8; 4] = from.exactly()?;
        let length = u64::from(u32::from_le_bytes(from.exactly()?));
        let padded = length + (length & 1);
        left = left.saturating_sub(8 + padded);
        match &kind {
            b"LIST" if length >= 4 => {
                let form: [u8; 4] = from.exactly()?;
                if form == *b"movi" {
                    from.skip(padded - 4)?;
                } else {
                    let data = from.some(padded - 4, MOST)?;
                    step!(list(walk, &data, 4));
                }
            }
            b"VP8 " | b"VP8L" | b"ANMF" | b"ALPH" | b"data" | b"idx1" => from.skip(padded)?,
            _ => {
                let data = from.some(padded, MOST)?;
                step!(chunk(walk, kind, &data));
            }
        }
    }
    behind(walk, from)
}

fn chunk(walk: &mut Walk<'_>, kind: [u8; 4], data: &[u8]) -> Step {
    let name = String::from_utf8_lossy(&kind).trim().to_owned();
    match &kind {
        b"EXIF" => tiff::exif(walk, data.strip_prefix(b"Exif\0\0").unwrap_or(data)),
        b"XMP " | b"_PMX" | b"iXML" => xmp(walk, "XMP", data),
        b"ICCP" => profile(walk, "ICC profile", data),
        b"id3 " | b"ID3 " => mp3::tag(walk, data),
        // A description with what was not written as zeros.
        b"bext" => {
            let mut parts = data.split(|it| *it == 0).filter(|it| !it.is_empty());
            parts.try_for_each(|it| note(walk, "bext", it))
        }
        _ => note(walk, &name, data),
    }
}

/// What lists hold, which may be lists.
fn list(walk: &mut Walk<'_>, mut data: &[u8], depth: u8) -> Step {
    while let [a, b, c, d, e, f, g, h, rest @ ..] = data {
        walk.budget.work(64)?;
        let length = u32::from_le_bytes([*e, *f, *g, *h]) as usize;
        let inner = &rest[..length.min(rest.len())];
        match (&[*a, *b, *c, *d], depth.checked_sub(1)) {
            (b"LIST", Some(depth)) => list(walk, inner.get(4..).unwrap_or_default(), depth)?,
            // The number of what it is about stands in front.
            (b"labl" | b"note" | b"ltxt", _) => {
                note(walk, "note", inner.get(4..).unwrap_or_default())?;
            }
            (kind, _) => note(walk, &String::from_utf8_lossy(kind.as_slice()), inner)?,
        }
        data = rest
            .get(length.saturating_add(length & 1)..)
            .unwrap_or_default();
    }
    Ok(())
}
