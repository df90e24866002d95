//! The header in front of each file of a zip archive, and what follows names.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, SeekFrom};

use super::end::{u16_at, u32_at, u64_at};
use crate::walk::Source;

/// The header in front of a file.
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) sum: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    /// Of all of it: the file follows.
    pub(super) length: u64,
}

pub(super) const LENGTH: usize = 30;

/// That the sizes stand behind the file.
pub(super) const SIZES_FOLLOW: u16 = 8;

/// The header at this place.
pub(super) fn at(source: &mut dyn Source, at: u64) -> Option<Header> {
    source.seek(SeekFrom::Start(at)).ok()?;
    read(source)
}

/// The header that comes.
pub(super) fn read(mut from: impl Read) -> Option<Header> {
    let mut fixed = [0; LENGTH];
    from.read_exact(&mut fixed).ok()?;
    if !fixed.starts_with(b"PK\x03\x04") {
        return None;
    }
    let (name, extra) = (u16_at(&fixed, 26)?, u16_at(&fixed, 28)?);
    let mut rest = vec![0; usize::from(name) + usize::from(extra)];
    from.read_exact(&mut rest).ok()?;
    let (name, extra) = rest.split_at(usize::from(name));
    let mut sizes = [
        u64::from(u32_at(&fixed, 22)?),
        u64::from(u32_at(&fixed, 18)?),
    ];
    enlarge(extra, &mut sizes);
    Some(Header {
        flags: u16_at(&fixed, 6)?,
        method: u16_at(&fixed, 8)?,
        sum: u32_at(&fixed, 14)?,
        packed: sizes[1],
        size: sizes[0],
        name: name.to_vec(),
        length: (LENGTH + rest.len()) as u64,
    })
}

/// Fills in numbers that do not fit in 32 bits: those that do are not repeated.
pub(super) fn enlarge(extra: &[u8], numbers: &mut [u64]) {
    let Some((_, large)) = fields(extra).find(|(id, _)| *id == 1) else {
        return;
    };
    let missing = numbers.iter_mut().filter(|it| **it == 0xFFFF_FFFF);
    for (n, number) in missing.enumerate() {
        *number = u64_at(large, n * 8).unwrap_or(*number);
    }
}

/// The fields behind a name.
pub(super) fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (id, length) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let field = extra.get(4..4 + length)?;
        extra = &extra[4 + length..];
        Some((id, field))
    })
}

pub(super) fn hashed(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
