//! What the model looks at in a stretch of text: its words, what they are like, and the concepts in it.

use std::collections::BTreeMap;

use super::{BUCKETS, GENERAL};
use crate::many::word;
use crate::phrase_table::Bits;
use crate::text::words::Hit;

/// Words that are much alike are of one class, so that what was learned of one is known of all.
#[derive(Debug)]
pub(crate) struct Classes {
    /// Says of nearly every word that it is of none.
    known: Bits,
    /// Where words begin that share their first bits, and where the last ones end.
    starts: Vec<u16>,
    /// Each word, and its class, in their order.
    words: Vec<(u32, u8)>,
}

/// How many of a word's bits are left out where it is looked for among those that share the others.
const LEFT_OUT: u32 = 20;

impl Classes {
    /// From a file of words: each class has its own, with spaces in between.
    pub(crate) fn of(written: &BTreeMap<String, String>) -> Self {
        let numbered = (1_u8..).zip(written.values());
        let words = numbered.flat_map(|(class, words)| {
            words
                .split_ascii_whitespace()
                .map(move |it| (hash(it.bytes()), class))
        });
        // The last class that has a word.
        let words: BTreeMap<u32, u8> = words.collect();
        let mut known = Bits::none();
        for word in words.keys() {
            known.set(u64::from(word >> 16));
        }
        let words: Vec<(u32, u8)> = words.into_iter().collect();
        let start = |bits| {
            let start = words.partition_point(|it| it.0 >> LEFT_OUT < bits);
            u16::try_from(start).unwrap_or(u16::MAX)
        };
        Self {
            starts: (0..=1 << (32 - LEFT_OUT)).map(start).collect(),
            known,
            words,
        }
    }

    fn get(&self, word: u32) -> u8 {
        if !self.known.has(u64::from(word >> 16)) {
            return 0;
        }
        let bits = (word >> LEFT_OUT) as usize;
        let range = match (self.starts.get(bits), self.starts.get(bits + 1)) {
            (Some(from), Some(to)) => usize::from(*from)..usize::from(*to),
            _ => 0..0,
        };
        let near = self.words.get(range).unwrap_or_default();
        let class = near.iter().find(|it| it.0 == word);
        class.map_or(0, |it| it.1)
    }
}

/// Takes each feature, one as often as the stretch has it. `marks` are names of concepts, and `hits`
/// those of the stretch.
pub(crate) fn features(
    classes: &Classes,
    marks: &[u32],
    text: &str,
    hits: &[Hit],
    mut take: impl FnMut(u32),
) {
    words(classes, text, &mut take);
    concepts(marks, hits, &mut take);
}

/// Words, how they begin, pairs of them, and the classes in the order in which they come.
fn words(classes: &Classes, text: &str, take: &mut impl FnMut(u32)) {
    let mut before = 0_u32;
    let mut order = Order::default();
    let mut rest = Some(text);
    while let Some(word) = next_word(&mut rest) {
        // Signs that follow one another begin something new.
        if word.text.is_empty() {
            order.is_first = true;
            continue;
        }
        let hash = if word.is_number {
            hash([b'0'].into_iter())
        } else {
            word.hash
        };
        take(special(hash));
        if let Some(stem) = word.stem {
            take(special(stem.rotate_left(13)));
        }
        if before != 0 {
            take(special(pair(before, hash)));
        }
        before = hash;
        order.next(classes.get(hash), take);
        if !word.is_ascii && word.letters > 6 {
            pairs(word.text, take);
        }
    }
}

/// What stands between signs, which may be nothing, and what was seen of it on the way.
struct Word<'t> {
    text: &'t str,
    hash: u32,
    /// The hash of its first letters, if it has more.
    stem: Option<u32>,
    letters: usize,
    is_number: bool,
    is_ascii: bool,
}

/// The next word, up to a sign or the end; `rest` is what stands behind the sign.
fn next_word<'t>(rest: &mut Option<&'t str>) -> Option<Word<'t>> {
    let text = rest.take()?;
    let (mut sum, mut stem, mut letters) = (BASIS, None, 0);
    let (mut is_number, mut is_ascii) = (true, true);
    let mut end = word(text.as_bytes());
    if end > 0 {
        let (begin, more) = text.as_bytes().split_at(end.min(STEM));
        sum = begin.iter().copied().fold(sum, step);
        let more = more.get(..end - begin.len()).unwrap_or_default();
        if !more.is_empty() {
            stem = Some(sum | 1);
            sum = more.iter().copied().fold(sum, step);
        }
        letters = end;
        let digits = |it: &[u8]| it.iter().all(u8::is_ascii_digit);
        is_number = digits(begin) && digits(more);
    }
    while let Some(byte) = text.as_bytes().get(end) {
        let (is_sign, length) = if byte.is_ascii() {
            (!byte.is_ascii_alphanumeric(), 1)
        } else {
            let it = text.get(end..).and_then(|it| it.chars().next());
            it.map_or((true, 1), |it| (!is_letter(it), it.len_utf8()))
        };
        if is_sign {
            *rest = text.get(end + length..);
            break;
        }
        if letters == STEM {
            stem = Some(sum | 1);
        }
        letters += 1;
        is_number &= byte.is_ascii_digit();
        is_ascii &= length == 1;
        let bytes = text.as_bytes().get(end..end + length);
        sum = bytes
            .into_iter()
            .flatten()
            .fold(sum, |sum, it| step(sum, *it));
        end += length;
    }
    Some(Word {
        text: text.get(..end).unwrap_or_default(),
        hash: sum | 1,
        stem,
        letters,
        is_number,
        is_ascii,
    })
}

/// What `char::is_alphanumeric` says, which looks for long where signs are that texts have many of.
fn is_letter(it: char) -> bool {
    match u32::from(it) {
        // Russian, Arabic and Persian, Japanese, Chinese, Korean.
        0x430..=0x44F
        | 0x620..=0x64A
        | 0x671..=0x6D3
        | 0x3041..=0x3096
        | 0x30A1..=0x30FA
        | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7A3 => true,
        // Arrows, lines of tables, bullets and marks, the full stop of Chinese, emoji.
        0x2190..=0x245F
        | 0x2500..=0x2775
        | 0x2794..=0x2BFF
        | 0x3001..=0x3004
        | 0x1F300..=0x1FAFF => false,
        _ => it.is_alphanumeric(),
    }
}

/// Letters that words share that are forms of one.
const STEM: usize = 5;

/// The classes so far.
#[derive(Default)]
struct Order {
    is_first: bool,
    /// The last three, the latest first.
    last: [u8; 3],
    seen: Vec<u8>,
}

impl Order {
    fn next(&mut self, class: u8, take: &mut impl FnMut(u32)) {
        let is_first = std::mem::take(&mut self.is_first);
        if class == 0 {
            return;
        }
        let now = u32::from(class);
        take(general(now));
        if is_first {
            take(general(now | 1 << 28));
        }
        let known = self.last.iter().filter(|it| **it != 0);
        for (far, it) in (1_u32..).zip(known) {
            take(general(u32::from(*it) << 8 | now | far.min(2) << 24));
        }
        let [one, two, _] = self.last.map(u32::from);
        if two != 0 {
            take(general(two << 16 | one << 8 | now | 7 << 24));
        }
        if !self.seen.contains(&class) {
            for it in &self.seen {
                take(general(u32::from(*it) << 8 | now | 11 << 24));
            }
            self.seen.push(class);
        }
        self.last = [class, self.last[0], self.last[1]];
    }
}

/// Pairs of signs, where words have no spaces.
fn pairs(word: &str, take: &mut impl FnMut(u32)) {
    let mut before = '\0';
    for it in word.chars() {
        if before != '\0' {
            let code = u32::from(before).wrapping_mul(0x0100_0193) ^ u32::from(it);
            take(special(code.wrapping_mul(0x85EB_CA6B)));
        }
        before = it;
    }
}

/// How many different concepts are looked at.
const MOST: usize = 14;

/// Each concept, and each two of them in the order in which they come.
fn concepts(marks: &[u32], hits: &[Hit], take: &mut impl FnMut(u32)) {
    let mut seen: Vec<u32> = Vec::with_capacity(MOST);
    for hit in hits {
        let mark = marks.get(usize::from(hit.concept)).copied().unwrap_or(0);
        if mark == 0 || seen.contains(&mark) {
            continue;
        }
        take(general(mark));
        for other in &seen {
            take(general(pair(*other, mark)));
        }
        seen.push(mark);
        if seen.len() == MOST {
            break;
        }
    }
}

fn pair(before: u32, now: u32) -> u32 {
    before.rotate_left(5) ^ now.wrapping_mul(0x9E37_79B9)
}

pub(crate) fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    // No word is none.
    bytes.fold(BASIS, step) | 1
}

/// Of FNV-1a, with 32 bits.
const BASIS: u32 = 0x811C_9DC5;

fn step(sum: u32, byte: u8) -> u32 {
    (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// A place among those of classes and concepts.
fn general(hash: u32) -> u32 {
    spread(hash, GENERAL)
}

/// A place among those of words.
fn special(hash: u32) -> u32 {
    let general = u32::try_from(GENERAL).unwrap_or(0);
    general + spread(hash, BUCKETS - GENERAL)
}

fn spread(hash: u32, over: usize) -> u32 {
    let spread = u64::from(hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D_2C1B_3C6D) >> 32;
    u32::try_from((spread * over as u64) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_unicode() {
        for it in '\0'..=char::MAX {
            assert_eq!(is_letter(it), it.is_alphanumeric(), "{it:?}");
        }
    }
}
