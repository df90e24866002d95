//! The block in front of each file.

/// The block in front of each file.
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) mode: u64,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    /// How long the file is with its holes, as GNU writes it.
    pub(super) real_size: u64,
    /// Whether the places of holes go on in blocks that follow.
    pub(super) goes_on: bool,
}

/// Whether a tape archive begins like this; the oldest ones say so by their check digits only.
pub(crate) fn is_header(head: &[u8]) -> bool {
    Header::read(head).is_some()
}

impl Header {
    /// Of a whole block, if its check digits are right.
    pub(super) fn read(block: &[u8]) -> Option<Self> {
        let block: &[u8; 512] = block.first_chunk()?;
        let said = octal(&block[148..156])?;
        let (before, after) = (&block[..148], &block[156..]);
        let bytes = || before.iter().chain(&[b' '; 8]).chain(after);
        let sum: u64 = bytes().map(|it| u64::from(*it)).sum();
        // Old programs added up signed bytes.
        let signed: i64 = bytes().map(|it| i64::from(it.cast_signed())).sum();
        if (said != sum && i64::try_from(said) != Ok(signed)) || block[0] == 0 && block[345] == 0 {
            return None;
        }
        let (prefix, name) = (text(&block[345..500]), text(&block[..100]));
        let is_posix = &block[257..263] == b"ustar\0";
        let name = match prefix {
            [] => name.to_vec(),
            _ if !is_posix => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        };
        let kind = block[156];
        let is_sparse = kind == b'S';
        Some(Self {
            kind,
            mode: octal(&block[100..108]).unwrap_or_default(),
            size: size(kind, octal(&block[124..136]).unwrap_or_default()),
            name,
            link: text(&block[157..257]).to_vec(),
            real_size: octal(&block[483..495])
                .filter(|_| is_sparse)
                .unwrap_or_default(),
            goes_on: is_sparse && block[482] != 0,
        })
    }

    /// Whether what follows tells of the next file, or of all.
    pub(super) const fn is_about_next(&self) -> bool {
        matches!(self.kind, b'K' | b'L' | b'X' | b'g' | b'x')
    }
}

/// Links, folders and devices have no content, whatever is written.
const fn size(kind: u8, size: u64) -> u64 {
    match kind {
        b'1'..=b'6' => 0,
        _ => size,
    }
}

/// Up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    field.split(|it| *it == 0).next().unwrap_or_default()
}

/// A number in octal digits, or in bytes where those are too few.
fn octal(field: &[u8]) -> Option<u64> {
    if let [first @ 0x80..=0xFF, rest @ ..] = field {
        let first = u64::from(first & 0x3F);
        return Some(rest.iter().fold(first, |sum, it| sum << 8 | u64::from(*it)));
    }
    let text = str::from_utf8(text(field)).ok()?.trim_matches(' ');
    match text {
        "" => Some(0),
        _ => u64::from_str_radix(text, 8).ok(),
    }
}
