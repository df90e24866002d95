//! The words that rules are made of: what may be said in many ways and many languages is one concept.

mod collecting;

use std::ops::Range;

pub(super) use self::collecting::{Collecting, Phrases};
use crate::many::{mask, word};
use crate::phrase_table::{Bits, PhraseTable, head};

/// Something that can be said in many ways; an index.
pub(crate) type Concept = u16;

/// A concept that was met in a folded text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) concept: Concept,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// In which languages it is said like this; a bit each.
    pub(crate) languages: u64,
}

/// All phrases.
///
/// They begin where words begin, so that only there something is looked up: of most texts, that is one
/// place of three.
#[derive(Debug)]
pub(crate) struct Words {
    sorts: [u8; 256],
    /// With which two bytes phrases begin that begin with a sign of ASCII.
    signs: Bits,
    table: PhraseTable,
    /// What belongs to each.
    meanings: Vec<Meaning>,
    /// The concepts of all phrases.
    concepts: Vec<Concept>,
    /// By their concepts.
    disguises: Vec<Option<Disguise>>,
}

/// What belongs to one phrase.
#[derive(Debug)]
struct Meaning {
    languages: u64,
    /// Where its concepts begin, and how many it has.
    concepts: u32,
    count: u16,
    /// It may go on with other letters.
    is_stem: bool,
}

/// A way to write letters that others do not read at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disguise {
    /// By so many places in the alphabet.
    Shifted(u8),
    /// The first letter is the last.
    Mirrored,
    Reversed,
}

/// English goes with every other language: whoever writes about machines mixes it in.
const ENGLISH: u64 = 1;

/// A phrase begins with this byte.
const FIRST: u8 = 1;

/// This byte is of a word.
const WORD: u8 = 2;

/// This byte is of a character that has several.
const OTHER: u8 = 4;

/// How many bytes are looked at at once.
const BLOCK: usize = 64;

/// The places of the bits that are set.
fn ones(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let here = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (here < u64::BITS).then_some(here)
    })
}

impl Words {
    /// The disguise that this concept gives away.
    pub(crate) fn disguise(&self, concept: Concept) -> Option<Disguise> {
        self.disguises.get(usize::from(concept)).copied()?
    }

    /// Every concept in a folded text, in the order in which they begin.
    pub(crate) fn hits(&self, text: &str) -> Vec<Hit> {
        let bytes = text.as_bytes();
        let (mut hits, mut is_in_word, mut at) = (Vec::new(), false, 0);
        while at < bytes.len() {
            let window = bytes.get(at..).and_then(|it| it.first_chunk());
            let block = window.and_then(|it: &[u8; BLOCK + 8]| it.first_chunk());
            if let (Some(window), Some(block)) = (window, block.filter(|it| it.is_ascii())) {
                is_in_word = self.plain(text, at, (window, block), is_in_word, &mut hits);
                at += BLOCK;
            } else {
                (at, is_in_word) = self.any(text, at, is_in_word, &mut hits);
            }
        }
        hits
    }

    /// Looks at a block of ASCII, with what stands behind it. A word may go on in it that stands before it; tells whether one
    /// goes on behind it.
    fn plain(
        &self,
        text: &str,
        at: usize,
        (window, block): (&[u8; BLOCK + 8], &[u8; BLOCK]),
        is_in_word: bool,
        hits: &mut Vec<Hit>,
    ) -> bool {
        let head = |here: u32| {
            let head = window.get(here as usize..).and_then(|it| it.first_chunk());
            head.map_or(0, |it| u64::from_be_bytes(*it))
        };
        let words = mask(block, |it| it.is_ascii_alphanumeric());
        // Nothing begins inside a word.
        let begins = !(words & (words << 1 | u64::from(is_in_word)));
        // Signs are many, and few begin anything.
        let mut may = begins & words;
        for here in ones(begins & !words) {
            may |= (self.signs.bit(head(here) >> 48) & 1) << here;
        }
        for here in ones(may) {
            if self.table.may_begin(head(here)) {
                self.look_up(text, at + here as usize, hits);
            }
        }
        words >> (BLOCK - 1) != 0
    }

    /// Looks at some characters of any sort, and tells where they end, and whether in a word.
    fn any(
        &self,
        text: &str,
        mut at: usize,
        mut is_in_word: bool,
        hits: &mut Vec<Hit>,
    ) -> (usize, bool) {
        let bytes = text.as_bytes();
        let end = at + BLOCK;
        while let Some(byte) = bytes.get(at).filter(|_| at < end) {
            let sort = self.sorts[usize::from(*byte)];
            let (has_words, length) = if sort & OTHER == 0 {
                (sort & WORD != 0, 1)
            } else {
                let it = text.get(at..).and_then(|it| it.chars().next());
                it.map_or((false, 1), |it| (has_words(it), it.len_utf8()))
            };
            let begins = sort & FIRST != 0 && !(is_in_word && has_words);
            if begins {
                let head = head(bytes.get(at..).unwrap_or_default());
                let is_sign = sort & (WORD | OTHER) == 0;
                let may = !is_sign || self.signs.has(head >> 48);
                if may && self.table.may_begin(head) {
                    self.look_up(text, at, hits);
                }
            }
            is_in_word = has_words;
            at += length;
            // Nothing begins inside a word.
            if is_in_word {
                at += word(bytes.get(at..).unwrap_or_default());
            }
        }
        (at, is_in_word)
    }

    #[inline(never)]
    fn look_up(&self, text: &str, at: usize, hits: &mut Vec<Hit>) {
        self.table.at(text.as_bytes(), at, |phrase, end| {
            self.note(text, at..end, phrase, hits);
        });
    }

    fn note(&self, text: &str, range: Range<usize>, phrase: usize, hits: &mut Vec<Hit>) {
        let Some(meaning) = self.meanings.get(phrase) else {
            return;
        };
        if !(meaning.is_stem || ends(text, range.end)) {
            return;
        }
        let concepts = self.concepts.get(meaning.concepts as usize..);
        let concepts = concepts.unwrap_or_default().iter();
        let concepts = concepts.take(usize::from(meaning.count));
        hits.extend(concepts.map(|concept| Hit {
            concept: *concept,
            start: u32::try_from(range.start).unwrap_or(u32::MAX),
            end: u32::try_from(range.end).unwrap_or(u32::MAX),
            languages: meaning.languages,
        }));
    }
}

/// Whether two phrases are of one language, or one of them is English.
pub(crate) fn go_together(one: u64, other: u64) -> bool {
    (one | other) & ENGLISH != 0 || one & other != 0
}

/// Whether a word ends here and does not go on, in scripts that have spaces.
fn ends(text: &str, end: usize) -> bool {
    let bytes = text.as_bytes();
    let last = bytes.get(..end).and_then(<[u8]>::last);
    // Of most, two bytes say so.
    match (last, bytes.get(end)) {
        (Some(last), Some(next)) if last.is_ascii() && next.is_ascii() => {
            !(last.is_ascii_alphanumeric() && next.is_ascii_alphanumeric())
        }
        _ => {
            let (before, rest) = text.split_at_checked(end).unwrap_or_default();
            let last = before.chars().next_back();
            !(last.is_some_and(has_words) && rest.chars().next().is_some_and(has_words))
        }
    }
}

/// Letters of scripts that put spaces between words, and nothing before a word that belongs to it.
fn has_words(it: char) -> bool {
    it.is_ascii_alphanumeric()
        || matches!(u32::from(it), 0xC0..=0x24F | 0x370..=0x52F | 0x1E00..=0x1FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_met_wherever_they_stand() {
        let mut words = Collecting::default();
        for phrase in ["ignore", "../", "忽略", "!", "two words*"] {
            words.say(phrase, "en", phrase);
        }
        let words = words.build();
        let starts =
            |text: &str| -> Vec<u32> { words.hits(text).iter().map(|it| it.start).collect() };
        for shift in 0..200 {
            let at = u32::try_from(shift).unwrap();
            let spaces = " ".repeat(shift);
            for what in ["ignore", "../", "忽略", "!", "two words", "two wordsmiths"] {
                assert_eq!(starts(&format!("{spaces}{what}")), [at], "{what} at {at}");
                assert_eq!(
                    starts(&format!("{spaces}{what} {spaces}")),
                    [at],
                    "{what} at {at}"
                );
            }
            assert!(starts(&format!("{spaces}ignored")).is_empty());
            if shift > 0 {
                let letters = "x".repeat(shift);
                assert!(starts(&format!("{letters}ignore")).is_empty());
                assert_eq!(starts(&format!("{letters}!")), [at]);
                assert!(starts(&format!("{letters}éignore")).is_empty());
                assert_eq!(starts(&format!("{letters}指ignore")), [at + 3]);
            }
        }
    }
}
