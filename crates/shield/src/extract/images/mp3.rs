//! MP3, of which only the tags in front (`ID3v2`) and at the end (`ID3v1`) are of interest.

use std::io::{self, Cursor, Read, SeekFrom};

use encoding_rs::mem::decode_latin1;

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, text, wide};
use crate::budget::Step;
use crate::walk::{Input, Walk};

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    let head = from.peek(10)?;
    if !head.starts_with(b"ID3") || head.len() < 10 {
        return Ok(Ok(()));
    }
    let length = 10 + seven_bits(&head[6..]);
    let bytes = from.some(length, 4 * MOST)?;
    Ok(tag(walk, &bytes))
}

/// The tag at the end, of a fixed length.
pub(super) fn end(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let mut tag = Vec::new();
    let at = input.length.saturating_sub(128);
    input.source.seek(SeekFrom::Start(at)).ok();
    let read = input.source.take(128).read_to_end(&mut tag);
    walk.read(read);
    if tag.len() < 128 || !tag.starts_with(b"TAG") {
        return Ok(());
    }
    for (place, field) in [
        ("title", 3..33),
        ("artist", 33..63),
        ("album", 63..93),
        ("comment", 97..127),
    ] {
        let field = tag[field].split(|it| *it == 0).next().unwrap_or_default();
        note(walk, place, field)?;
    }
    Ok(())
}

/// A whole tag.
pub(super) fn tag(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    let [b'I', b'D', b'3', version, _, flags, _, _, _, _, rest @ ..] = bytes else {
        return Ok(());
    };
    let synchronised;
    let mut rest = rest;
    if flags & 0x80 != 0 {
        synchronised = resynchronised(rest);
        rest = &synchronised;
    }
    if flags & 0x40 != 0 && *version > 2 {
        let length = match version {
            4 => seven_bits(rest),
            _ => plain(rest).saturating_add(4),
        };
        rest = usize::try_from(length)
            .ok()
            .and_then(|it| rest.get(it..))
            .unwrap_or_default();
    }
    let (name, head) = if *version == 2 { (3, 6) } else { (4, 10) };
    while rest.len() > head && rest[0] != 0 {
        walk.budget.work(64)?;
        let length = match version {
            2 => plain(&[&[0], &rest[3..6]].concat()),
            4 => seven_bits(&rest[4..]),
            _ => plain(&rest[4..]),
        };
        let (id, body) = (&rest[..name], &rest[head..]);
        let length = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(body.len());
        let (body, after) = body.split_at(length);
        frame(walk, id, body)?;
        rest = after;
    }
    Ok(())
}

fn frame(walk: &mut Walk<'_>, id: &[u8], body: &[u8]) -> Step {
    let place = String::from_utf8_lossy(id).into_owned();
    let Some((encoding, rest)) = body.split_first() else {
        return Ok(());
    };
    match id {
        [b'T', ..] | b"WXXX" | b"WXX" => text(walk, &place, &decoded(*encoding, rest)),
        // Comments and lyrics have a language in front.
        b"COMM" | b"COM" | b"USLT" | b"ULT" | b"USER" => text(
            walk,
            &place,
            &decoded(*encoding, rest.get(3..).unwrap_or_default()),
        ),
        // Words have their times behind them, and those are no text.
        b"SYLT" | b"SLT" => text(
            walk,
            &place,
            &decoded(*encoding, rest.get(5..).unwrap_or_default()),
        ),
        b"APIC" | b"PIC" | b"GEOB" | b"GEO" => {
            text(
                walk,
                &place,
                &decoded(*encoding, &rest[..rest.len().min(1000)]),
            )?;
            // The file begins behind texts of unknown length; those that matter say what they are.
            let magic = [
                &b"\x89PNG"[..],
                b"\xFF\xD8\xFF",
                b"GIF8",
                b"PK\x03\x04",
                b"%PDF",
            ];
            let at = (0..rest.len().min(1000))
                .find(|at| magic.iter().any(|it| rest[*at..].starts_with(it)));
            let file = at.unwrap_or_default();
            walk.look_into(&place, &mut Cursor::new(&rest[file..]))
        }
        _ => note(walk, &place, body),
    }
}

fn decoded(encoding: u8, bytes: &[u8]) -> String {
    match encoding {
        0 => decode_latin1(bytes).into_owned(),
        1 => wide(bytes, true).replace('\u{FEFF}', " "),
        2 => wide(bytes, false),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
    .replace('\0', "\n")
}

/// So that no byte looks like sound, zeros were put in.
fn resynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut before = 0;
    let mut is_wanted = |it: &u8| !(std::mem::replace(&mut before, *it) == 0xFF && *it == 0);
    bytes.iter().copied().filter(|it| is_wanted(it)).collect()
}

fn seven_bits(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(4)
        .fold(0, |sum, it| sum << 7 | u64::from(it & 0x7F))
}

fn plain(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(4)
        .fold(0, |sum, it| sum << 8 | u64::from(*it))
}
