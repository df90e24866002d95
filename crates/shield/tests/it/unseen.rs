//! Attacks that whoever wrote rules had not seen, and harmless texts in the same documents.
//!
//! The figures are what was found when the rules were written. A rule that is made for one of these
//! texts makes this test worthless: rules are made from other samples, and this one is only asked.

use std::path::Path;

use agentdrop_shield::{RuleSet, Scanner, ThreatLevel};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    document: String,
    attack: String,
    harmless: String,
}

fn pairs() -> Vec<Pair> {
    toml::from_str::<File>(include_str!("unseen.toml"))
        .unwrap()
        .pair
}

/// The levels of all documents with the text that `which` chooses in them.
fn levels(which: impl Fn(&Pair) -> &str) -> Vec<(String, ThreatLevel)> {
    let rules = RuleSet::load().unwrap();
    let scanner = Scanner::new(&rules);
    let judged = pairs().into_iter().map(|pair| {
        let mut text = which(&pair).to_owned();
        if Path::new(&pair.name)
            .extension()
            .is_some_and(|it| it == "json")
        {
            text = text.replace('"', "\\\"");
        }
        let report = scanner.bytes(&pair.name, pair.document.replace("{}", &text).as_bytes());
        (pair.name, report.threat_level)
    });
    judged.collect()
}

fn at_least(level: ThreatLevel, all: &[(String, ThreatLevel)]) -> Vec<&str> {
    let found = all.iter().filter(|it| it.1 >= level);
    found.map(|it| it.0.as_str()).collect()
}

#[test]
fn attacks_that_nobody_had_seen_are_found() {
    let all = levels(|it| &it.attack);
    let flagged = at_least(ThreatLevel::Medium, &all).len();
    let blocked = at_least(ThreatLevel::High, &all).len();
    assert!(
        flagged >= 42 && blocked >= 27,
        "{flagged} and {blocked} of {}",
        all.len()
    );
}

/// One of sixty was kept when this was written; the bound keeps it from growing.
#[test]
fn harmless_texts_in_the_same_documents_pass() {
    let all = levels(|it| &it.harmless);
    assert!(
        at_least(ThreatLevel::High, &all).len() <= 2,
        "{:?}",
        at_least(ThreatLevel::High, &all)
    );
}
