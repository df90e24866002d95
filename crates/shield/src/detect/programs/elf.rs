//! Programs of Linux, as far as their headers: System V ABI, chapter 4 and 5.

/// What a program looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As compilers make them.
    Plain,
    /// It unpacks itself.
    Packed,
    /// A few bytes that may be written and run.
    Loader,
}

/// How it looks.
pub(super) fn shape(bytes: &[u8]) -> Shape {
    if memchr::memmem::find(
        bytes.get(..512.min(bytes.len())).unwrap_or_default(),
        b"UPX!",
    )
    .is_some()
    {
        return Shape::Packed;
    }
    match writes_where_it_starts(bytes) {
        // Payloads that are made by the byte have one segment and no list of sections.
        Some(true) if bytes.len() < 16 << 10 => Shape::Loader,
        Some(true) => Shape::Packed,
        _ => Shape::Plain,
    }
}

/// Whether it starts in a segment that it may write to.
fn writes_where_it_starts(bytes: &[u8]) -> Option<bool> {
    let is_wide = *bytes.get(4)? == 2;
    let is_big = *bytes.get(5)? == 2;
    let number = |at: usize, length: usize| -> Option<u64> {
        let field = bytes.get(at..at.checked_add(length)?)?;
        let join = |sum: u64, it: &u8| sum << 8 | u64::from(*it);
        Some(if is_big {
            field.iter().fold(0, join)
        } else {
            field.iter().rev().fold(0, join)
        })
    };
    let word = if is_wide { 8 } else { 4 };
    let entry = number(0x18, word)?;
    let list = usize::try_from(number(0x18 + word, word)?).ok()?;
    let (size, count) = if is_wide { (0x36, 0x38) } else { (0x2A, 0x2C) };
    let (size, count) = (number(size, 2)?, number(count, 2)?);
    for n in 0..count.min(256) {
        let at = list.checked_add(usize::try_from(n * size).ok()?)?;
        let flags = number(at.checked_add(if is_wide { 4 } else { 0x18 })?, 4)?;
        let start = number(at.checked_add(if is_wide { 0x10 } else { 8 })?, word)?;
        let length = number(at.checked_add(if is_wide { 0x28 } else { 0x14 })?, word)?;
        let is_here = entry.checked_sub(start).is_some_and(|it| it < length);
        if number(at, 4)? == 1 && is_here {
            return Some(flags & 0b11 == 0b11);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One segment, of these rights.
    fn program(flags: u32, length: usize) -> Vec<u8> {
        let mut bytes = b"\x7FELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[0x18..0x20].copy_from_slice(&0x40_0078_u64.to_le_bytes());
        bytes[0x20] = 64;
        bytes[0x36] = 56;
        bytes[0x38] = 1;
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(0x40_0000_u64.to_le_bytes());
        bytes.extend(0x40_0000_u64.to_le_bytes());
        bytes.extend(0x1000_u64.to_le_bytes());
        bytes.extend(0x1000_u64.to_le_bytes());
        bytes.extend(0x1000_u64.to_le_bytes());
        bytes.resize(length, 0x90);
        bytes
    }

    #[test]
    fn what_may_write_where_it_starts_is_told_from_what_may_not() {
        assert_eq!(shape(&program(7, 250)), Shape::Loader);
        assert_eq!(shape(&program(7, 100_000)), Shape::Packed);
        assert_eq!(shape(&program(5, 250)), Shape::Plain);
        let mut packed = program(5, 100_000);
        packed[200..204].copy_from_slice(b"UPX!");
        assert_eq!(shape(&packed), Shape::Packed);
        let whole = program(7, 250);
        for end in 0..whole.len() {
            shape(&whole[..end]);
        }
    }
}
