//! Archives of `cpio` in the format that packages and images of systems use, with numbers in hexadecimal
//! digits.

use std::io::{self, Read};

use super::super::compressed::packed::Packed;
use super::super::decoded;
use super::members::{Members, Sort};
use super::rules;
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
    let mut members = Members::default();
    loop {
        let head: [u8; 110] = from.exactly()?;
        if !head.starts_with(b"07070") {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let number = |n: usize| {
            let digits = str::from_utf8(&head[6 + n * 8..14 + n * 8]).ok();
            let number = digits.and_then(|it| u64::from_str_radix(it, 16).ok());
            number.ok_or(io::ErrorKind::InvalidData)
        };
        let (mode, size, name) = (number(1)?, number(6)?, number(11)?);
        let raw = from.some(name, 1 << 16)?;
        let name = name + 110;
        from.skip(name.wrapping_neg() & 3)?;
        let name = decoded(raw.strip_suffix(b"\0").unwrap_or(&raw)).into_owned();
        if name == "TRAILER!!!" {
            members.end(walk);
            return super::super::images::behind(walk, from);
        }
        let looked = file(walk, from, &mut members, &name, (mode, size))?;
        if looked.is_err() {
            return Ok(looked);
        }
    }
}

fn file(
    walk: &mut Walk<'_>,
    from: &mut Packed<'_>,
    members: &mut Members,
    name: &str,
    (mode, size): (u64, u64),
) -> io::Result<Step> {
    let padding = size.wrapping_neg() & 3;
    let (sort, rule) = match mode & 0o170_000 {
        0o040_000 => (Sort::Folder, None),
        0o120_000 => (Sort::Link, None),
        0o100_000 if mode & 0o6000 != 0 => (Sort::File(0), Some(&rules::SETUID)),
        0o100_000 => (Sort::File(0), None),
        _ => (Sort::File(0), Some(&rules::DEVICE)),
    };
    if let Some(rule) = rule {
        walk.inside(name, |walk| walk.found(rule, None));
    }
    let mut looked = members.name(walk, name, sort);
    if sort == Sort::Link {
        let target = from.some(size, 4096)?;
        looked = looked.and_then(|()| members.link(walk, name, name, &decoded(&target)));
    } else if size > 0 && looked.is_ok() {
        let mut content = Read::by_ref(from).take(size);
        looked = walk.look_into(name, &mut content);
        let left = content.limit();
        members.holds(size - left);
        if looked.is_ok() {
            from.skip(left)?;
        }
    } else {
        looked = looked.and_then(|()| walk.budget.entry());
    }
    if looked.is_ok() {
        from.skip(padding)?;
    }
    Ok(looked)
}
