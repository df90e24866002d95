//! From bytes to text, for what may name its encoding itself.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::budget::Step;
use crate::walk::{Input, Walk};

/// Bytes of an input that is not held, which are looked at as if they were one.
const PIECE: u64 = 8 << 20;

/// Hands on an input as text: whole where it is held, else in pieces.
pub(super) fn text_of(
    walk: &mut Walk<'_>,
    input: &mut Input<'_>,
    mut take: impl FnMut(&mut Walk<'_>, &str) -> Step,
) -> Step {
    if let Some(bytes) = input.held {
        return take(walk, &to_text(bytes, encoding_of(bytes)));
    }
    let (mut bytes, mut encoding) = (Vec::new(), None);
    loop {
        bytes.clear();
        let read = Read::take(&mut *input.source, PIECE).read_to_end(&mut bytes);
        if read.is_err() || bytes.is_empty() {
            return Ok(());
        }
        let encoding = *encoding.get_or_insert_with(|| encoding_of(&bytes));
        take(walk, &to_text(&bytes, encoding))?;
    }
}

/// The text, without a mark of its encoding.
pub(super) fn to_text<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Cow<'a, str> {
    encoding.decode_with_bom_removal(bytes).0
}

/// In which encoding a markup text is: by its mark, by what it is, by what it says, or by a guess.
pub(super) fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    match bytes {
        [b'<', 0, ..] => return UTF_16LE,
        [0, b'<', ..] => return UTF_16BE,
        _ => {}
    }
    // A character may be cut at the end of a piece.
    if str::from_utf8(bytes).map_or_else(|it| it.error_len().is_none(), |_| true) {
        return declared(bytes)
            .filter(|it| *it == ISO_2022_JP)
            .unwrap_or(UTF_8);
    }
    declared(bytes).unwrap_or_else(|| guess(bytes))
}

/// The one that this label names, or the likeliest.
pub(super) fn labelled(label: &str, bytes: &[u8]) -> &'static Encoding {
    Encoding::for_label_no_replacement(label.as_bytes()).unwrap_or_else(|| encoding_of(bytes))
}

/// The likeliest.
pub(super) fn guess(bytes: &[u8]) -> &'static Encoding {
    const ENOUGH: usize = 1 << 16;
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..ENOUGH).unwrap_or(bytes), true);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

/// The label behind `charset=` or `encoding=` at the beginning.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..1024).unwrap_or(bytes).to_ascii_lowercase();
    [&b"charset"[..], b"encoding"].into_iter().find_map(|name| {
        let at = head.windows(name.len()).position(|it| it == name)?;
        let rest = head.get(at + name.len()..)?.trim_ascii_start();
        let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
        let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
        let rest = rest.strip_prefix(b"'").unwrap_or(rest);
        let is_end = |it: &u8| !it.is_ascii_alphanumeric() && !b"-_:.".contains(it);
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        Encoding::for_label_no_replacement(rest.get(..end)?)
    })
}
