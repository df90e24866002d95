//! What must hold of any file that is scanned: nothing brings the scanner down, and nothing that it says
//! steers a terminal.

use std::sync::LazyLock;

use agentdrop_shield::{Limits, RuleSet, Scanner};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load().unwrap());

/// A file of any sort, for whatever has no target of its own.
pub fn any(data: &[u8]) {
    scan("a", b"", data);
}

/// A mail.
pub fn email(data: &[u8]) {
    scan("a.eml", b"From: a\nSubject: b\n", data);
}

/// A gzip stream, with streams of other sorts inside.
pub fn gzip(data: &[u8]) {
    scan("a.gz", b"\x1F\x8B\x08", data);
}

/// A page.
pub fn html(data: &[u8]) {
    scan("a.html", b"<html>", data);
}

/// A JPEG picture, with EXIF.
pub fn jpeg(data: &[u8]) {
    scan("a.jpg", b"\xFF\xD8\xFF", data);
}

/// A link of Windows.
pub fn lnk(data: &[u8]) {
    scan("a.lnk", b"L\0\0\0\x01\x14\x02\0", data);
}

/// A compound file.
pub fn ole(data: &[u8]) {
    scan("a.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", data);
}

/// A portable document.
pub fn pdf(data: &[u8]) {
    scan("a.pdf", b"%PDF-1.7\n", data);
}

/// Objects of Python.
pub fn pickle(data: &[u8]) {
    scan("a.pkl", b"", data);
}

/// A PNG picture.
pub fn png(data: &[u8]) {
    scan("a.png", b"\x89PNG\r\n\x1A\n", data);
}

/// A program of Windows, whose headers begin behind the old ones.
pub fn program(data: &[u8]) {
    let mut old = b"MZ".to_vec();
    old.resize(0x3C, 0);
    old.extend(b"\x40\0\0\0PE\0\0");
    scan("a.exe", &old, data);
}

/// Text with control words.
pub fn rtf(data: &[u8]) {
    scan("a.rtf", b"{\\rtf1 ", data);
}

/// A 7z archive.
pub fn sevenzip(data: &[u8]) {
    scan("a.7z", b"7z\xBC\xAF\x27\x1C", data);
}

/// A tape archive; its check digits are made right, for chance does not find them.
pub fn tar(data: &[u8]) {
    let mut tape = data.to_vec();
    for block in tape.chunks_exact_mut(512).filter(|it| it.ends_with(&[0])) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|it| u32::from(*it)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    scan("a.tar", b"", &tape);
}

/// Text in elements, of whatever they are.
pub fn xml(data: &[u8]) {
    scan("a.xml", b"<?xml version='1.0'?>", data);
}

/// A zip archive.
pub fn zip(data: &[u8]) {
    scan("a.zip", b"PK\x03\x04", data);
}

/// Scans what begins like this, whatever it goes on with; what begins so already stays as it is.
fn scan(name: &str, magic: &[u8], data: &[u8]) {
    let rest = data.strip_prefix(magic).unwrap_or(data);
    let bytes = [magic, rest].concat();
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
