//! The end of a zip archive, from where it is read.

use std::io::{Read, SeekFrom};

use memchr::memmem;

use crate::walk::Source;

/// The end of a zip archive.
pub(super) struct End {
    /// Where it begins.
    pub(super) at: u64,
    pub(super) comment: Vec<u8>,
    /// How many files it says there are.
    pub(super) count: u64,
    pub(super) directory_at: u64,
    pub(super) directory_length: u64,
    /// How much stands in front of the archive, which its places do not count.
    pub(super) base: u64,
    /// Whether the directory is in one place as it says, and in another as is counted back from it.
    pub(super) is_two_faced: bool,
}

const LENGTH: usize = 22;

/// What it begins with.
const MARK: &[u8] = b"PK\x05\x06";

impl End {
    /// Where what follows begins.
    pub(super) fn after(&self) -> u64 {
        self.at + (LENGTH + self.comment.len()) as u64
    }
}

/// How many ends are told apart.
const MOST: usize = 8;

/// All ends that a directory belongs to, the last one last.
pub(super) fn all(source: &mut dyn Source, length: u64) -> Vec<End> {
    let from = length.saturating_sub((LENGTH + usize::from(u16::MAX)) as u64);
    let mut tail = Vec::new();
    if source.seek(SeekFrom::Start(from)).is_err()
        || source.take(length - from).read_to_end(&mut tail).is_err()
    {
        return Vec::new();
    }
    let mut ends = Vec::new();
    // Nearly no file has one, and forwards that is known much sooner.
    if memmem::find(&tail, MARK).is_none() {
        return ends;
    }
    for at in memmem::rfind_iter(&tail, MARK) {
        ends.extend(end(source, &tail[at..], from + at as u64));
        if ends.len() == MOST {
            break;
        }
    }
    ends.reverse();
    ends
}

fn end(source: &mut dyn Source, bytes: &[u8], at: u64) -> Option<End> {
    let comment = usize::from(u16_at(bytes, 20)?);
    let comment = bytes.get(LENGTH..LENGTH + comment)?.to_vec();
    let mut count = u64::from(u16_at(bytes, 10)?);
    let mut directory_length = u64::from(u32_at(bytes, 12)?);
    let mut said_at = u64::from(u32_at(bytes, 16)?);
    let mut directory_end = at;
    if let Some((large, large_at)) = large(source, at) {
        count = u64_at(&large, 32)?;
        directory_length = u64_at(&large, 40)?;
        said_at = u64_at(&large, 48)?;
        directory_end = large_at;
    }
    let counted_at = directory_end.checked_sub(directory_length);
    let mut is_directory = |at: u64| is_directory(source, at, count);
    let said = Some(said_at).filter(|it| *it <= directory_end && is_directory(*it));
    let counted = counted_at.filter(|it| *it >= said_at && is_directory(*it));
    let directory_at = counted.or(said)?;
    Some(End {
        at,
        comment,
        count,
        directory_at,
        directory_length: directory_end - directory_at,
        base: directory_at - said_at,
        is_two_faced: count > 0
            && matches!((said, counted), (Some(said), Some(counted)) if said != counted),
    })
}

fn is_directory(source: &mut dyn Source, at: u64, count: u64) -> bool {
    let mut magic = [0; 4];
    let read = source
        .seek(SeekFrom::Start(at))
        .and_then(|_| source.read_exact(&mut magic));
    read.is_ok() && (magic == *b"PK\x01\x02" || count == 0)
}

/// The end of a large archive, in front of the usual one, and where it is.
fn large(source: &mut dyn Source, at: u64) -> Option<(Vec<u8>, u64)> {
    let locator_at = at.checked_sub(20)?;
    let locator = exactly(source, locator_at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return None;
    }
    let said = u64_at(&locator, 8)?;
    let counted = locator_at.checked_sub(56)?;
    [said, counted].into_iter().find_map(|at| {
        let end = exactly(source, at, 56)?;
        end.starts_with(b"PK\x06\x06").then_some((end, at))
    })
}

fn exactly(source: &mut dyn Source, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    source.seek(SeekFrom::Start(at)).ok()?;
    source.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}
