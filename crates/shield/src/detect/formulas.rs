//! Tables whose cells are commands for the program that shows them.

use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};
use regex::Regex;

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Walk, Window};

/// Looks at what passes of a table.
pub(crate) fn look(walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
    let extension = names::extension(window.name);
    let is_table = matches!(
        extension.as_str(),
        "csv" | "tsv" | "tab" | "txt" | "xls" | "slk"
    );
    if window.kind != Kind::Text || !is_table {
        return Ok(());
    }
    walk.budget.work(window.bytes.len() as u64)?;
    // The patterns are of ASCII, and one byte a character is enough for them.
    let text = String::from_utf8_lossy(window.bytes);
    if let Some(found) = COMMAND.find(&text) {
        walk.found_at(
            &RUNS,
            RUNS.level,
            line(&text, found.start(), window),
            Some(found.as_str()),
        );
    }
    if let Some(found) = FETCH.find(&text) {
        walk.found_at(
            &FETCHES,
            FETCHES.level,
            line(&text, found.start(), window),
            Some(found.as_str()),
        );
    }
    if extension != "txt"
        && let Some(found) = FORMULA.find(&text)
    {
        walk.found_at(
            &FORMULAS,
            FORMULAS.level,
            line(&text, found.start(), window),
            Some(found.as_str()),
        );
    }
    Ok(())
}

fn line(text: &str, at: usize, window: &Window<'_>) -> Option<u64> {
    let before = text.get(..at)?.bytes().filter(|it| *it == b'\n').count() as u64;
    // A cell may begin with the end of the line before it.
    let starts = text.get(at..)?.starts_with('\n');
    (window.offset == 0).then_some(1 + before + u64::from(starts))
}

/// The start of a cell, behind a separator and what a reader may drop.
const CELL: &str = r#"(?:^|[\n\r,;\t])[ ]{0,8}["']{0,3}[ \t]{0,8}"#;

/// `=cmd|' /C calc'!A0`, in whatever spelling.
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    let dde = r"[=+\-@%][^\n\r|]{0,200}?\b(cmd|powershell|mshta|rundll32|regsvr32|certutil|wscript|cscript|msexcel|excel|winword|msaccess|explorer|bitsadmin|calc|notepad)(\.exe)?[ ]{0,4}\|[^\n\r]{0,200}![ ]{0,2}['A-Z_]";
    let call = r#"[=+\-@][^\n\r,;]{0,40}\b(DDE|DDEAUTO|EXEC|CALL|REGISTER|REGISTER\.ID|RUN)[ ]{0,2}\([ ]{0,2}["']"#;
    pattern(&format!("(?i){CELL}(?:{dde}|{call})"))
});

/// Formulas that send what is in other cells to a place on the net.
static FETCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i){CELL}[=+\-@][^\n\r]{{0,120}}\b(WEBSERVICE|IMPORTXML|IMPORTDATA|IMPORTHTML|IMPORTFEED|IMPORTRANGE|HYPERLINK|IMAGE)[ ]{{0,2}}\([^\n\r]{{0,200}}(https?:|ftp:|\\\\|//)[^\n\r]{{0,200}}(&|CONCAT|\$?[A-Z]{{1,2}}\$?[0-9])"
    ))
});

static FORMULA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i){CELL}[=+@][ ]{{0,2}}[A-Z][A-Z.]{{1,20}}[ ]{{0,2}}\([^\n\r]{{0,80}}"
    ))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that a test uses")
}

const ADVICE: &str = "read it as text; do not open it in a program for tables";

static RUNS: Rule = Rule::code(
    "formula/runs",
    High,
    "a cell of the table starts a program in whatever shows it",
    ADVICE,
);
static FETCHES: Rule = Rule::code(
    "formula/fetches",
    Medium,
    "a cell of the table sends what is in the table to a place on the net",
    ADVICE,
);
static FORMULAS: Rule = Rule::code(
    "formula/plain",
    Low,
    "cells of the table are formulas, which a program for tables works out",
    ADVICE,
);
