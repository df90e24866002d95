//! Phrases, while they are collected from the files of rules.

use std::array;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{Concept, Disguise, ENGLISH, FIRST, Meaning, OTHER, WORD, Words};
use crate::phrase_table::{Bits, PhraseTable};
use crate::text::fold::Folded;

/// A file of phrases: for each language, its ways to say it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::text) struct Phrases(BTreeMap<String, Vec<String>>);

/// What was collected of one phrase.
#[derive(Debug, Default)]
struct Said {
    concepts: Vec<Concept>,
    languages: u64,
    is_stem: bool,
}

/// Phrases, while they are collected.
#[derive(Debug, Default)]
pub(in crate::text) struct Collecting {
    names: HashMap<String, Concept>,
    languages: Vec<String>,
    phrases: BTreeMap<(String, bool), Said>,
    disguises: HashMap<Concept, Disguise>,
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

impl Collecting {
    /// The concept with this name, which need not have phrases yet.
    pub(in crate::text) fn concept(&mut self, name: &str) -> Concept {
        let next = Concept::try_from(self.names.len()).unwrap_or(Concept::MAX);
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    /// Whether a concept has this name.
    pub(in crate::text) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// All concepts so far.
    pub(in crate::text) const fn names(&self) -> &HashMap<String, Concept> {
        &self.names
    }

    /// Ways to say a concept.
    pub(in crate::text) fn add(&mut self, name: &str, phrases: &Phrases) {
        for (language, phrases) in &phrases.0 {
            for phrase in phrases {
                self.say(name, language, phrase);
            }
        }
    }

    /// One way to say a concept.
    pub(in crate::text) fn say(&mut self, name: &str, language: &str, phrase: &str) {
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
        let said = self.phrases.entry(key).or_default();
        said.languages |= languages;
        said.is_stem = stem.is_some();
        if !said.concepts.contains(&concept) {
            said.concepts.push(concept);
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
    pub(in crate::text) fn add_disguises(&mut self) {
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

    pub(in crate::text) fn build(self) -> Words {
        let phrases = || self.phrases.keys().map(|it| it.0.as_bytes());
        let mut disguises = vec![None; self.names.len()];
        for (concept, disguise) in self.disguises {
            disguises[usize::from(concept)] = Some(disguise);
        }
        let mut concepts: Vec<Concept> = Vec::new();
        let meanings = self.phrases.values().map(|said| {
            let from = u32::try_from(concepts.len()).unwrap_or(u32::MAX);
            concepts.extend(&said.concepts);
            Meaning {
                languages: said.languages,
                concepts: from,
                count: u16::try_from(said.concepts.len()).unwrap_or(u16::MAX),
                is_stem: said.is_stem,
            }
        });
        Words {
            sorts: sorts(phrases()),
            signs: signs_of(phrases()),
            table: PhraseTable::new(phrases()),
            meanings: meanings.collect(),
            concepts,
            disguises,
        }
    }
}

/// What each byte is: whether it belongs to words, and whether a phrase begins with it.
fn sorts<'a, I: Iterator<Item = &'a [u8]>>(phrases: I) -> [u8; 256] {
    let mut sorts = array::from_fn(|it| match u8::try_from(it) {
        Ok(it) if it.is_ascii_alphanumeric() => WORD,
        Ok(it) if it.is_ascii() => 0,
        _ => OTHER,
    });
    for first in phrases.filter_map(<[u8]>::first) {
        sorts[usize::from(*first)] |= FIRST;
    }
    sorts
}

/// The first two bytes of each phrase; only those of signs are asked for.
fn signs_of<'a, I: Iterator<Item = &'a [u8]>>(phrases: I) -> Bits {
    let mut signs = Bits::none();
    for phrase in phrases {
        match phrase {
            [sign] => (0..=0xFF).for_each(|next| signs.set(u64::from(*sign) << 8 | next)),
            [sign, next, ..] => signs.set(u64::from(*sign) << 8 | u64::from(*next)),
            [] => {}
        }
    }
    signs
}
