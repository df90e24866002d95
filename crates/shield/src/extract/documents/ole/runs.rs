//! Text among bytes that are none: letter behind letter, of one byte or of two.

use encoding_rs::{UTF_16LE, WINDOWS_1252};

use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::walk::{Setting, Walk};

/// Letters in a row that are a text.
const LEAST: usize = 6;

/// And that are no part of one in letters of two bytes.
const SURE: usize = 12;

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
    let (one, two) = (ones(probe), twos(probe));
    if one < LEAST && two < LEAST * 2 {
        return Run::None;
    }
    let is_within = one < SURE && two >= one * 2;
    if is_plain(probe, LEAST) && !is_within {
        return Run::One(ones(bytes));
    }
    let is_soon_one = || (1..SURE).any(|it| is_plain(probe.get(it..).unwrap_or_default(), SURE));
    if two >= LEAST * 2 && probe.first() != Some(&0) && is_aligned(probe) && !is_soon_one() {
        return Run::Two(twos(bytes));
    }
    if one >= LEAST {
        return Run::One(ones(bytes));
    }
    Run::None
}

/// Whether so many letters of one byte begin here, nearly all of which are plain.
fn is_plain(probe: &[u8], least: usize) -> bool {
    let one = ones(probe);
    let plain = probe.iter().take(one).filter(|it| it.is_ascii()).count();
    one >= least && plain * 10 >= one * 9
}

/// Whether more of it is Latin from here on than one byte further on.
fn is_aligned(probe: &[u8]) -> bool {
    let is_latin = |it: &&[u8]| matches!(it, [b' '..=b'~', 0]);
    let latin = |bytes: &[u8]| bytes.chunks_exact(2).filter(is_latin).count();
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
    matches!(
        u16::from_le_bytes([*low, *high]),
        // Marks, European languages, Hebrew, Arabic, those of India, Thai and Lao.
        0x07 | 0x09..=0x0D | 0x20..=0x7E | 0xA0..=0x6FF | 0x900..=0xEFF
        | 0x1E00..=0x1FFF | 0x2010..=0x206F | 0x20A0..=0x20BF
        // Japanese, Chinese, Korean, and halves of what is beyond.
        | 0x3000..=0x30FF | 0x4E00..=0x9FFF | 0xAC00..=0xDFFF | 0xFF00..=0xFFEF
    )
}
