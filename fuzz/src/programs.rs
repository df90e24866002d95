//! What must hold of any program, link or object that is scanned: nothing brings the scanner down, and
//! nothing that it says steers a terminal.

use std::sync::LazyLock;

use agentdrop_shield::{Limits, RuleSet, Scanner};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load().unwrap());

/// A link of Windows.
pub fn lnk(data: &[u8]) {
    scan("a.lnk", b"L\0\0\0\x01\x14\x02\0", data);
}

/// Objects of Python.
pub fn pickle(data: &[u8]) {
    scan("a.pkl", b"", data);
}

/// A program of Windows, whose headers begin behind the old ones.
pub fn program(data: &[u8]) {
    let mut old = b"MZ".to_vec();
    old.resize(0x3C, 0);
    old.extend(b"\x40\0\0\0PE\0\0");
    scan("a.exe", &old, data);
}

fn scan(name: &str, magic: &[u8], data: &[u8]) {
    let bytes = [magic, data].concat();
    let limits = Limits {
        expanded: 4 << 20,
        ..Limits::default()
    };
    let report = Scanner::new(&RULES).limits(limits).bytes(name, &bytes);
    for it in &report.findings {
        let shown = [Some(it.place.as_str()), it.excerpt.as_deref()];
        let steers = |it: &str| it.chars().any(char::is_control);
        assert!(!shown.into_iter().flatten().any(steers));
    }
}
