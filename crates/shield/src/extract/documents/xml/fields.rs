//! Fields of word processors, some of which fetch and some of which run something.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use crate::budget::Step;
use crate::rule::Rule;
use crate::walk::{Setting, Walk};

/// A field that starts a program.
const RUNS: Rule = Rule {
    id: "documents/field-runs",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "a field of the document starts a program when it is updated",
    advice: "do not let it update its fields",
};

/// A field that fetches.
const FETCHES: Rule = Rule {
    id: "documents/field-fetches",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "a field of the document fetches something from elsewhere when it is updated",
    advice: "do not let it update its fields",
};

/// Judges what a field says that it does.
pub(in crate::extract::documents) fn judge(walk: &mut Walk<'_>, code: &str) -> Step {
    let code = code.trim();
    let upper = code.to_ascii_uppercase();
    let is_word = |it: &str| upper.split([' ', '"', '{', '}']).any(|word| word == it);
    let first = upper.split_whitespace().next().unwrap_or_default();
    let is_away = ["HTTP:", "HTTPS:", "\\\\\\\\", "\\\\", "FTP:"]
        .iter()
        .any(|it| upper.contains(it));
    if first == "DDE" || first == "DDEAUTO" || is_word("DDEAUTO") {
        walk.found(&RUNS, Some(code));
    } else if is_away
        && matches!(
            first,
            "INCLUDETEXT" | "INCLUDE" | "IMPORT" | "RD" | "DATABASE"
        )
    {
        walk.found(&FETCHES, Some(code));
    }
    if code.len() < 12 {
        return Ok(());
    }
    walk.text_in("field", code, Setting::Hidden)
}
