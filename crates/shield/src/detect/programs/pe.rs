//! Programs of Windows, as far as their headers: PE/COFF, revision 8.3.

/// What the headers of a program say.
#[derive(Debug)]
pub(crate) struct Program {
    entry: u32,
    subsystem: u16,
    signature: (u32, u32),
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    name: [u8; 8],
    address: u32,
    size: u32,
    /// Where it is in the file.
    at: u32,
    length: u32,
    flags: u32,
}

const WRITABLE: u32 = 0x8000_0000;
/// The loader maps no more.
const MAX_SECTIONS: u16 = 96;

impl Program {
    /// Those of a program that begins here.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let pe = header(bytes)?;
        let sections = u16_at(bytes, pe + 6)?.min(MAX_SECTIONS);
        let optional = pe + 24;
        let tables = match u16_at(bytes, optional)? {
            0x20B => optional + 112,
            _ => optional + 96,
        };
        let first = optional + usize::from(u16_at(bytes, pe + 20)?);
        let sections = (0..usize::from(sections))
            .map_while(|n| Section::read(bytes, first + 40 * n))
            .collect();
        Some(Self {
            entry: u32_at(bytes, optional + 16)?,
            subsystem: u16_at(bytes, optional + 68)?,
            signature: (
                u32_at(bytes, tables + 32).unwrap_or_default(),
                u32_at(bytes, tables + 36).unwrap_or_default(),
            ),
            sections,
        })
    }

    /// Whether it starts where it can also write, which compilers do not make and packers do.
    pub(crate) fn unpacks_itself(&self) -> bool {
        // Windows with and without windows; firmware has its own habits.
        matches!(self.subsystem, 2 | 3)
            && self.entry != 0
            && self.starts_in().is_some_and(|it| it.flags & WRITABLE != 0)
    }

    /// What the section that it starts in is called, which packers name after themselves.
    pub(crate) fn packer(&self) -> Option<&str> {
        let name = &self.starts_in()?.name;
        let end = name.iter().position(|it| *it == 0).unwrap_or(8);
        str::from_utf8(name.get(..end)?).ok()
    }

    /// Where the sections end and what was appended begins.
    pub(crate) fn end(&self) -> usize {
        let ends = self
            .sections
            .iter()
            .map(|it| it.at as usize + it.length as usize);
        ends.max().unwrap_or_default()
    }

    /// Whether a signature is in the file; nobody has checked it.
    pub(crate) fn is_signed(&self, bytes: &[u8]) -> bool {
        let (at, length) = self.signature;
        length > 256 && at as usize + length as usize <= bytes.len()
    }

    fn starts_in(&self) -> Option<&Section> {
        self.sections.iter().find(|it| {
            let behind = self.entry.checked_sub(it.address);
            behind.is_some_and(|behind| behind < it.size.max(it.length))
        })
    }
}

impl Section {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        Some(Self {
            name: bytes.get(at..at + 8)?.try_into().ok()?,
            size: u32_at(bytes, at + 8)?,
            address: u32_at(bytes, at + 12)?,
            length: u32_at(bytes, at + 16)?,
            at: u32_at(bytes, at + 20)?,
            flags: u32_at(bytes, at + 36)?,
        })
    }
}

/// Whether a whole program stands anywhere in other bytes.
pub(crate) fn embedded(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"MZ").any(|at| {
        let from = bytes.get(at..).unwrap_or_default();
        header(from).is_some_and(|pe| {
            let known = matches!(u16_at(from, pe + 4), Some(0x14C | 0x8664 | 0xAA64 | 0x1C4));
            known && matches!(u16_at(from, pe + 24), Some(0x10B | 0x20B))
        })
    })
}

/// Where the header of the program is.
fn header(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    let at = u32_at(bytes, 0x3C)? as usize;
    let is_there = at < 0x1_0000 && bytes.get(at..at + 4) == Some(b"PE\0\0");
    is_there.then_some(at)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at.checked_add(4)?)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at.checked_add(2)?)?
        .try_into()
        .ok()
        .map(u16::from_le_bytes)
}
