//! 7z archives, whose directory is at the end and may be packed itself.

mod modest;

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use sevenz_rust2::{Archive, ArchiveEntry, Block, BlockDecoder, Error, Password};

use self::modest::Modest;
use super::super::{MEMORY, UNREADABLE, decoded};
use super::members::{Members, Sort};
use super::rules;
use crate::budget::{Budget, Step};
use crate::walk::{Input, Source, Walk};

/// KiB for the directory: for each of its bytes a file may be listed, which takes a hundred times that.
/// Unpacking what 7-Zip writes takes 1 MiB.
const DIRECTORY: usize = 1060;

/// A 7z archive.
pub(in crate::extract) fn whole(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let Some(mut modest) = walk.read(Modest::new(&mut *input.source)) else {
        return Ok(());
    };
    let mut source = Counted {
        from: &mut modest,
        taken: Rc::default(),
        budget: walk.budget.clone(),
    };
    let password = Password::empty();
    let archive = Archive::read_with_memory_limit(&mut source, &password, DIRECTORY);
    walk.budget.work(0)?;
    let archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            walk.found(said_of(&error), None);
            return Ok(());
        }
    };
    let mut members = Members::default();
    for file in &archive.files {
        list(walk, file, &mut members)?;
    }
    for (n, block) in archive.blocks.iter().enumerate() {
        walk.budget.work(64 << 10)?;
        if let Err(error) = unpack(walk, &archive, n, block, &mut members, &mut source)? {
            walk.found(said_of(&error), None);
        }
    }
    members.end(walk);
    behind(walk, &archive, input)
}

fn list(walk: &mut Walk<'_>, file: &ArchiveEntry, members: &mut Members) -> Step {
    let sort = match () {
        () if is_link(file) => Sort::Link,
        () if file.is_directory => Sort::Folder,
        () => Sort::File(file.crc),
    };
    if !file.has_stream {
        walk.budget.entry()?;
        members.holds(0);
    }
    members.name(walk, &file.name, sort)
}

/// As programs for Unix note it.
const fn is_link(file: &ArchiveEntry) -> bool {
    let attributes = file.windows_attributes;
    attributes & 0x8000 != 0 && (attributes >> 16) & 0o170_000 == 0o120_000
}

/// Unpacks the files that are packed as one.
fn unpack(
    walk: &mut Walk<'_>,
    archive: &Archive,
    n: usize,
    block: &Block,
    members: &mut Members,
    source: &mut Counted<'_>,
) -> Step<Result<(), Error>> {
    if is_encrypted(block) {
        walk.found(&rules::ENCRYPTED, None);
        return Ok(Ok(()));
    }
    // Each of the decoders in a row takes its own.
    let each = walk.budget.decoders_left() / block.coders.len().max(1) as u64;
    let Some(memory) = walk.budget.decoder(each * block.coders.len() as u64) else {
        walk.found(&MEMORY, None);
        return Ok(Ok(()));
    };
    let limit = usize::try_from(each >> 10).unwrap_or_default();
    source.taken.set(0);
    let layer = walk.budget.layer(&source.taken);
    let password = Password::empty();
    let decoder = BlockDecoder::new_with_memory_limit(1, limit, n, archive, &password, source);
    let mut step = Ok(());
    let unpacked = decoder.for_each_entries(&mut |file, from| {
        step = look(walk, file, members, from);
        Ok(step.is_ok())
    });
    drop((layer, memory));
    step?;
    walk.budget.work(0)?;
    Ok(unpacked.map(|_| ()))
}

fn look(
    walk: &mut Walk<'_>,
    file: &ArchiveEntry,
    members: &mut Members,
    from: &mut dyn Read,
) -> Step {
    if is_link(file) {
        let mut target = Vec::new();
        walk.read(from.take(4096).read_to_end(&mut target));
        return members.link(walk, &file.name, &file.name, &decoded(&target));
    }
    walk.look_into(&file.name, from)?;
    members.holds(file.size);
    Ok(())
}

fn is_encrypted(block: &Block) -> bool {
    let encryption = [0x06, 0xF1, 0x07, 0x01];
    block
        .coders
        .iter()
        .any(|it| it.encoder_method_id() == encryption)
}

/// What is packed may stand behind what the directory tells of, where few look.
fn behind(walk: &mut Walk<'_>, archive: &Archive, input: &mut Input<'_>) -> Step {
    let mut head = [0; 32];
    input.source.seek(SeekFrom::Start(0)).ok();
    if input.source.read_exact(&mut head).is_err() || archive.files.is_empty() {
        return Ok(());
    }
    let number = |at: usize| {
        head[at..]
            .first_chunk()
            .map_or(0, |it| u64::from_le_bytes(*it))
    };
    let end = number(12).saturating_add(number(20)).saturating_add(32);
    if end < input.length {
        input.source.seek(SeekFrom::Start(end)).ok();
        walk.look_into("(behind the end)", &mut *input.source)?;
    }
    Ok(())
}

fn said_of(error: &Error) -> &'static crate::rule::Rule {
    match error {
        Error::MaxMemLimited { .. } => &MEMORY,
        Error::PasswordRequired | Error::MaybeBadPassword(_) => &rules::ENCRYPTED,
        Error::UnsupportedCompressionMethod(name) if name.contains("AES") => &rules::ENCRYPTED,
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) => &rules::UNSUPPORTED,
        _ => &UNREADABLE,
    }
}

/// What is read is counted, wherever it is read.
struct Counted<'a> {
    from: &'a mut dyn Source,
    taken: Rc<Cell<u64>>,
    budget: Budget,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        let worked = self.budget.work(read as u64);
        worked.map_err(|_| io::Error::other("the scan ends"))?;
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}
