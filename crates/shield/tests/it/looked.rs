//! A look at bytes under a name, and what was found.

use agentdrop_shield::{RuleSet, ScanReport, Scanner, ThreatLevel};
use std::sync::OnceLock;

/// By the rules that come with this version.
pub(crate) fn look(name: &str, bytes: &[u8]) -> ScanReport {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    let rules = RULES.get_or_init(|| RuleSet::load().unwrap());
    Scanner::new(rules).bytes(name, bytes)
}

/// The level of this rule, where it found something.
pub(crate) fn level(report: &ScanReport, rule: &str) -> Option<ThreatLevel> {
    let found = report.findings.iter().filter(|it| it.rule == rule);
    found.map(|it| it.threat_level).max()
}

/// Asserts that this rule finds something of this level.
pub(crate) fn assert_finds(name: &str, bytes: &[u8], rule: &str, is: ThreatLevel) {
    let report = look(name, bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    assert_eq!(
        level(&report, rule),
        Some(is),
        "{name}: {shown}: {:#?}",
        report.findings
    );
}

/// Asserts that nothing worse is found.
pub(crate) fn assert_at_most(name: &str, bytes: &[u8], is: ThreatLevel) {
    let report = look(name, bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    assert!(
        report.threat_level <= is,
        "{name}: {shown}: {:#?}",
        report.findings
    );
}
