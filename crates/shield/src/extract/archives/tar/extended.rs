//! What stands in front of a header because it does not fit in it: long names, large sizes, and whatever
//! a program wants to note.

use std::io::Read;

use super::super::super::compressed::packed::Packed;
use super::super::super::{UNREADABLE, decoded};
use super::header::Header;
use super::{BLOCK, SETTING, pass};
use crate::budget::Step;
use crate::walk::Walk;

/// What was told so far of the next file, and of all that follow.
#[derive(Default)]
pub(super) struct Extended {
    next: Notes,
    all: Notes,
}

#[derive(Clone, Default)]
struct Notes {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    real_size: Option<u64>,
}

/// What is so of a file, all told.
pub(super) struct Told {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: u64,
    pub(super) real_size: u64,
}

/// Longer notes are not kept.
const MOST: u64 = 1 << 20;

impl Extended {
    /// Reads what a header of this kind announces.
    pub(super) fn read(
        &mut self,
        walk: &mut Walk<'_>,
        header: &Header,
        tape: &mut Packed<'_>,
    ) -> Step {
        let mut bytes = Vec::new();
        let read = Read::by_ref(tape)
            .take(header.size.min(MOST))
            .read_to_end(&mut bytes);
        walk.read(read);
        let left = header.size.saturating_sub(bytes.len() as u64);
        if left > 0 {
            walk.found(&UNREADABLE, None);
        }
        pass(
            walk,
            tape,
            left.saturating_add(header.size.wrapping_neg() % BLOCK as u64),
        )?;
        walk.budget.entry()?;
        let text = || {
            bytes
                .split(|it| *it == 0)
                .next()
                .unwrap_or_default()
                .to_vec()
        };
        match header.kind {
            b'L' => self.next.path = Some(text()),
            b'K' => self.next.link = Some(text()),
            b'g' => self.all.records(walk, &bytes)?,
            _ => self.next.records(walk, &bytes)?,
        }
        Ok(())
    }

    pub(super) fn about(&self, header: &Header) -> Told {
        let (next, all) = (&self.next, &self.all);
        let text = |it: [&Option<Vec<u8>>; 2], own: &[u8]| {
            it.into_iter()
                .flatten()
                .next()
                .map_or(own, Vec::as_slice)
                .to_vec()
        };
        Told {
            path: text([&next.path, &all.path], &header.name),
            link: text([&next.link, &all.link], &header.link),
            size: match header.size {
                // Of what has no content, no note says otherwise.
                0 if matches!(header.kind, b'1'..=b'6') => 0,
                size => next.size.or(all.size).unwrap_or(size),
            },
            real_size: next.real_size.unwrap_or(header.real_size),
        }
    }

    /// What stays for the file after the next one.
    pub(super) fn of_all(self) -> Self {
        Self {
            next: Notes::default(),
            all: self.all,
        }
    }
}

impl Notes {
    /// Lines of a length, a blank, a key, and what it is.
    fn records(&mut self, walk: &mut Walk<'_>, mut bytes: &[u8]) -> Step {
        while let Some((key, value, rest)) = record(bytes) {
            bytes = rest;
            let number = || str::from_utf8(value).ok()?.parse().ok();
            match key {
                b"path" | b"GNU.sparse.name" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = number(),
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = number(),
                b"atime" | b"ctime" | b"mtime" => {}
                _ if crate::text::is_text(value) => {
                    walk.text_in(&decoded(key), &decoded(value), SETTING)?;
                }
                _ => {}
            }
        }
        if !bytes.is_empty() && bytes.iter().any(|it| *it != 0) {
            walk.found(&UNREADABLE, None);
        }
        Ok(())
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|it| *it == b' ')?;
    let length: usize = str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|it| *it == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[length..]))
}
