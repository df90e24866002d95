//! Tables whose cells are commands for the program that shows them.

use std::iter::successors;
use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};
use regex::bytes::Regex;

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::many::next;
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
    let mut rules: Vec<(&Regex, &'static Rule)> = vec![(&COMMAND, &RUNS), (&FETCH, &FETCHES)];
    if extension != "txt" {
        rules.push((&FORMULA, &FORMULAS));
    }
    for start in cells(window.bytes) {
        let cell = cell(window.bytes, start);
        // Patterns cost more than this, and lists in prose begin like formulas.
        if rules.is_empty() || !cell.iter().any(|it| matches!(it, b'(' | b'|')) {
            continue;
        }
        walk.budget.work(cell.len() as u64)?;
        rules.retain(|(pattern, rule)| {
            let Some(found) = pattern.find(cell) else {
                return true;
            };
            let shown = String::from_utf8_lossy(found.as_bytes());
            walk.found_at(rule, rule.level, line(start, window), Some(&shown));
            false
        });
    }
    Ok(())
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
fn begins(it: u8) -> bool {
    (it == b'=') | (it == b'+') | (it == b'-') | (it == b'@') | (it == b'%')
}

/// Where cells begin that may be formulas: behind a separator, and what a reader may drop.
fn cells(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let starts = successors(next(bytes, 0, begins), |it| next(bytes, it + 1, begins));
    starts.filter(|at| {
        let dropped = |it: &&u8| matches!(it, b' ' | b'\t' | b'"' | b'\'');
        let before = bytes.get(..*at).unwrap_or_default();
        let skipped = before.iter().rev().take(19).take_while(dropped).count();
        let separator = before.iter().rev().nth(skipped);
        // A tab is dropped, and a separator as well.
        let has_tab = before.iter().rev().take(skipped).any(|it| *it == b'\t');
        has_tab || separator.is_none_or(|it| matches!(it, b'\n' | b'\r' | b',' | b';'))
    })
}

/// What the patterns look at: to the end of the line, or as far as the longest reaches.
fn cell(bytes: &[u8], start: usize) -> &[u8] {
    let rest = bytes.get(start..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(1024)).unwrap_or_default();
    let end = memchr::memchr2(b'\n', b'\r', rest);
    end.and_then(|it| rest.get(..it)).unwrap_or(rest)
}

fn line(at: usize, window: &Window<'_>) -> Option<u64> {
    let before = window.bytes.get(..at)?;
    let lines = memchr::memchr_iter(b'\n', before).count() as u64;
    (window.offset == 0).then_some(1 + lines)
}

/// `=cmd|' /C calc'!A0`, in whatever spelling.
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    let dde = r"[=+\-@%][^\n\r|]{0,200}?\b(cmd|powershell|mshta|rundll32|regsvr32|certutil|wscript|cscript|msexcel|excel|winword|msaccess|explorer|bitsadmin|calc|notepad)(\.exe)?[ ]{0,4}\|[^\n\r]{0,200}![ ]{0,2}['A-Z_]";
    let call = r#"[=+\-@][^\n\r,;]{0,40}\b(DDE|DDEAUTO|EXEC|CALL|REGISTER|REGISTER\.ID|RUN)[ ]{0,2}\([ ]{0,2}["']"#;
    pattern(&format!("(?i)^(?:{dde}|{call})"))
});

/// Formulas that send what is in other cells to a place on the net.
static FETCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[=+\-@][^\n\r]{0,120}\b(WEBSERVICE|IMPORTXML|IMPORTDATA|IMPORTHTML|IMPORTFEED|IMPORTRANGE|HYPERLINK|IMAGE)[ ]{0,2}\([^\n\r]{0,200}(https?:|ftp:|\\\\|//)[^\n\r]{0,200}(&|CONCAT|\$?[A-Z]{1,2}\$?[0-9])",
    )
});

static FORMULA: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^[=+@][ ]{0,2}[A-Z][A-Z.]{1,20}[ ]{0,2}\([^\n\r]{0,80}"));

fn pattern(text: &str) -> Regex {
    // What is not ASCII is any bytes: cells may be of any encoding.
    let bytes = regex::bytes::RegexBuilder::new(text).unicode(false).build();
    bytes.expect("a pattern that a test uses")
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
