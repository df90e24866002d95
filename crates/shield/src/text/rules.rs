//! The rules about text, which are data: words, and ideas that are made of words.

use std::collections::BTreeMap;

use agentdrop_protocol::report::ThreatLevel;
use serde::Deserialize;

use super::model::Model;
use super::model::features::hash;
use super::words::{Collecting, Concept, Phrases, Words};
use crate::error::ScanError;

/// Something that a text may want from its reader.
#[derive(Debug)]
pub(crate) struct Idea {
    pub(crate) id: String,
    /// Which of several ideas that are much alike; what one family says counts once.
    pub(crate) family: usize,
    /// How sure it is that this does not belong into a text; 1 is enough to keep a file back.
    pub(crate) weight: f32,
    /// What must be said near to each other, the rarest first; each in any of these ways.
    pub(crate) needs: Vec<Vec<Concept>>,
    /// How many bytes may lie between.
    pub(crate) within: u32,
    /// It counts only where a line begins.
    pub(crate) at_line: bool,
    pub(crate) reason: String,
}

/// All rules about text.
#[derive(Debug)]
pub(crate) struct TextRules {
    pub(crate) words: Words,
    pub(crate) model: Model,
    pub(crate) ideas: Vec<Idea>,
    /// For each concept, the ideas that need it first.
    pub(crate) by_first: Vec<Vec<u16>>,
    /// What those say who write about attacks.
    pub(crate) about: Concept,
    pub(crate) families: usize,
    /// What each concept is called, as a number that stays when others are added; 0 if it has no name.
    pub(crate) marks: Vec<u32>,
    /// How much each concept says that the model should read on.
    pub(crate) telling: Vec<u8>,
}

/// A file of ideas.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    idea: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    weight: f32,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    say: Vec<String>,
    #[serde(default = "near")]
    within: u32,
    #[serde(default)]
    at_line: bool,
    reason: String,
    #[cfg(test)]
    hit: Vec<String>,
    #[cfg(test)]
    #[serde(default)]
    miss: Vec<String>,
    #[cfg(not(test))]
    #[serde(rename = "hit")]
    _hit: serde::de::IgnoredAny,
    #[cfg(not(test))]
    #[serde(default, rename = "miss")]
    _miss: Option<serde::de::IgnoredAny>,
}

const fn near() -> u32 {
    50
}

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../rules/", $folder, "/", $name, ".toml")))),+]
    };
}

/// Concepts, each with its words.
const WORDS: &[(&str, &str)] = files!("words":
    "about", "answer", "approved", "become", "breaks", "command", "conceal", "decode_it", "drop", "dual",
    "earlier", "exactly", "execute", "fiction", "harm", "machine", "machine_addressed",
    "new_orders", "obey_it", "omit", "orders", "outward", "person", "pressure", "reader", "refuse",
    "remember", "reveal", "rules", "secret", "send", "standing", "substitute", "system_prompt",
    "turns", "unasked", "unbound", "url", "verdict",
);

/// Families of ideas.
const IDEAS: &[(&str, &str)] = files!("text":
    "address", "approval", "concealment", "disclosure", "encoding", "exfiltration", "fiction",
    "output", "override", "persona", "pressure", "refusal", "tools", "turns", "vouching",
);

impl TextRules {
    pub(crate) fn load() -> Result<Self, ScanError> {
        let mut words = Collecting::default();
        for (name, text) in WORDS {
            let phrases: Phrases = read(name, text)?;
            words.add(name, &phrases);
        }
        let mut ideas = Vec::new();
        for (family, (name, text)) in IDEAS.iter().enumerate() {
            let file: File = read(name, text)?;
            for written in file.idea {
                ideas.push(idea(&mut words, family, written).map_err(|why| wrong(name, why))?);
            }
        }
        let about = words.concept("about");
        let marks = marks(&words);
        let telling: BTreeMap<String, u8> =
            read("telling", include_str!("../../rules/model/telling.toml"))?;
        let telling = points(&words, &telling).map_err(|why| wrong("telling", why))?;
        words.add_disguises();
        let words = words.build();
        let mut by_first: Vec<Vec<u16>> = Vec::new();
        for (at, idea) in (0_u16..).zip(&ideas) {
            for concept in idea.needs.first().into_iter().flatten() {
                let concept = usize::from(*concept);
                if by_first.len() <= concept {
                    by_first.resize(concept + 1, Vec::new());
                }
                by_first[concept].push(at);
            }
        }
        let classes = read("classes", include_str!("../../rules/model/classes.toml"))?;
        Ok(Self {
            words,
            marks,
            telling,
            model: Model::load(&classes, include_bytes!("../../rules/model/text.bin"))?,
            ideas,
            by_first,
            about,
            families: IDEAS.len(),
        })
    }
}

/// The names of all concepts, by their numbers.
fn marks(words: &Collecting) -> Vec<u32> {
    let mut marks = vec![0; words.names().len()];
    for (name, concept) in words.names() {
        marks[usize::from(*concept)] = hash(name.bytes());
    }
    marks
}

/// How many points a way to say an idea has, which is no concept of a file.
const SAID: u8 = 2;

/// The points of all concepts, by their numbers.
fn points(words: &Collecting, telling: &BTreeMap<String, u8>) -> Result<Vec<u8>, String> {
    if let Some(name) = telling.keys().find(|it| !words.has(it)) {
        return Err(format!("there are no words for {name}"));
    }
    let mut points = vec![0; words.names().len()];
    for (name, concept) in words.names() {
        points[usize::from(*concept)] = match telling.get(name) {
            Some(points) => *points,
            None if name.starts_with('/') => SAID,
            None => return Err(format!("it has no points for {name}")),
        };
    }
    Ok(points)
}

fn idea(words: &mut Collecting, family: usize, written: Written) -> Result<Idea, String> {
    let mut needs = Vec::new();
    if !written.say.is_empty() {
        // Its own words, under a name that no file has.
        let name = format!("/{}", written.id);
        for phrase in &written.say {
            words.say(&name, "en", phrase);
        }
        needs.push(vec![words.concept(&name)]);
    }
    for either in &written.all {
        let names = either.split('|');
        if let Some(name) = names.clone().find(|it| !words.has(it)) {
            return Err(format!("{}: there are no words for {name}", written.id));
        }
        needs.push(names.map(|it| words.concept(it)).collect());
    }
    if needs.is_empty() {
        return Err(format!("{}: needs nothing", written.id));
    }
    Ok(Idea {
        id: format!("injection/{}", written.id),
        family,
        weight: written.weight,
        needs,
        within: written.within,
        at_line: written.at_line,
        reason: written.reason,
    })
}

fn read<T: for<'a> Deserialize<'a>>(name: &str, text: &str) -> Result<T, ScanError> {
    toml::from_str(text).map_err(|it| wrong(name, it.to_string()))
}

fn wrong(name: &str, why: String) -> ScanError {
    ScanError::Rules {
        file: format!("{name}.toml"),
        why,
    }
}

/// What a level needs.
pub(crate) const LEVELS: [(f32, ThreatLevel); 4] = [
    (3.2, ThreatLevel::Critical),
    (1.0, ThreatLevel::High),
    (0.58, ThreatLevel::Medium),
    (0.42, ThreatLevel::Low),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold::Folded;
    use crate::text::judge::signals;

    #[test]
    fn every_idea_is_met_where_its_examples_say_and_not_where_they_do_not() {
        let rules = TextRules::load().unwrap();
        let met = |id: &str, text: &str| {
            let folded = Folded::of(text);
            let hits = rules.words.hits(&folded.text);
            let signals = signals(&rules, &folded, &hits);
            let id = format!("injection/{id}");
            let mut ideas = signals.iter().map(|it| &rules.ideas[usize::from(it.idea)]);
            ideas.any(|it| it.id == id)
        };
        let mut wrong = Vec::new();
        for (name, text) in IDEAS {
            for idea in read::<File>(name, text).unwrap().idea {
                assert!(!idea.hit.is_empty(), "{} has no example", idea.id);
                let hits = idea.hit.iter().filter(|it| !met(&idea.id, it));
                wrong.extend(hits.map(|it| format!("{} misses {it:?}", idea.id)));
                let misses = idea.miss.iter().filter(|it| met(&idea.id, it));
                wrong.extend(misses.map(|it| format!("{} is met in {it:?}", idea.id)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
