//! What the model is made from, for those who make it.

use crate::rules::RuleSet;
use crate::text::{fold::Folded, judge, model};

/// How many weights there are.
pub const BUCKETS: usize = model::BUCKETS;

/// A part of a text that is judged by itself.
#[derive(Debug)]
pub struct Window {
    /// Which weights it has, one as often as it has it.
    pub features: Vec<u32>,
    /// What the rules say.
    pub rules: f32,
    /// What is left of it where attacks are written about.
    pub calm: f32,
}

/// The parts of a text that are judged.
pub fn windows(rules: &RuleSet, text: &str) -> Vec<Window> {
    let folded = Folded::of(text);
    let hits = rules.text.words.hits(&folded.text);
    let passages = judge::candidates(&rules.text, &folded, &hits);
    let window = |it: &judge::Passage| {
        let mut features = Vec::new();
        model::features(judge::around(&folded.text, it), |it| features.push(it));
        Window {
            features,
            rules: it.score,
            calm: it.calm,
        }
    };
    passages.iter().map(window).collect()
}

/// The weights as the file that is loaded.
pub fn pack(weights: &[f32]) -> Vec<u8> {
    model::pack(weights)
}

/// The level for what the rules and a model say.
pub fn level(window: &Window, logit: f32) -> crate::ThreatLevel {
    judge::level(model::weigh(window.rules, window.calm, logit))
}
