//! Formulas of spreadsheets, some of which fetch and some of which run something.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use crate::rule::Rule;
use crate::walk::Walk;

/// A formula that starts a program.
pub(super) const RUNS: Rule = Rule {
    id: "documents/formula-runs",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "a formula of the sheet starts a program",
    advice: "do not let it calculate; read its values only",
};

/// A formula that fetches, and sends what it fetches with.
const FETCHES: Rule = Rule {
    id: "documents/formula-fetches",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "a formula of the sheet fetches from an address that it puts together of cells, which sends them there",
    advice: "do not let it calculate; read its values only",
};

/// Judges one.
pub(super) fn judge(walk: &mut Walk<'_>, formula: &str) {
    if !formula.contains(['(', '|']) {
        return;
    }
    let lower: String = formula
        .chars()
        .filter(|it| !it.is_whitespace())
        .flat_map(char::to_lowercase)
        .take(1 << 13)
        .collect();
    let calls = |name: &str| {
        lower.match_indices(name).any(|(at, _)| {
            let before = lower.get(..at).and_then(|it| it.chars().next_back());
            !before.is_some_and(|it| it.is_alphanumeric() || it == '_')
        })
    };
    let programs = || PROGRAMS.iter();
    let is_dde = lower.contains('|')
        && programs()
            .any(|it| lower.contains(&format!("{it}|")) || lower.contains(&format!("{it}.exe|")))
        || lower.contains("dde(") && programs().any(|it| lower.contains(&format!("dde(\"{it}")));
    if is_dde || ["exec(", "register(", "call(\""].into_iter().any(calls) {
        walk.found(&RUNS, Some(formula));
    } else if [
        "webservice(",
        "importxml(",
        "importdata(",
        "importhtml(",
        "importfeed(",
    ]
    .into_iter()
    .any(calls)
        && (lower.contains('&') || lower.contains("concat"))
    {
        walk.found(&FETCHES, Some(formula));
    }
}

/// What starts others.
pub(super) const PROGRAMS: &[&str] = &[
    "cmd",
    "powershell",
    "pwsh",
    "mshta",
    "wscript",
    "cscript",
    "rundll32",
    "regsvr32",
    "msexcel",
    "winword",
    "explorer",
    "certutil",
    "bitsadmin",
    "bash",
    "sh",
];
