//! What must hold of any document that is scanned: nothing brings the scanner down, and nothing that it
//! says steers a terminal.

use std::sync::LazyLock;

use agentdrop_shield::{Limits, RuleSet, Scanner};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load().unwrap());

/// A mail.
pub fn email(data: &[u8]) {
    scan("a.eml", b"From: a\nSubject: b\n", data);
}

/// A page.
pub fn html(data: &[u8]) {
    scan("a.html", b"<html>", data);
}

/// A compound file.
pub fn ole(data: &[u8]) {
    let magic = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    scan("a.doc", magic, data.strip_prefix(magic).unwrap_or(data));
}

/// A portable document.
pub fn pdf(data: &[u8]) {
    scan("a.pdf", b"%PDF-1.7\n", data);
}

/// Text with control words.
pub fn rtf(data: &[u8]) {
    scan("a.rtf", b"{\\rtf1 ", data);
}

/// Text in elements, of whatever they are.
pub fn xml(data: &[u8]) {
    scan("a.xml", b"<?xml version='1.0'?>", data);
}

/// Scans what begins like this, whatever it goes on with.
fn scan(name: &str, head: &[u8], data: &[u8]) {
    let bytes = [head, data].concat();
    let limits = Limits {
        expanded: 16 << 20,
        ..Limits::default()
    };
    let report = Scanner::new(&RULES).limits(limits).bytes(name, &bytes);
    assert!(report.findings.len() <= limits.findings);
    for finding in &report.findings {
        let said = [Some(&finding.place), finding.excerpt.as_ref()];
        let mut said = said.into_iter().flatten();
        assert!(!said.any(|it| it.contains(char::is_control)));
    }
}
