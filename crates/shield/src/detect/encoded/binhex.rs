//! `BinHex` 4.0: RFC 1741, appendix A.

use super::letters::Decoded;

const LETTERS: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

/// The data fork, with its name.
pub(super) fn decode(from: &[u8]) -> Decoded {
    let nothing = || (String::new(), Vec::new(), 0);
    let Some(start) =
        memchr::memmem::find(from.get(..from.len().min(512)).unwrap_or_default(), b"\n:")
    else {
        return nothing();
    };
    let mut used = start + 2;
    let (mut bits, mut count, mut packed) = (0_u32, 0, Vec::new());
    let value_of = |letter: u8| {
        (0_u8..)
            .zip(LETTERS)
            .find(|it| *it.1 == letter)
            .map(|it| it.0)
    };
    for it in from.get(used..).unwrap_or_default() {
        used += 1;
        if it.is_ascii_whitespace() {
            continue;
        }
        let Some(value) = value_of(*it) else {
            break;
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            packed.push((bits >> count).to_le_bytes()[0]);
            bits &= (1 << count) - 1;
        }
    }
    let out = runs(&packed);
    // Length and text of the name, a version, type, creator, flags, two lengths, a check sum.
    let fork = out.split_first().and_then(|(length, rest)| {
        let length = usize::from(*length);
        let name = String::from_utf8_lossy(rest.get(..length)?).into_owned();
        let data = rest.get(length + 1 + 4 + 4 + 2..)?;
        let size = u32::from_be_bytes(data.get(..4)?.try_into().ok()?) as usize;
        let data = data.get(10..)?;
        Some((name, data.get(..size.min(data.len()))?.to_vec()))
    });
    fork.map_or_else(nothing, |(name, data)| (name, data, used))
}

/// A byte, 0x90 and a count stand for so many of it; 0x90 and 0 for itself.
fn runs(packed: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), packed);
    loop {
        rest = match rest {
            [0x90, 0, after @ ..] => {
                out.push(0x90);
                after
            }
            [0x90, count, after @ ..] => {
                let last = out.last().copied().unwrap_or_default();
                out.resize(out.len() + usize::from(*count) - 1, last);
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
            [] => return out,
        };
    }
}
