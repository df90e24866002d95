//! Zip archives: APPNOTE.TXT 6.3.10, with our own eyes.
//!
//! A zip says everything twice: each file has a header in front of it, and the directory at the end lists
//! them all. Programs believe one or the other, so both are read and compared, and what neither tells of
//! is looked at too. Sizes are measured.

mod directory;
mod end;
mod entry;
mod header;
mod local;

use std::io::{Read, SeekFrom};

use self::directory::Listed;
use self::end::End;
use super::members::Members;
use super::rules;
use crate::budget::Step;
use crate::kind::Kind;
use crate::walk::{Input, Setting, Source, Walk};

pub(in crate::extract) use self::local::through;

/// A zip archive from its directory.
pub(in crate::extract) fn whole(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let ends = end::all(&mut *input.source, input.length);
    let Some((end, others)) = ends.split_last() else {
        // Many programs make do without a directory.
        walk.found(&super::super::UNREADABLE, None);
        input.source.seek(SeekFrom::Start(0)).ok();
        return through(walk, input.name, &mut *input.source);
    };
    // Of an archive inside, the end is in front of our directory.
    for other in others.iter().filter(|it| it.after() > end.directory_at) {
        walk.found(&rules::TWO_FACES, None);
        archive(walk, other, input.length, true, &mut *input.source)?;
    }
    archive(walk, end, input.length, true, &mut *input.source)
}

/// A zip archive that stands behind something else: its directory is found from the end.
pub(in crate::extract) fn behind(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    if matches!(input.kind, Kind::Zip) {
        return Ok(());
    }
    let ends = end::all(&mut *input.source, input.length);
    // Archives inside of archives have ends too.
    let is_own = |it: &&End| it.count > 0 && it.after() == input.length;
    let Some(end) = ends.last().filter(is_own) else {
        return Ok(());
    };
    walk.inside("(zip archive at the end)", |walk| {
        archive(walk, end, input.length, false, &mut *input.source)
    })
}

fn archive(
    walk: &mut Walk<'_>,
    end: &End,
    length: u64,
    is_all: bool,
    source: &mut dyn Source,
) -> Step {
    walk.budget.work(end.comment.len() as u64)?;
    if !end.comment.is_empty() {
        let comment = super::super::decoded(&end.comment);
        walk.text_in("comment", &comment, Setting::Metadata)?;
    }
    if end.is_two_faced {
        walk.found(&rules::TWO_FACES, None);
    }
    let mut members = Members::default();
    let mut listed = directory::read(walk, end, &mut members, source)?;
    // In the order in which they lie: a disk likes it, and sees which of them share bytes.
    listed.sort_by_key(|it| it.at);
    let mut free_from = if is_all { 0 } else { end.base };
    let mut does_overlap = false;
    for it in &listed {
        walk.budget.work(64)?;
        let Some(header) = header::at(source, it.at) else {
            walk.inside(&it.name, |walk| walk.found(&super::super::UNREADABLE, None));
            continue;
        };
        if it.at < free_from {
            does_overlap = true;
            continue;
        }
        between(walk, free_from, it.at, source)?;
        let data_at = it.at + header.length;
        free_from = data_at.saturating_add(it.packed);
        compare(walk, it, &header, &mut members)?;
        if free_from > length {
            walk.inside(&it.name, |walk| walk.found(&super::super::UNREADABLE, None));
        }
        source.seek(SeekFrom::Start(data_at)).ok();
        entry::look(walk, it, &mut members, &mut source.take(it.packed))?;
    }
    if does_overlap {
        walk.found(&rules::OVERLAP, None);
    }
    members.end(walk);
    between(walk, free_from, end.directory_at, source)?;
    if is_all && end.after() < length {
        source.seek(SeekFrom::Start(end.after())).ok();
        walk.look_into("(behind the end)", &mut *source)?;
    }
    Ok(())
}

/// Looks at what lies where no file is listed.
fn between(walk: &mut Walk<'_>, from: u64, to: u64, source: &mut dyn Source) -> Step {
    // Sizes may stand once more behind a file that was packed on its way.
    const DESCRIPTOR: u64 = 24;
    let room = to.saturating_sub(from);
    if room <= DESCRIPTOR {
        return Ok(());
    }
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(from)).ok();
    walk.read(source.take(room.min(4096)).read_to_end(&mut head));
    // Whoever sets files on even places leaves zeros.
    if head.iter().all(|it| *it == 0) && room <= 4096 {
        return Ok(());
    }
    let file = head.windows(4).take(32).position(|it| it == b"PK\x03\x04");
    if file.is_some() {
        walk.found(&rules::HIDDEN, None);
    }
    let from = from + file.unwrap_or_default() as u64;
    source.seek(SeekFrom::Start(from)).ok();
    walk.look_into("(between the files)", &mut source.take(to - from))
}

/// Compares what the directory says of a file with what stands in front of it.
fn compare(
    walk: &mut Walk<'_>,
    listed: &Listed,
    header: &header::Header,
    members: &mut Members,
) -> Step {
    let name = super::super::decoded(&header.name);
    let is_same_name = listed.raw_name == header::hashed(&header.name);
    let differs = |ours: u64, theirs: u64| ours != theirs && theirs != 0 && theirs != 0xFFFF_FFFF;
    if !is_same_name {
        members.name(walk, &name, super::members::Sort::Folder)?;
    }
    let is_other_name = !is_same_name && !header.name.is_empty() && !are_alike(&name, &listed.name);
    if is_other_name || listed.method != header.method {
        walk.inside(&listed.name, |walk| {
            walk.found(&rules::TWO_FACES, Some(&name));
        });
    } else if differs(listed.packed, header.packed)
        || listed.said.is_some_and(|(_, it)| differs(it, header.size))
    {
        walk.inside(&listed.name, |walk| walk.found(&rules::INCONSISTENT, None));
    }
    Ok(())
}

/// Whether two names are one in two encodings, or with other slashes.
fn are_alike(one: &str, other: &str) -> bool {
    let plain = |it: &str| -> String {
        let it = it
            .chars()
            .filter(|it| it.is_ascii_alphanumeric() || *it == '.');
        it.flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other) && one.contains("..") == other.contains("..")
}
