//! Bytes from letters, as far as they go.

/// A name for what came out, that, and how many letters it took.
pub(super) type Decoded = (String, Vec<u8>, usize);

/// Lines may be broken anywhere; a text of a program may break them by quotes.
pub(super) fn base64(from: &[u8]) -> Decoded {
    let (mut out, mut bits, mut count, mut used, mut odd) = (Vec::new(), 0_u32, 0, 0, 0);
    for it in from {
        let value = match it {
            b'A'..=b'Z' => it - b'A',
            b'a'..=b'z' => it - b'a' + 26,
            b'0'..=b'9' => it - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\r' | b'\n' | b' ' | b'\t' if odd < 80 => {
                odd += 1;
                used += 1;
                continue;
            }
            _ => break,
        };
        odd = 0;
        used += 1;
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => out.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        3 => out.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        _ => {}
    }
    ("base64".to_owned(), out, used)
}

/// Two letters a byte.
pub(super) fn hex(from: &[u8]) -> Decoded {
    let (mut out, mut high, mut used) = (Vec::new(), None, 0);
    for it in from {
        let value = match it {
            b'0'..=b'9' => it - b'0',
            b'a'..=b'f' => it - b'a' + 10,
            b'A'..=b'F' => it - b'A' + 10,
            b'\r' | b'\n' | b' ' => {
                used += 1;
                continue;
            }
            _ => break,
        };
        used += 1;
        match high.take() {
            Some(high) => out.push(high << 4 | value),
            None => high = Some(value),
        }
    }
    ("hex".to_owned(), out, used)
}

/// `begin 644 name`, lines of up to 45 bytes, `end`.
pub(super) fn uu(from: &[u8]) -> Decoded {
    let mut lines = from.split_inclusive(|it| *it == b'\n');
    let first = lines.next().unwrap_or_default();
    let (mut out, mut used) = (Vec::new(), first.len());
    let name =
        String::from_utf8_lossy(first.trim_ascii().get(10..).unwrap_or_default()).into_owned();
    for line in lines {
        let bare = line.trim_ascii_end();
        let [length @ 0x21..=0x4D, letters @ ..] = bare else {
            break;
        };
        let length = usize::from(length - 0x20);
        let whole = out.len() + length;
        for four in letters.chunks(4) {
            let sum = four.iter().fold(0_u32, |sum, it| {
                sum << 6 | u32::from(it.wrapping_sub(0x20) & 0x3F)
            });
            let sum = sum << (6 * (4 - four.len()));
            out.extend_from_slice(&sum.to_be_bytes()[1..]);
        }
        out.resize(whole.min(out.len()), 0);
        used += line.len();
    }
    (name, out, used)
}
