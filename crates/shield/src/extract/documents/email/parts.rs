//! Where parts begin and end, and how their bodies are written.

use super::headers::line;

/// Mails of a mailbox; one mail is all of it.
pub(super) fn mails(bytes: &[u8]) -> Vec<&[u8]> {
    if !bytes.starts_with(b"From ") {
        return vec![bytes];
    }
    let (mut mails, mut from) = (Vec::new(), 0);
    for at in memchr::memmem::find_iter(bytes, b"\nFrom ") {
        // An empty line stands before.
        let before = bytes.get(..at).unwrap_or_default();
        if before.ends_with(b"\n") || before.ends_with(b"\n\r") {
            mails.extend(bytes.get(from..=at));
            from = at + 1;
        }
    }
    mails.extend(bytes.get(from..));
    mails
}

/// What is in parts and what is not: before the first and behind the last.
pub(super) fn split<'b>(body: &'b [u8], boundary: &[u8]) -> (Vec<&'b [u8]>, [&'b [u8]; 2]) {
    let (mut parts, mut between) = (Vec::new(), [&[][..]; 2]);
    let (mut rest, mut from, mut is_open) = (body, 0, false);
    while let Some((line, behind)) = line(rest) {
        let at = body.len() - rest.len();
        rest = behind;
        let Some(tail) = line
            .strip_prefix(b"--")
            .and_then(|it| it.strip_prefix(boundary))
        else {
            continue;
        };
        let tail = tail.trim_ascii();
        if !tail.is_empty() && tail != b"--" {
            continue;
        }
        let before = body.get(from..at).unwrap_or_default();
        if is_open {
            parts.push(before);
        } else {
            between[0] = before;
        }
        from = body.len() - rest.len();
        is_open = tail.is_empty();
        if !is_open {
            break;
        }
    }
    let behind = body.get(from..).unwrap_or_default();
    if is_open {
        parts.push(behind);
    } else {
        between[1] = behind;
    }
    (parts, between)
}

/// Of quoted-printable.
pub(super) fn unquoted(text: &[u8]) -> Vec<u8> {
    let digit = |it: &u8| char::from(*it).to_digit(16);
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'=', [b'\r', b'\n', behind @ ..] | [b'\n', behind @ ..]) => rest = behind,
            (b'=', [high, low, behind @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.extend(u8::try_from(high * 16 + low));
                    rest = behind;
                }
                _ => out.push(b'='),
            },
            _ => out.push(*first),
        }
    }
    out
}

/// Of uuencode.
pub(super) fn from_uu(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((line, behind)) = line(rest) {
        rest = behind;
        let Some((length, digits)) = line.split_first() else {
            continue;
        };
        if !(b' '..=b'`').contains(length) {
            continue;
        }
        let from = out.len();
        for group in digits.chunks(4) {
            let bits =
                |n: usize| u32::from(group.get(n).map_or(0, |it| it.wrapping_sub(b' ') & 0x3F));
            let number = bits(0) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
            out.extend_from_slice(number.to_be_bytes().get(1..).unwrap_or_default());
        }
        out.truncate(from + usize::from(length.wrapping_sub(b' ') & 0x3F));
    }
    out
}
