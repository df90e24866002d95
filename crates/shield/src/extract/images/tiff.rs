//! TIFF 6.0, which is also what EXIF is written in. Directories point to each other and to anywhere.

use std::collections::HashSet;
use std::io::{Cursor, Read, SeekFrom};

use super::iptc;
use super::notes::{MOST, note, profile, text, wide, xmp};
use crate::budget::Step;
use crate::walk::{Source, Walk};

/// What a camera notes.
pub(super) fn exif(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    walk.inside("EXIF", |walk| look(walk, &mut Cursor::new(bytes)))
}

/// How many directories are read.
const DIRECTORIES: usize = 200;

pub(super) fn look(walk: &mut Walk<'_>, source: &mut dyn Source) -> Step {
    let head = bytes_at(source, 0, 8).unwrap_or_default();
    let mut tiff = Tiff {
        source,
        is_little: head.starts_with(b"II"),
    };
    let Some(first) = tiff.number(&head, 4, 4) else {
        return Ok(());
    };
    let mut seen = HashSet::new();
    let mut next = vec![first];
    while let Some(at) = next.pop() {
        if at != 0 && seen.len() < DIRECTORIES && seen.insert(at) {
            tiff.directory(walk, at, &mut next)?;
        }
    }
    Ok(())
}

struct Tiff<'a> {
    source: &'a mut dyn Source,
    is_little: bool,
}

impl Tiff<'_> {
    fn directory(&mut self, walk: &mut Walk<'_>, at: u64, next: &mut Vec<u64>) -> Step {
        let head = bytes_at(self.source, at, 2).unwrap_or_default();
        let count = self.number(&head, 0, 2).unwrap_or_default();
        for n in 0..count {
            walk.budget.work(64)?;
            let Some(entry) = bytes_at(self.source, at + 2 + n * 12, 12) else {
                return Ok(());
            };
            self.entry(walk, &entry, next)?;
        }
        let link = bytes_at(self.source, at + 2 + count * 12, 4).unwrap_or_default();
        next.extend(self.number(&link, 0, 4));
        Ok(())
    }

    fn entry(&mut self, walk: &mut Walk<'_>, entry: &[u8], next: &mut Vec<u64>) -> Step {
        let number = |at, bytes| self.number(entry, at, bytes).unwrap_or_default();
        let (tag, kind, count, value) = (number(0, 2), number(2, 2), number(4, 4), number(8, 4));
        // Of EXIF, of places on earth, of what fits together, of smaller pictures.
        if matches!(tag, 0x8769 | 0x8825 | 0xA005) {
            next.push(value);
            return Ok(());
        }
        let length = match kind {
            1 | 2 | 6 | 7 => count,
            3 | 8 => count * 2,
            4 | 13 => count * 4,
            _ => return Ok(()),
        };
        let data = if length <= 4 {
            entry
                .get(8..)
                .and_then(|it| it.get(..usize::try_from(length).ok()?))
                .map(<[u8]>::to_vec)
        } else {
            bytes_at(self.source, value, length.min(MOST))
        };
        let data = data.unwrap_or_default();
        walk.budget.work(data.len() as u64)?;
        let place = name(tag);
        match tag {
            0x014A => next.extend(
                (0..count.min(16))
                    .filter_map(|n| self.number(&data, usize::try_from(n).ok()? * 4, 4)),
            ),
            0x02BC => xmp(walk, "XMP", &data)?,
            0x83BB => iptc::records(walk, &data)?,
            0x8773 => profile(walk, &place, &data)?,
            // Titles and comments of Windows.
            0x9C9B..=0x9C9F => text(walk, &place, &wide(&data, true))?,
            0x9286 | 0x001B | 0x001C => self.comment(walk, &place, &data)?,
            _ if matches!(kind, 1 | 2 | 7) => note(walk, &place, &data)?,
            _ => {}
        }
        Ok(())
    }

    /// A text with its encoding in front of it.
    fn comment(&self, walk: &mut Walk<'_>, place: &str, data: &[u8]) -> Step {
        match data.split_first_chunk::<8>() {
            Some((b"UNICODE\0", rest)) => text(walk, place, &wide(rest, self.is_little)),
            Some((b"ASCII\0\0\0" | b"JIS\0\0\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0], rest)) => {
                note(walk, place, rest)
            }
            _ => note(walk, place, data),
        }
    }

    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(at..at + length)?;
        let add = |sum: u64, it: &u8| sum << 8 | u64::from(*it);
        Some(if self.is_little {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        })
    }
}

fn bytes_at(source: &mut dyn Source, at: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    source.seek(SeekFrom::Start(at)).ok()?;
    source.take(length).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == length).then_some(bytes)
}

fn name(tag: u64) -> String {
    let name = match tag {
        0x010D => "DocumentName",
        0x010E => "ImageDescription",
        0x010F => "Make",
        0x0110 => "Model",
        0x0131 => "Software",
        0x013B => "Artist",
        0x8298 => "Copyright",
        0x9286 => "UserComment",
        0x9C9B => "XPTitle",
        0x9C9C => "XPComment",
        0x9C9D => "XPAuthor",
        0x9C9E => "XPKeywords",
        0x9C9F => "XPSubject",
        _ => return format!("tag {tag:#06x}"),
    };
    name.to_owned()
}
