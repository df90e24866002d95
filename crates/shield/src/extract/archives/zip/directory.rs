//! The directory of a zip archive.

use std::io::{BufReader, Read, SeekFrom};

use super::super::members::{Members, Sort};
use super::super::rules;
use super::end::{End, u16_at, u32_at};
use super::header::{enlarge, fields, hashed};
use crate::budget::Step;
use crate::walk::{Setting, Source, Walk};

/// A file as it is listed.
pub(super) struct Listed {
    /// Where its header is.
    pub(super) at: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) packed: u64,
    /// What its content adds up to and how long it is, where that stands in front of it.
    pub(super) said: Option<(u32, u64)>,
    pub(super) is_link: bool,
    pub(super) name: Box<str>,
    /// What tells the name as it is written from another.
    pub(super) raw_name: u64,
}

const LENGTH: usize = 46;

/// Names of files that are kept, all together.
const MAX_NAMES: usize = 8 << 20;

/// All that are listed. Their names and comments are looked at.
pub(super) fn read(
    walk: &mut Walk<'_>,
    end: &End,
    members: &mut Members,
    source: &mut dyn Source,
) -> Step<Vec<Listed>> {
    source.seek(SeekFrom::Start(end.directory_at)).ok();
    let mut from = BufReader::with_capacity(1 << 16, source.take(end.directory_length));
    let mut listed: Vec<Listed> = Vec::new();
    let mut names = 0;
    let mut fixed = [0; LENGTH];
    while from.read_exact(&mut fixed).is_ok() && fixed.starts_with(b"PK\x01\x02") {
        walk.budget.work(128)?;
        if listed.len() as u64 >= walk.budget.limits().entries {
            // One more than are looked at: the scan ends.
            return Err(crate::budget::Stop::Entries);
        }
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at).unwrap_or_default()));
        let mut rest = vec![0; lengths.iter().sum()];
        if from.read_exact(&mut rest).is_err() {
            break;
        }
        let (name, rest) = rest.split_at(lengths[0]);
        let (extra, comment) = rest.split_at(lengths[1]);
        let Some(mut it) = entry(&fixed, name, extra, end.base) else {
            break;
        };
        let sort = match () {
            () if it.is_link => Sort::Link,
            () if name.ends_with(b"/") => Sort::Folder,
            () => Sort::File(
                it.said
                    .map_or(0, |(sum, size)| (u64::from(sum) << 32) ^ size),
            ),
        };
        members.name(walk, &it.name, sort)?;
        texts(walk, members, &it.name, extra, comment)?;
        special(walk, &fixed, &it.name);
        names += it.name.len();
        if names > MAX_NAMES {
            it.name = format!("(file {})", listed.len()).into();
        }
        listed.push(it);
    }
    // Counts of 16 bits start again.
    if listed.len() as u64 & 0xFFFF != end.count & 0xFFFF {
        walk.found(&rules::INCONSISTENT, None);
    }
    Ok(listed)
}

fn entry(fixed: &[u8; LENGTH], name: &[u8], extra: &[u8], base: u64) -> Option<Listed> {
    let number = |at| u32_at(fixed, at).map(u64::from);
    let mut numbers = [number(24)?, number(20)?, number(42)?];
    enlarge(extra, &mut numbers);
    let [size, packed, at] = numbers;
    Some(Listed {
        at: at.checked_add(base)?,
        flags: u16_at(fixed, 8)?,
        method: u16_at(fixed, 10)?,
        packed,
        said: Some((u32_at(fixed, 16)?, size)),
        is_link: mode(fixed) & 0o170_000 == 0o120_000,
        name: super::super::super::decoded(name).into(),
        raw_name: hashed(name),
    })
}

/// What it is to Unix, if it was packed there.
fn mode(fixed: &[u8; LENGTH]) -> u32 {
    match fixed[5] {
        3 | 19 => u32_at(fixed, 38).unwrap_or_default() >> 16,
        _ => 0,
    }
}

/// Other names, and comments.
fn texts(
    walk: &mut Walk<'_>,
    members: &mut Members,
    name: &str,
    extra: &[u8],
    comment: &[u8],
) -> Step {
    for (id, field) in fields(extra) {
        let text = field.get(5..).map(super::super::super::decoded);
        match (id, text) {
            (0x7075, Some(other)) if other != name => {
                members.name(walk, &other, Sort::Folder)?;
            }
            (0x6375, Some(comment)) => walk.text_in(name, &comment, Setting::Metadata)?,
            _ => {}
        }
    }
    if !comment.is_empty() {
        let comment = super::super::super::decoded(comment);
        walk.inside(name, |walk| {
            walk.text_in("comment", &comment, Setting::Metadata)
        })?;
    }
    Ok(())
}

fn special(walk: &mut Walk<'_>, fixed: &[u8; LENGTH], name: &str) {
    let mode = mode(fixed);
    let rule = match mode & 0o170_000 {
        0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => &rules::DEVICE,
        0 | 0o100_000 if mode & 0o6000 != 0 => &rules::SETUID,
        _ => return,
    };
    walk.inside(name, |walk| walk.found(rule, None));
}
