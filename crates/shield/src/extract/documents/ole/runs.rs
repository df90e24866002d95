//! Text among bytes that are none: letter behind letter, of one byte or of two.

use encoding_rs::{UTF_16LE, WINDOWS_1252};

use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::walk::{Setting, Walk};

/// Letters in a row that are a text.
const LEAST: usize = 6;

/// Bytes that decide what a run is.
const PROBE: usize = 128;

/// Judges the texts among these bytes.
pub(super) fn judge(walk: &mut Walk<'_>, bytes: &[u8], setting: Setting) -> Step {
    let mut flow = Flow::new(setting);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|it| !it.is_empty()) {
        match run(rest) {
            Run::None => at += 1,
            Run::One(length) => {
                let text = rest.get(..length).unwrap_or_default();
                put(&mut flow, &WINDOWS_1252.decode_without_bom_handling(text).0);
                at += length;
                flow.end_block(walk)?;
            }
            Run::Two(length) => {
                let text = rest.get(..length).unwrap_or_default();
                put(&mut flow, &UTF_16LE.decode_without_bom_handling(text).0);
                at += length;
                flow.end_block(walk)?;
            }
        }
    }
    flow.end(walk)
}

/// So many bytes of a text, in letters of one byte or of two.
enum Run {
    None,
    One(usize),
    Two(usize),
}

/// What begins here. To whoever reads letters of two bytes, those of one are Chinese.
fn run(bytes: &[u8]) -> Run {
    let probe = bytes.get(..PROBE).unwrap_or(bytes);
    let one = ones(probe);
    let plain = probe.iter().take(one).filter(|it| it.is_ascii()).count();
    if one >= LEAST && plain * 10 >= one * 9 {
        return Run::One(ones(bytes));
    }
    let two = twos(probe);
    if two >= LEAST * 2 && probe.first() != Some(&0) && is_aligned(probe) {
        return Run::Two(twos(bytes));
    }
    if one >= LEAST {
        return Run::One(ones(bytes));
    }
    Run::None
}

/// Whether more of it is Latin from here on than one byte further on.
fn is_aligned(probe: &[u8]) -> bool {
    let latin = |bytes: &[u8]| {
        bytes
            .chunks_exact(2)
            .filter(|it| it.last() == Some(&0))
            .count()
    };
    latin(probe) >= latin(probe.get(1..).unwrap_or_default())
}

fn ones(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|it| is_letter(**it)).count()
}

fn twos(bytes: &[u8]) -> usize {
    bytes.chunks_exact(2).take_while(|it| is_wide(it)).count() * 2
}

fn put(flow: &mut Flow, text: &str) {
    // Marks of programs between runs of text, as ends of paragraphs and of cells.
    let is_mark = |it: char| it.is_control();
    for piece in text.split(is_mark).filter(|it| !it.is_empty()) {
        flow.separate('\n');
        flow.seen(piece);
    }
}

fn is_letter(it: u8) -> bool {
    matches!(it, b'\t' | b'\r' | b'\n' | 0x07 | 0x0B | b' '..=b'~' | 0xA0..=0xFF | 0x91..=0x97)
}

/// Whether these two bytes are a letter of a language that is written, or a mark between.
fn is_wide(pair: &[u8]) -> bool {
    let [low, high] = pair else { return false };
    match u16::from_le_bytes([*low, *high]) {
        0x07
        | 0x09..=0x0D
        | 0x20..=0x7E
        | 0xA0..=0x5FF
        | 0x600..=0x6FF
        | 0x900..=0xDFF
        | 0xE00..=0xE7F => true,
        0x1E00..=0x1FFF | 0x2010..=0x206F | 0x20A0..=0x20BF | 0x3000..=0x30FF | 0x4E00..=0x9FFF => {
            true
        }
        0xAC00..=0xD7A3 | 0xD800..=0xDFFF | 0xFF00..=0xFFEF => true,
        _ => false,
    }
}
