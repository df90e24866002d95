//! The words that rules are made of: what may be said in many ways and many languages is one concept.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::fold::Folded;

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

/// A file of phrases: for each language, its ways to say it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Phrases(BTreeMap<String, Vec<String>>);

/// What belongs to one phrase.
#[derive(Debug, Default)]
struct Meaning {
    concepts: Vec<Concept>,
    languages: u64,
    /// It may go on with other letters.
    is_stem: bool,
}

/// Phrases, while they are collected.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    names: HashMap<String, Concept>,
    languages: Vec<String>,
    phrases: BTreeMap<(String, bool), Meaning>,
    disguises: HashMap<Concept, Disguise>,
}

/// All phrases, by how they begin.
///
/// Phrases begin where words begin, so that only there something is looked up: of most texts, that is
/// one place of six, and nearly nothing begins like a phrase.
#[derive(Debug)]
pub(crate) struct Words {
    /// Sorted, so that those that begin alike stand together.
    phrases: Vec<(String, Meaning)>,
    /// A bit for each of them, which is nearer than the table.
    known: Vec<u64>,
    /// A table of the first bytes of phrases, and where those stand.
    beginnings: Vec<Beginning>,
    disguises: HashMap<Concept, Disguise>,
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

/// Words that give away a disguise, of those who want something from a machine.
const TELLING: [&str; 26] = [
    "ignore",
    "disregard",
    "previous",
    "instructions",
    "instruction",
    "system",
    "prompt",
    "reveal",
    "assistant",
    "password",
    "forget",
    "following",
    "respond",
    "execute",
    "explain",
    "describe",
    "instrucciones",
    "anteriores",
    "anweisungen",
    "vorherigen",
    "precedentes",
    "istruzioni",
    "precedenti",
    "instrucoes",
    "talimatlari",
    "restrictions",
];

/// English goes with every other language: whoever writes about machines mixes it in.
const ENGLISH: u64 = 1;

impl Collecting {
    /// The concept with this name, which need not have phrases yet.
    pub(super) fn concept(&mut self, name: &str) -> Concept {
        let next = Concept::try_from(self.names.len()).unwrap_or(Concept::MAX);
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    /// Whether a concept has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// All concepts so far.
    pub(super) const fn names(&self) -> &HashMap<String, Concept> {
        &self.names
    }

    /// Ways to say a concept.
    pub(super) fn add(&mut self, name: &str, phrases: &Phrases) {
        for (language, phrases) in &phrases.0 {
            for phrase in phrases {
                self.say(name, language, phrase);
            }
        }
    }

    /// One way to say a concept.
    pub(super) fn say(&mut self, name: &str, language: &str, phrase: &str) {
        let concept = self.concept(name);
        let languages = self.bit(language);
        let stem = phrase.strip_suffix('*');
        let folded = Folded::of(stem.unwrap_or(phrase)).text;
        let is_exact = folded.starts_with(|it: char| !it.is_alphanumeric());
        let folded = if is_exact { &*folded } else { folded.trim() };
        if folded.trim().is_empty() {
            return;
        }
        let key = (folded.to_owned(), stem.is_some());
        let meaning = self.phrases.entry(key).or_default();
        meaning.languages |= languages;
        meaning.is_stem = stem.is_some();
        if !meaning.concepts.contains(&concept) {
            meaning.concepts.push(concept);
        }
    }

    fn bit(&mut self, language: &str) -> u64 {
        if language == "en" {
            return ENGLISH;
        }
        let known = self.languages.iter().position(|it| it == language);
        let at = known.unwrap_or_else(|| {
            self.languages.push(language.to_owned());
            self.languages.len() - 1
        });
        1 << (1 + at % 63)
    }

    /// The words that give away a disguise, in each of them.
    pub(super) fn add_disguises(&mut self) {
        let mut add = |disguise: Disguise, change: &dyn Fn(&str) -> String| {
            let name = format!("/{disguise:?}");
            for word in TELLING {
                self.say(&name, "en", &change(word));
            }
            let concept = self.concept(&name);
            self.disguises.insert(concept, disguise);
        };
        add(Disguise::Reversed, &|it| it.chars().rev().collect());
        let mirrored = |it: char| char::from(b'a' + b'z' - it as u8);
        add(Disguise::Mirrored, &|it| it.chars().map(mirrored).collect());
        for by in 1..26_u8 {
            let shifted = |it: char| char::from(b'a' + (it as u8 - b'a' + by) % 26);
            add(Disguise::Shifted(by), &|it| {
                it.chars().map(shifted).collect()
            });
        }
    }

    pub(super) fn build(self) -> Words {
        let phrases = self.phrases.into_iter();
        let phrases: Vec<_> = phrases.map(|((phrase, _), it)| (phrase, it)).collect();
        let mut known = vec![0_u64; 1 << (KNOWN - 6)];
        let mut beginnings = vec![Beginning::default(); 1 << BITS];
        for (at, (phrase, _)) in (0_u32..).zip(&phrases) {
            let key = beginning(phrase.as_bytes());
            let bit = spread(key, KNOWN);
            known[bit >> 6] |= 1 << (bit & 63);
            let mut slot = spread(key, BITS);
            // There are many times as many slots as beginnings.
            while beginnings[slot].end > 0 && beginnings[slot].key != key {
                slot = (slot + 1) % beginnings.len();
            }
            let it = &mut beginnings[slot];
            if it.end == 0 {
                (it.key, it.start) = (key, at);
            }
            it.end = at + 1;
        }
        Words {
            phrases,
            beginnings,
            known,
            disguises: self.disguises,
        }
    }
}

/// Phrases that begin with the same bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Beginning {
    key: u32,
    start: u32,
    /// Nothing begins like this if it is 0.
    end: u32,
}

/// Of the table of beginnings, two to the power of it.
const BITS: u32 = 14;

/// Of the table of bits.
const KNOWN: u32 = 16;

/// How many bytes a beginning has; shorter phrases have noughts in the place of the others.
const BEGIN: usize = 4;

fn beginning(phrase: &[u8]) -> u32 {
    let byte = |at: usize| phrase.get(at).copied().unwrap_or(0);
    u32::from_be_bytes([byte(0), byte(1), byte(2), byte(3)])
}

fn spread(key: u32, bits: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> (32 - bits)) as usize
}

impl Words {
    /// The disguise that this concept gives away.
    pub(crate) fn disguise(&self, concept: Concept) -> Option<Disguise> {
        self.disguises.get(&concept).copied()
    }

    /// Every concept in a folded text, in the order in which they begin.
    pub(crate) fn hits(&self, text: &str) -> Vec<Hit> {
        let bytes = text.as_bytes();
        let (mut hits, mut is_in_word) = (Vec::new(), false);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (has_words, length) = if byte.is_ascii() {
                (byte.is_ascii_alphanumeric(), 1)
            } else {
                let it = text.get(at..).and_then(|it| it.chars().next());
                it.map_or((false, 1), |it| (has_words(it), it.len_utf8()))
            };
            if !(is_in_word && has_words) {
                self.at(text, at, &mut hits);
            }
            is_in_word = has_words;
            at += length;
        }
        hits
    }

    /// What begins here.
    fn at(&self, text: &str, at: usize, hits: &mut Vec<Hit>) {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let key = beginning(rest);
        self.look_up(text, at, key, hits);
        // Of three bytes, and of two.
        for short in [key & 0xFFFF_FF00, key & 0xFFFF_0000] {
            if short != key {
                self.look_up(text, at, short, hits);
            }
        }
    }

    fn look_up(&self, text: &str, at: usize, key: u32, hits: &mut Vec<Hit>) {
        let bit = spread(key, KNOWN);
        if self
            .known
            .get(bit >> 6)
            .is_none_or(|it| it >> (bit & 63) & 1 == 0)
        {
            return;
        }
        let mut slot = spread(key, BITS);
        let found = loop {
            match self.beginnings.get(slot) {
                Some(it) if it.end > 0 && it.key == key => break it,
                Some(it) if it.end > 0 => slot = (slot + 1) % self.beginnings.len(),
                _ => return,
            }
        };
        let rest = text.get(at..).unwrap_or_default();
        let range = found.start as usize..found.end as usize;
        for (phrase, meaning) in self.phrases.get(range).unwrap_or_default() {
            // They are sorted: what comes after the text comes after it for good.
            let (next, wanted) = (rest.as_bytes().get(BEGIN), phrase.as_bytes().get(BEGIN));
            match wanted.cmp(&next) {
                Ordering::Greater => break,
                Ordering::Less if wanted.is_some() => continue,
                _ if !rest.starts_with(phrase.as_str()) => continue,
                _ => {}
            }
            let end = at + phrase.len();
            if !meaning.is_stem && !ends(text, end) {
                continue;
            }
            hits.extend(meaning.concepts.iter().map(|concept| Hit {
                concept: *concept,
                start: u32::try_from(at).unwrap_or(u32::MAX),
                end: u32::try_from(end).unwrap_or(u32::MAX),
                languages: meaning.languages,
            }));
        }
    }
}

/// Whether two phrases are of one language, or one of them is English.
pub(crate) fn go_together(one: u64, other: u64) -> bool {
    (one | other) & ENGLISH != 0 || one & other != 0
}

/// Whether a word ends here and does not go on, in scripts that have spaces.
fn ends(text: &str, end: usize) -> bool {
    let (before, rest) = text.split_at_checked(end).unwrap_or_default();
    let before = before.chars().next_back();
    !(before.is_some_and(has_words) && rest.chars().next().is_some_and(has_words))
}

/// Letters of scripts that put spaces between words, and nothing before a word that belongs to it.
fn has_words(it: char) -> bool {
    it.is_ascii_alphanumeric()
        || matches!(u32::from(it), 0xC0..=0x24F | 0x370..=0x52F | 0x1E00..=0x1FFF)
}
