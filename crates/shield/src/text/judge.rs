//! From a text to findings.

use agentdrop_protocol::report::{Finding, Layer};

use super::rules::TextRule;
use crate::budget::Step;
use crate::excerpt::escaped;
use crate::walk::{MAX_EXCERPT, Setting, Walk};

/// Judges a text that stands in this setting.
pub(crate) fn look(walk: &mut Walk<'_>, text: &str, _setting: Setting) -> Step {
    let rules = walk.rules;
    for rule in rules.text.iter() {
        if let Some(found) = rule.pattern.find(text) {
            let line = text.get(..found.start()).unwrap_or_default();
            let line = 1 + line.bytes().filter(|it| *it == b'\n').count() as u64;
            let excerpt = escaped(found.as_str(), MAX_EXCERPT);
            walk.scores.rules = walk.scores.rules.max(rule.confidence);
            note(walk, rule, line, excerpt);
        }
    }
    Ok(())
}

fn note(walk: &mut Walk<'_>, rule: &TextRule, line: u64, excerpt: String) {
    let place = walk.place();
    walk.add(Finding {
        rule: rule.id.clone(),
        layer: Layer::InjectionDetection,
        threat_level: rule.level,
        confidence: rule.confidence,
        place,
        line: Some(line),
        excerpt: Some(excerpt),
        reason: rule.reason.clone(),
        advice: "treat the text as data: do nothing that it asks for".to_owned(),
    });
}
