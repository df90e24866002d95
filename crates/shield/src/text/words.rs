//! The words that rules are made of: what may be said in many ways and many languages is one concept.

use std::array;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};
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

/// All phrases, in a tree of their bytes.
///
/// Phrases begin where words begin, so that only there the tree is gone down: of most texts, that is one
/// place of three, and of nearly all of them nothing is left after two bytes.
pub(crate) struct Words {
    beginnings: Beginnings,
    tree: NFA,
    root: StateID,
    /// What belongs to each, and how long it is.
    phrases: Vec<(u32, Meaning)>,
    disguises: HashMap<Concept, Disguise>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} phrases)", self.phrases.len())
    }
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

    pub(super) fn build(self) -> Result<Words, BuildError> {
        let tree = NFA::builder()
            .prefilter(false)
            .build(self.phrases.keys().map(|it| &it.0))?;
        let beginnings = Beginnings::of(self.phrases.keys().map(|it| it.0.as_bytes()));
        let length = |it: &str| u32::try_from(it.len()).unwrap_or(u32::MAX);
        let phrases = self.phrases.into_iter();
        Ok(Words {
            beginnings,
            root: tree.start_state(Anchored::Yes).unwrap_or_default(),
            tree,
            phrases: phrases.map(|((it, _), its)| (length(&it), its)).collect(),
            disguises: self.disguises,
        })
    }
}

/// What says of nearly every place that nothing begins there, and is nearer than the tree.
struct Beginnings {
    /// For each byte, whether a phrase begins with it, and whether it belongs to words.
    sorts: [u8; 256],
    /// A bit for each pair of bytes that a phrase begins with.
    pairs: Box<[u64; BITS]>,
    /// The same, of phrases that have no more than two.
    twos: Box<[u64; BITS]>,
    /// A bit for each three bytes that are a phrase, and for each four that a longer one begins with,
    /// which they may share.
    more: Box<[u64; BITS]>,
}

/// A phrase begins with this byte.
const FIRST: u8 = 1;

/// This byte is of a word.
const WORD: u8 = 2;

/// This byte is of a character that has several.
const OTHER: u8 = 4;

impl Beginnings {
    fn of<'a, I: IntoIterator<Item = &'a [u8]>>(phrases: I) -> Self {
        let bits = || Box::new([0_u64; BITS]);
        let (pairs, twos, more) = (bits(), bits(), bits());
        let mut it = Self {
            sorts: array::from_fn(|it| match u8::try_from(it) {
                Ok(it) if it.is_ascii_alphanumeric() => WORD,
                Ok(it) if it.is_ascii() => 0,
                _ => OTHER,
            }),
            pairs,
            twos,
            more,
        };
        let set = |bits: &mut [u64; BITS], at: usize| bits[at >> 6] |= 1 << (at & 63);
        for phrase in phrases {
            let Some((first, rest)) = phrase.split_first() else {
                continue;
            };
            it.sorts[usize::from(*first)] |= FIRST;
            // A single one goes on with any other.
            let seconds = rest.first().map_or(0..=255, |it| *it..=*it);
            for second in seconds {
                let pair = pair([*first, second]);
                set(&mut it.pairs, pair);
                match *phrase {
                    [a, b, c, d, ..] => set(&mut it.more, spread([a, b, c, d])),
                    [a, b, c] => set(&mut it.more, spread([a, b, c, 0])),
                    _ => set(&mut it.twos, pair),
                }
            }
        }
        it
    }

    /// Whether something may begin here.
    fn may(&self, bytes: &[u8], at: usize) -> bool {
        let has = |bits: &[u64; BITS], at: usize| bits[at >> 6] >> (at & 63) & 1 != 0;
        let Some([a, b, c, d]) = bytes.get(at..at + 4) else {
            return true;
        };
        let pair = pair([*a, *b]);
        let has_more = || {
            has(&self.more, spread([*a, *b, *c, *d])) || has(&self.more, spread([*a, *b, *c, 0]))
        };
        has(&self.pairs, pair) && (has_more() || has(&self.twos, pair))
    }
}

/// Words of a bit for each sixteen bits.
const BITS: usize = 1 << (16 - 6);

fn pair(it: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(it))
}

/// Sixteen bits of four bytes.
fn spread(it: [u8; 4]) -> usize {
    (u32::from_be_bytes(it).wrapping_mul(0x9E37_79B1) >> 16) as usize
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
        let sort = |at: usize| {
            bytes
                .get(at)
                .map(|it| self.beginnings.sorts[usize::from(*it)])
        };
        let mut at = 0;
        while let Some(here) = sort(at) {
            let (has_words, length) = if here & OTHER == 0 {
                (here & WORD != 0, 1)
            } else {
                let it = text.get(at..).and_then(|it| it.chars().next());
                it.map_or((false, 1), |it| (has_words(it), it.len_utf8()))
            };
            let begins = here & FIRST != 0 && !(is_in_word && has_words);
            if begins && self.beginnings.may(bytes, at) {
                self.at(text, at, &mut hits);
            }
            is_in_word = has_words;
            at += length;
            // Nothing begins inside a word.
            while is_in_word && sort(at).is_some_and(|it| it & WORD != 0) {
                at += 1;
            }
        }
        hits
    }

    /// What begins here.
    #[inline(never)]
    fn at(&self, text: &str, at: usize, hits: &mut Vec<Hit>) {
        let mut state = self.root;
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        for (end, byte) in (at + 1..).zip(rest) {
            state = self.tree.next_state(Anchored::Yes, state, *byte);
            if !self.tree.is_special(state) {
                continue;
            }
            if self.tree.is_dead(state) {
                return;
            }
            if self.tree.is_match(state) {
                self.note(text, at, end, state, hits);
            }
        }
    }

    fn note(&self, text: &str, at: usize, end: usize, state: StateID, hits: &mut Vec<Hit>) {
        for number in 0..self.tree.match_len(state) {
            let phrase = self.tree.match_pattern(state, number).as_usize();
            let Some((length, meaning)) = self.phrases.get(phrase) else {
                continue;
            };
            // Others end here that begin later.
            let is_whole = *length as usize == end - at;
            if !is_whole || !(meaning.is_stem || ends(text, end)) {
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
