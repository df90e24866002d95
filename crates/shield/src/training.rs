//! What the model is made from, for those who make it.

use std::io::Cursor;

use crate::budget::Budget;
use crate::limits::Limits;
use crate::rules::RuleSet;
use crate::text::judge::{self, Passage};
use crate::text::model::{self, features::features};
use crate::text::rules::TextRules;
use crate::text::words::Hit;
use crate::walk::{Setting, Walk};

/// How many weights there are.
pub const BUCKETS: usize = model::BUCKETS;

/// A part of a text that is judged by itself.
#[derive(Debug)]
pub struct Window {
    /// What the model reads of it: of each stretch which weights it has, one as often as it has it.
    pub reads: Vec<Vec<u32>>,
    /// What the rules say.
    pub rules: f32,
    /// What is left of it where attacks are written about.
    pub calm: f32,
    /// How much more it weighs where it stands.
    pub factor: f32,
    /// How its first stretch begins, for those who look for what is wrong.
    pub text: String,
}

impl Window {
    pub(crate) fn of(
        rules: &TextRules,
        text: &str,
        hits: &[Hit],
        passage: &Passage,
        factor: f32,
    ) -> Self {
        let reads = passage.reads.iter().map(|it| {
            let (mut all, (text, hits)) = (Vec::new(), judge::read(text, hits, *it));
            features(&rules.model.classes, &rules.marks, text, hits, |it| {
                all.push(it);
            });
            all
        });
        let first = passage.reads.last().copied().unwrap_or_default();
        Self {
            reads: reads.collect(),
            rules: passage.score,
            calm: passage.calm,
            factor,
            text: judge::read(text, hits, first).0.to_owned(),
        }
    }

    /// How many bytes the first stretch has.
    pub const fn length(&self) -> usize {
        self.text.len()
    }
}

/// The parts of a file that are judged, of all texts in it.
pub fn windows(rules: &RuleSet, name: &str, bytes: &[u8]) -> Vec<Window> {
    let length = bytes.len() as u64;
    let mut walk = Walk::new(rules, Budget::new(Limits::default(), length));
    walk.learned = Some(Vec::new());
    // A file that cannot be looked at to its end has what it had until then.
    walk.inside(name, |walk| {
        walk.text(name, Setting::Name)?;
        walk.look_at(name, Some(bytes), length, &mut Cursor::new(bytes))
    })
    .ok();
    walk.learned.unwrap_or_default()
}

/// By what the sum of so many weights is divided.
pub fn root(count: usize) -> f32 {
    model::root(count)
}

/// The weights as the file that is loaded.
pub fn pack(weights: &[f32]) -> Vec<u8> {
    model::pack(weights)
}

/// The level for what the rules and a model say.
pub fn level(window: &Window, logit: f32) -> crate::ThreatLevel {
    judge::level(model::weigh(
        window.rules,
        window.calm,
        logit,
        window.factor,
    ))
}
