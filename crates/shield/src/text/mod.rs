//! Judges text: what it asks of whoever reads it.
//!
//! What is said is [folded](fold), so that disguises fall; [words](words) in it are found in one pass,
//! and [judged](judge) by the [rules], which are data.

mod decode;
mod fold;
mod judge;
pub(crate) mod rules;
mod words;

use self::fold::Folded;
use self::judge::{Manner, judge};
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

/// Judges a text that stands in this setting.
pub(crate) fn look(walk: &mut Walk<'_>, text: &str, setting: Setting) -> Step {
    look_from(walk, text, setting, 1)
}

/// The same, where the text begins with this line of something longer.
pub(crate) fn look_from(walk: &mut Walk<'_>, text: &str, setting: Setting, line: u64) -> Step {
    let folded = Folded::of(text);
    let manner = Manner {
        setting,
        is_hidden: false,
        line,
    };
    judge(walk, text, &folded, manner);
    Ok(())
}
