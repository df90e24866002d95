//! Archives of `ar`: libraries, and the packages of Debian.

use std::io::{self, Read};

use super::super::compressed::packed::Packed;
use super::super::decoded;
use super::members::{Members, Sort};
use crate::budget::Step;
use crate::walk::{Input, Walk};

/// An archive that is at hand.
pub(in crate::extract) fn whole(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    through(walk, input.name, &mut *input.source)
}

/// An archive from its beginning to its end.
pub(in crate::extract) fn through(walk: &mut Walk<'_>, _: &str, from: &mut dyn Read) -> Step {
    let mut from = Packed::new(walk.budget.counted(from));
    let read = files(walk, &mut from);
    walk.budget.work(0)?;
    walk.read(read).unwrap_or(Ok(()))
}

fn files(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    from.skip(8)?;
    let mut members = Members::default();
    let mut long_names = Vec::new();
    while !from.peek(1)?.is_empty() {
        let looked = file(walk, from, &mut members, &mut long_names)?;
        if looked.is_err() {
            return Ok(looked);
        }
    }
    members.end(walk);
    Ok(Ok(()))
}

fn file(
    walk: &mut Walk<'_>,
    from: &mut Packed<'_>,
    members: &mut Members,
    long_names: &mut Vec<u8>,
) -> io::Result<Step> {
    let head: [u8; 60] = from.exactly()?;
    let number = |field: &[u8]| str::from_utf8(field.trim_ascii()).ok()?.parse::<u64>().ok();
    let size = number(&head[48..58]).filter(|_| head.ends_with(b"`\n"));
    let mut size = size.ok_or(io::ErrorKind::InvalidData)?;
    let padding = size & 1;
    let name = match head[..16].trim_ascii_end() {
        // Names that are too long stand together in a file of their own, or in front of each.
        b"//" => {
            *long_names = from.some(size, 1 << 20)?;
            pad(from, padding)?;
            return Ok(walk.budget.entry());
        }
        [b'/', rest @ ..] if !rest.is_empty() && rest != b"SYM64/" => {
            let at = number(rest).and_then(|it| usize::try_from(it).ok());
            let name = at.and_then(|it| long_names.get(it..)).unwrap_or_default();
            name.split(|it| *it == b'\n')
                .next()
                .unwrap_or_default()
                .to_vec()
        }
        [b'#', b'1', b'/', length @ ..] => {
            let length = number(length).unwrap_or_default().min(size).min(4096);
            size -= length;
            // It is filled up with zeros.
            let name = from.some(length, length)?;
            name.split(|it| *it == 0)
                .next()
                .unwrap_or_default()
                .to_vec()
        }
        name => name.to_vec(),
    };
    let name = decoded(name.strip_suffix(b"/").unwrap_or(&name)).into_owned();
    let mut content = Read::by_ref(from).take(size);
    let looked = members
        .name(walk, &name, Sort::File(0))
        .and_then(|()| walk.look_into(&name, &mut content));
    if looked.is_ok() {
        let left = content.limit();
        members.holds(size - left);
        from.skip(left)?;
        pad(from, padding)?;
    }
    Ok(looked)
}

/// Passes over what makes lengths even, which may be missing at the end.
fn pad(from: &mut Packed<'_>, padding: u64) -> io::Result<()> {
    let ahead = from.peek(1)?.len() as u64;
    from.skip(padding.min(ahead))
}
