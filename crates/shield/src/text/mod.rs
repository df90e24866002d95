//! Judges text: what it asks of whoever reads it.
//!
//! What is said is [folded](fold), so that disguises fall; [words] in it are found in one pass,
//! and [judged](mod@judge) by the [rules], which are data.

mod decode;
pub(crate) mod fold;
pub(crate) mod judge;
mod layers;
pub(crate) mod model;
mod note;
pub(crate) mod rules;
mod stretches;
mod strings;
pub(crate) mod words;

use self::fold::Folded;
use self::judge::{Manner, judge};
use self::layers::{At, What};
use crate::budget::Step;
use crate::walk::{Setting, Walk};

pub(crate) use self::decode::{Passing, is_text};

/// What was said of the worst passage so far.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    /// By the surest rule, from 0 to 1.
    pub(crate) rules: f32,
    /// By the model, from 0 to 1.
    pub(crate) model: f32,
}

/// Judges a text that stands in this setting, and begins with this line of something longer.
pub(crate) fn look(walk: &mut Walk<'_>, text: &str, setting: Setting, line: u64) -> Step {
    let manner = Manner {
        setting,
        is_hidden: false,
        line,
    };
    if setting == Setting::Name {
        // What stands between the words of a name.
        let spaced = text.replace(['-', '.', '+', '%'], " ");
        look_within(walk, &spaced, manner, 0)?;
    }
    look_within(walk, text, manner, 0)
}

/// How many layers are taken off.
const DEPTH: u8 = 4;

fn look_within(walk: &mut Walk<'_>, text: &str, manner: Manner, depth: u8) -> Step {
    let words = &walk.rules.text.words;
    let folded = Folded::of(text);
    let hits = words.hits(&folded.text);
    let is_hidden = manner.is_hidden || folded.is_disguised();
    judge(
        walk,
        text,
        &folded,
        &hits,
        Manner {
            is_hidden,
            ..manner
        },
    );
    if depth >= DEPTH {
        return Ok(());
    }
    layers::search(words, &hits, text, &folded, &mut |found| {
        let line = match found.at {
            At::Text(at) => folded.line_before(at),
            At::Folded(at) => folded.line(at),
        };
        let inner = Manner {
            is_hidden: manner.is_hidden || found.is_hidden,
            line: manner.line - 1 + line,
            ..manner
        };
        if let Some(rule) = found.rule {
            let shown = match &found.what {
                What::Text(text) => Some(text.as_str()),
                What::File(_) => None,
            };
            walk.found_at(rule, rule.level, Some(inner.line), shown);
        }
        match found.what {
            What::Text(text) => {
                walk.budget.expand(text.len() as u64)?;
                let deeper = depth + if found.is_hidden { 1 } else { 2 };
                walk.inside(found.name, |walk| look_within(walk, &text, inner, deeper))
            }
            What::File(bytes) => walk.look_into(found.name, &mut bytes.as_slice()),
        }
    })
}
