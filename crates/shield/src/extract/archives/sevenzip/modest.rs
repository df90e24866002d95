//! A 7z archive whose directory asks for no more memory than it needs.
//!
//! Some programs pack a directory of a hundred bytes with a dictionary of 16 MiB. No more of one is used
//! than comes out, so what it asks for is made smaller before the directory is read.

use std::io::{self, Read, Seek, SeekFrom};

use crate::walk::Source;

/// The bytes of an archive, some of them others.
pub(super) struct Modest<'a> {
    from: &'a mut dyn Source,
    at: u64,
    /// Each with its place.
    changed: Vec<(u64, u8)>,
}

/// The mark, the version, and where the directory is.
const START: usize = 32;
/// What tells how a directory is packed is this long at most.
const MAX_HEAD: u64 = 1 << 10;
const SMALLEST: u32 = 1 << 12;

impl<'a> Modest<'a> {
    pub(super) fn new(from: &'a mut dyn Source) -> io::Result<Self> {
        let changed = changes(&mut *from)?.unwrap_or_default();
        from.seek(SeekFrom::Start(0))?;
        Ok(Self {
            from,
            at: 0,
            changed,
        })
    }
}

impl Read for Modest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        for (at, byte) in &self.changed {
            let here = at.checked_sub(self.at);
            let here = here.and_then(|it| usize::try_from(it).ok());
            if let Some(here) = here.filter(|it| *it < read)
                && let Some(it) = buffer.get_mut(here)
            {
                *it = *byte;
            }
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Modest<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.from.seek(to)?;
        Ok(self.at)
    }
}

/// What has to be another byte; nothing where the directory is as it should be, or cannot be read.
fn changes(from: &mut dyn Source) -> io::Result<Option<Vec<(u64, u8)>>> {
    let mut start = [0; START];
    from.seek(SeekFrom::Start(0))?;
    if from.read_exact(&mut start).is_err() {
        return Ok(None);
    }
    let number = |at: usize| {
        let bytes = start.get(at..).and_then(|it| it.first_chunk());
        bytes.map_or(0, |it| u64::from_le_bytes(*it))
    };
    let Some(at) = number(12).checked_add(START as u64) else {
        return Ok(None);
    };
    let length = number(20);
    if length > MAX_HEAD {
        return Ok(None);
    }
    let mut head = Vec::new();
    from.seek(SeekFrom::Start(at))?;
    from.take(length).read_to_end(&mut head)?;
    let is_whole = head.len() as u64 == length && sum(&head) == start[28..];
    let Some((place, bytes)) = dictionary(&head).filter(|_| is_whole) else {
        return Ok(None);
    };
    head.splice(place..place + bytes.len(), bytes.iter().copied());
    // What it is checked by has to fit again, and what that is checked by.
    start[28..].copy_from_slice(&sum(&head));
    let whole = sum(&start[12..]);
    let changed = [
        (at + place as u64, &*bytes),
        (28, &start[28..]),
        (8, &whole),
    ];
    let changed = changed.into_iter().flat_map(|(at, bytes)| {
        let bytes = bytes.iter().copied();
        (at..).zip(bytes)
    });
    Ok(Some(changed.collect()))
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    crc32fast::hash(bytes).to_le_bytes()
}

/// Where a smaller dictionary has to be written, and how, if a packed directory asks for more than comes
/// out of it.
fn dictionary(head: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut it = Cursor { head, at: 0 };
    it.is(&[0x17, 0x06])?;
    it.number()?;
    it.is(&[1])?;
    // The lengths of what is packed, and their sums.
    if it.is(&[0x09]).is_some() {
        it.number()?;
    }
    if it.is(&[0x0A, 1]).is_some() {
        it.at += 4;
    }
    it.is(&[0x00, 0x07, 0x0B, 1, 0, 1])?;
    let is_lzma2 = it.is(&[0x21, 0x21, 1]).is_some();
    if !is_lzma2 {
        it.is(&[0x23, 0x03, 0x01, 0x01, 5])?;
    }
    let place = it.at + usize::from(!is_lzma2);
    it.at += if is_lzma2 { 1 } else { 5 };
    it.is(&[0x0C])?;
    let needs = u32::try_from(it.number()?).ok()?.max(SMALLEST);
    if !is_lzma2 {
        let asks = u32::from_le_bytes(*head.get(place..)?.first_chunk()?);
        return (asks > needs).then(|| (place, needs.to_le_bytes().to_vec()));
    }
    let asks = *head.get(place)?;
    let least = (0..40_u8).find(|it| (2 | u32::from(it & 1)) << (it / 2 + 11) >= needs)?;
    (asks > least).then(|| (place, vec![least]))
}

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// Passes over these bytes, if they are the next.
    fn is(&mut self, bytes: &[u8]) -> Option<()> {
        let is_it = self.head.get(self.at..)?.starts_with(bytes);
        self.at += if is_it { bytes.len() } else { 0 };
        is_it.then_some(())
    }

    /// A number: as many ones as its first byte begins with, so many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = *self.head.get(self.at)?;
        let more = first.leading_ones() as usize;
        let bytes = self.head.get(self.at + 1..self.at + 1 + more)?;
        self.at += 1 + more;
        let low = bytes
            .iter()
            .rev()
            .fold(0, |all, it| all << 8 | u64::from(*it));
        let high = u64::from(first) & (0x7F_u64 >> more);
        Some(low | if more < 8 { high << (8 * more) } else { 0 })
    }
}
