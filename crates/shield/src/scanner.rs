//! Looks at one input at a time.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom};

use agentdrop_protocol::report::{
    Finding, InjectionFinding, Layer, LayerDetails, ScanReport, ThreatLevel,
};

use crate::budget::{Budget, Step};
use crate::error::ScanError;
use crate::excerpt::escaped;
use crate::extract;
use crate::findings::Findings;
use crate::limits::Limits;
use crate::policy::{Mode, Policy};
use crate::rules::RuleSet;
use crate::walk::{MAX_EXCERPT, Setting, Walk};

/// Looks at one input at a time, by rules that it shares.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    rules: &'a RuleSet,
    limits: Limits,
    policy: Policy,
    is_first_contact: bool,
    looks_for_secrets: bool,
}

impl<'a> Scanner<'a> {
    /// By these rules, within the usual limits, and under the usual policy.
    pub fn new(rules: &'a RuleSet) -> Self {
        Self {
            rules,
            limits: Limits::default(),
            policy: Policy::default(),
            is_first_contact: false,
            looks_for_secrets: false,
        }
    }

    /// Whether nothing came from the sender before: instructions that are hidden weigh more then.
    pub const fn first_contact(mut self, is_first: bool) -> Self {
        self.is_first_contact = is_first;
        self
    }

    /// Within these limits.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Under this policy.
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// For who is about to send: keys and passwords are findings of their own weight. For who receives
    /// they are at most low.
    pub const fn looking_for_secrets(mut self) -> Self {
        self.looks_for_secrets = true;
        self
    }

    /// A file that is in memory, and its name.
    pub fn bytes(&self, name: &str, bytes: &[u8]) -> ScanReport {
        self.walk(bytes.len() as u64, |walk| {
            walk.inside(name, |walk| {
                let mut source = Cursor::new(bytes);
                walk.text(name, Setting::Name)?;
                walk.look_at(name, Some(bytes), bytes.len() as u64, &mut source)
            })
        })
    }

    /// A file of any length, and its name.
    pub fn file(&self, name: &str, file: &mut (impl Read + Seek)) -> Result<ScanReport, ScanError> {
        let length = file.seek(SeekFrom::End(0)).map_err(ScanError::Read)?;
        file.rewind().map_err(ScanError::Read)?;
        if length <= self.limits.held {
            let mut bytes = Vec::new();
            file.take(self.limits.held)
                .read_to_end(&mut bytes)
                .map_err(ScanError::Read)?;
            return Ok(self.bytes(name, &bytes));
        }
        Ok(self.walk(length, |walk| {
            walk.inside(name, |walk| {
                walk.text(name, Setting::Name)?;
                walk.look_at(name, None, length, file)
            })
        }))
    }

    /// What the sender wrote beside the files.
    pub fn message(&self, text: &str) -> ScanReport {
        self.walk(text.len() as u64, |walk| {
            walk.text_in("message", text, Setting::Message)
        })
    }

    /// What is said of a file at which a scanner ended, or took too long: another process says it.
    pub fn not_survived(name: &str, policy: Policy) -> ScanReport {
        let mut findings = Findings::new(1);
        findings.add(extract::NOT_SURVIVED.at(&escaped(name, MAX_EXCERPT)));
        report(policy, findings, RuleSet::VERSION)
    }

    fn walk(&self, length: u64, look: impl FnOnce(&mut Walk<'_>) -> Step) -> ScanReport {
        let mut walk = Walk::new(self.rules, Budget::new(self.limits, length));
        walk.is_first_contact = self.is_first_contact;
        walk.looks_for_secrets = self.looks_for_secrets;
        if let Err(why) = look(&mut walk) {
            walk.stopped(why);
        }
        let took = walk.budget.clock().passed();
        let (intent_score, semantic_score) = (walk.scores.rules, walk.scores.model);
        ScanReport {
            scan_time_ms: took.as_secs_f64() * 1000.0,
            intent_score,
            semantic_score,
            ..report(self.policy, walk.into_findings(), self.rules.version())
        }
    }
}

fn report(policy: Policy, findings: Findings, rule_set: &str) -> ScanReport {
    let level = findings.level();
    let (findings, more_findings) = findings.into_sorted();
    let is_blocked = policy.strictness.blocks(level) && policy.mode != Mode::Off;
    let in_texts = findings
        .iter()
        .filter(|it| it.layer == Layer::InjectionDetection);
    let is_code = |it: &Finding| it.layer == Layer::Code && it.threat_level >= ThreatLevel::High;
    ScanReport {
        threat_level: level,
        blocked: is_blocked,
        safe: !is_blocked,
        needs_review: is_blocked && policy.mode == Mode::Review,
        malware_clean: !findings.iter().any(is_code),
        injection_findings: in_texts.map(as_published).collect(),
        warnings: findings.iter().map(in_one_line).collect(),
        details: details(&findings),
        scan_time_ms: 0.0,
        intent_score: 0.0,
        semantic_score: 0.0,
        sender_reputation: None,
        review_prompt: None,
        findings,
        more_findings,
        rule_set: rule_set.to_owned(),
    }
}

fn as_published(it: &Finding) -> InjectionFinding {
    InjectionFinding {
        line: it.line.unwrap_or(1),
        pattern_name: it.rule.clone(),
        confidence: it.confidence,
        matched_text: it.excerpt.clone().unwrap_or_default(),
        description: it.reason.clone(),
        threat_level: it.threat_level,
    }
}

fn in_one_line(it: &Finding) -> String {
    format!("{}: {}", it.place, it.reason)
}

fn details(findings: &[Finding]) -> BTreeMap<Layer, LayerDetails> {
    let layers = [
        Layer::ResourceGuard,
        Layer::FormatValidation,
        Layer::Code,
        Layer::TextExtraction,
        Layer::InjectionDetection,
        Layer::Secrets,
    ];
    let details = layers.map(|layer| {
        let found = || findings.iter().filter(|it| it.layer == layer);
        let mut flags: Vec<String> = found().map(|it| it.rule.clone()).collect();
        flags.dedup();
        let passed = found().all(|it| it.threat_level < ThreatLevel::Medium);
        (layer, LayerDetails { passed, flags })
    });
    details.into()
}
