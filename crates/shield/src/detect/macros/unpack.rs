//! Compressed source of macros: [MS-OVBA] 2.4.1.

/// More than this of one module is not looked at.
const MOST: usize = 4 << 20;
const CHUNK: usize = 4096;

/// Unpacks a container, as far as it goes; nothing where none begins here.
pub(super) fn all(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(&[1])?;
    let mut out = Vec::new();
    while let [low, high, after @ ..] = rest {
        let header = u16::from_le_bytes([*low, *high]);
        // Three bits are always 3.
        if header >> 12 & 0b111 != 0b011 || out.len() > MOST {
            break;
        }
        let length = usize::from(header & 0xFFF) + 1;
        let is_packed = header & 0x8000 != 0;
        let chunk = after.get(..length.min(after.len())).unwrap_or_default();
        if is_packed {
            unpack(chunk, &mut out);
        } else {
            out.extend_from_slice(chunk);
        }
        rest = after.get(chunk.len()..).unwrap_or_default();
    }
    (!out.is_empty()).then_some(out)
}

fn unpack(mut chunk: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    while let [flags, rest @ ..] = chunk {
        chunk = rest;
        for bit in 0..8 {
            if out.len() - start >= CHUNK {
                return;
            }
            let is_copy = flags >> bit & 1 == 1;
            match chunk {
                [low, high, rest @ ..] if is_copy => {
                    chunk = rest;
                    let token = u16::from_le_bytes([*low, *high]);
                    if copy(token, start, out).is_none() {
                        return;
                    }
                }
                [byte, rest @ ..] if !is_copy => {
                    chunk = rest;
                    out.push(*byte);
                }
                _ => return,
            }
        }
    }
}

/// Copies what came before in this chunk: how far back and how much share sixteen bits.
fn copy(token: u16, start: usize, out: &mut Vec<u8>) -> Option<()> {
    let done = out.len() - start;
    let mut bits = 4;
    while 1_usize << bits < done {
        bits += 1;
    }
    let bits = bits.min(12);
    let length = usize::from(token & (0xFFFF >> bits)) + 3;
    let back = usize::from(token >> (16 - bits)) + 1;
    if back > done {
        return None;
    }
    for _ in 0..length.min(CHUNK - done.min(CHUNK)) {
        let byte = *out.get(out.len() - back)?;
        out.push(byte);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // [MS-OVBA] 3.2.2.
        let packed = [
            0x01, 0x2F, 0xB0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66,
            0x00, 0x70, 0x61, 0x67, 0x68, 0x69, 0x6A, 0x01, 0x38, 0x08, 0x61, 0x6B, 0x6C, 0x00,
            0x30, 0x6D, 0x6E, 0x6F, 0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10, 0x72, 0x73, 0x74,
            0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7A, 0x00, 0x3C,
        ];
        let text: &[u8] = b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa";
        assert_eq!(all(&packed).as_deref(), Some(text));
        for end in 0..packed.len() {
            all(&packed[..end]);
        }
    }
}
