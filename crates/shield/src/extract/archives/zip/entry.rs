//! A file of a zip archive.

use std::io::{self, Read};

use super::super::super::compressed::packed::Packed;
use super::super::super::compressed::series::{Next, Series};
use super::super::super::compressed::{bzip2, raw, xz, zstd};
use super::super::super::{MEMORY, UNREADABLE};
use super::super::members::Members;
use super::super::rules;
use super::directory::Listed;
use crate::budget::Step;
use crate::walk::Walk;

/// Looks at a file that is packed in what comes.
pub(super) fn look(
    walk: &mut Walk<'_>,
    listed: &Listed,
    members: &mut Members,
    from: &mut dyn Read,
) -> Step {
    let name = &*listed.name;
    if name.ends_with('/') && listed.packed == 0 {
        return Ok(());
    }
    if listed.flags & 1 != 0 || listed.method == 99 {
        walk.inside(name, |walk| walk.found(&rules::ENCRYPTED, None));
        return Ok(());
    }
    let Some(begin) = begin(
        listed.method,
        listed.flags,
        listed.said.map_or(0, |it| it.1),
    ) else {
        walk.inside(name, |walk| walk.found(&rules::UNSUPPORTED, None));
        return Ok(());
    };
    let packed = Packed::new(walk.budget.counted(from));
    let layer = walk.budget.layer(&packed.taken());
    let mut measured = Measured {
        from: Series::one(packed, begin),
        sum: crc32fast::Hasher::new(),
        size: 0,
        is_done: false,
    };
    if listed.is_link {
        let mut target = Vec::new();
        walk.read(
            Read::by_ref(&mut measured)
                .take(4096)
                .read_to_end(&mut target),
        );
        let target = super::super::super::decoded(&target);
        return members.link(walk, name, name, &target);
    }
    walk.look_into(name, &mut measured)?;
    drop(layer);
    members.holds(measured.size);
    walk.inside(name, |walk| judge(walk, listed, &measured));
    let Some(mut rest) = measured.from.into_rest() else {
        return Ok(());
    };
    // Ends of streams are rounded.
    let is_more = walk.read(rest.peek(16)).is_some_and(|it| it.len() == 16);
    if is_more {
        walk.inside(name, |walk| walk.look_into("(behind the end)", &mut rest))?;
    }
    Ok(())
}

/// What begins to unpack a file that is packed in this way.
pub(super) fn begin<'a>(
    method: u16,
    flags: u16,
    size: u64,
) -> Option<Box<dyn FnMut(Packed<'a>) -> io::Result<Next<'a>> + 'a>> {
    Some(match method {
        0 => Box::new(|packed| Ok(raw::stored(packed))),
        8 => Box::new(|packed| Ok(raw::deflate(packed))),
        9 => Box::new(|packed| Ok(raw::deflate64(packed))),
        12 => Box::new(bzip2::begin),
        14 => {
            // Its end is marked, or its length is known.
            let length = (flags & 2 == 0).then_some(size);
            Box::new(move |packed| raw::lzma(packed, length))
        }
        93 => Box::new(zstd::begin),
        95 => Box::new(xz::begin),
        _ => return None,
    })
}

fn judge(walk: &mut Walk<'_>, listed: &Listed, measured: &Measured<'_>) {
    if measured.from.wants_memory() {
        walk.found(&MEMORY, None);
    }
    let Some((sum, size)) = listed.said else {
        return;
    };
    if measured.size > size {
        walk.found(&rules::LYING_SIZE, None);
    } else if measured.is_done && measured.sum.clone().finalize() != sum {
        walk.found(&UNREADABLE, None);
    }
}

/// Measures what comes out.
struct Measured<'a> {
    from: Series<'a>,
    sum: crc32fast::Hasher,
    size: u64,
    is_done: bool,
}

impl Read for Measured<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.sum.update(&buffer[..read]);
        self.size += read as u64;
        self.is_done |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}
