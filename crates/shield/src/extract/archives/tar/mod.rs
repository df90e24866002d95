//! Tape archives: POSIX.1-2001 (ustar and pax), with what GNU writes.

mod extended;
mod header;

use std::io::{self, Read};

use self::extended::Extended;
use self::header::Header;
use super::super::compressed::packed::Packed;
use super::super::{UNREADABLE, decoded};
use super::members::{Members, Sort};
use super::rules;
use crate::budget::Step;
use crate::walk::{Input, Setting, Walk};

pub(crate) use self::header::is_header;

/// Of a block: everything begins at a multiple of it.
const BLOCK: usize = 512;

/// A tape archive that is at hand.
pub(in crate::extract) fn whole(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    through(walk, input.name, &mut *input.source)
}

/// A tape archive from its beginning to its end.
pub(in crate::extract) fn through(walk: &mut Walk<'_>, _: &str, from: &mut dyn Read) -> Step {
    let mut tape = Packed::new(walk.budget.counted(from));
    let mut members = Members::default();
    let mut holes = Holes::default();
    let mut extended = Extended::default();
    let mut is_damaged = false;
    loop {
        // A tape of empty files is work, too.
        walk.budget.work(BLOCK as u64)?;
        let Some(block) = walk.read(tape.peek(BLOCK)) else {
            break;
        };
        if block.iter().all(|it| *it == 0) {
            break;
        }
        let Some(header) = Header::read(block) else {
            // Whoever is told to goes on behind what is damaged.
            if !is_damaged {
                walk.found(&UNREADABLE, None);
            }
            is_damaged = true;
            let length = block.len();
            pass(walk, &mut tape, length as u64)?;
            continue;
        };
        is_damaged = false;
        pass(walk, &mut tape, BLOCK as u64)?;
        if header.is_about_next() {
            extended.read(walk, &header, &mut tape)?;
        } else {
            let told = extended.about(&header);
            extended = extended.of_all();
            member(walk, &header, &told, &mut members, &mut holes, &mut tape)?;
        }
    }
    members.end(walk);
    behind(walk, &mut tape)
}

fn member(
    walk: &mut Walk<'_>,
    header: &Header,
    told: &extended::Told,
    members: &mut Members,
    holes: &mut Holes,
    tape: &mut Packed<'_>,
) -> Step {
    let name = decoded(&told.path);
    let sort = match header.kind {
        b'1' | b'2' => Sort::Link,
        b'5' => Sort::Folder,
        // The last one of a name counts, for everybody.
        _ => Sort::File(0),
    };
    members.name(walk, &name, sort)?;
    Members::also(walk, &name, &decoded(&header.name));
    let link = decoded(&told.link);
    match header.kind {
        // A second name of a file counts from the top.
        b'1' => members.link(walk, "", &name, &link)?,
        b'2' => members.link(walk, &name, &name, &link)?,
        b'3' | b'4' | b'6' => walk.inside(&name, |walk| walk.found(&rules::DEVICE, None)),
        _ => {}
    }
    if header.mode & 0o6000 != 0 && header.kind != b'5' {
        walk.inside(&name, |walk| walk.found(&rules::SETUID, None));
    }
    holes.add(walk, &name, told.real_size, told.size);
    let mut goes_on = header.goes_on;
    while goes_on {
        // Places of holes stand in front of what is between them.
        let block = walk.read(tape.peek(BLOCK));
        goes_on = block.and_then(|it| it.get(504)).is_some_and(|it| *it != 0);
        pass(walk, tape, BLOCK as u64)?;
    }
    let mut file = Read::by_ref(tape).take(told.size);
    if told.size > 0 {
        walk.look_into(&name, &mut file)?;
    } else {
        walk.budget.entry()?;
    }
    members.holds(told.size - file.limit());
    let padding = told.size.wrapping_neg() % BLOCK as u64;
    let left = file.limit().saturating_add(padding);
    if !pass(walk, tape, left)? && file_is_missing(told.size, left, padding) {
        walk.inside(&name, |walk| walk.found(&UNREADABLE, None));
    }
    Ok(())
}

const fn file_is_missing(size: u64, left: u64, padding: u64) -> bool {
    size > 0 && left > padding
}

/// Passes over so many bytes; whether there were as many.
fn pass(walk: &mut Walk<'_>, tape: &mut Packed<'_>, bytes: u64) -> Step<bool> {
    let passed = io::copy(&mut tape.take(bytes), &mut io::sink());
    // What was read is counted where it is read; a scan that has to end ends here.
    walk.budget.work(0)?;
    Ok(walk.read(passed) == Some(bytes))
}

/// Looks at what stands behind the end, which is zeros.
fn behind(walk: &mut Walk<'_>, tape: &mut Packed<'_>) -> Step {
    loop {
        let Some(block) = walk.read(tape.peek(BLOCK)) else {
            return walk.budget.work(0);
        };
        if block.is_empty() {
            return Ok(());
        }
        if block.iter().any(|it| *it != 0) {
            return walk.look_into("(behind the end)", tape);
        }
        let length = block.len() as u64;
        pass(walk, tape, length)?;
    }
}

/// How much files would take that are not written out in full.
#[derive(Default)]
struct Holes {
    real: u64,
    written: u64,
}

impl Holes {
    /// Disks of virtual machines are mostly holes, but of a size that disks have.
    const MANY: u64 = 64 << 30;
    const SOME: u64 = 1 << 30;

    fn add(&mut self, walk: &mut Walk<'_>, name: &str, real: u64, written: u64) {
        self.real = self.real.saturating_add(real);
        self.written = self.written.saturating_add(written.max(BLOCK as u64));
        let ratio = self.real / self.written.max(1);
        let rule = &rules::SPARSE;
        let level = match () {
            () if real == 0 || real <= written => return,
            () if self.real > Self::MANY && ratio > 1000 => rule.level,
            () if self.real > Self::SOME && ratio > 200 => rules::LINK_OUT.level,
            () => return,
        };
        walk.inside(name, |walk| walk.found_at(rule, level, None, None));
    }
}

/// Texts of an extended header are about the file and not in it.
const SETTING: Setting = Setting::Metadata;
