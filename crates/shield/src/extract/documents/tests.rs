//! What the tests of documents have in common.

use std::sync::LazyLock;
use std::time::Duration;

use crate::Limits;
use crate::budget::Budget;
use crate::rules::RuleSet;
use crate::walk::{Setting, Walk};

/// Every text that a scan of it judges, with its place and its setting.
pub(super) struct Heard {
    pub(super) texts: Vec<(String, Setting, String)>,
    pub(super) findings: Vec<agentdrop_protocol::report::Finding>,
}

/// What ends a scan here is never how busy the machine is.
fn patient() -> Limits {
    Limits {
        time: Duration::from_mins(10),
        ..Limits::default()
    }
}

impl Heard {
    /// By a scan of this.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Self {
        static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load().unwrap());
        let mut walk = Walk::new(&RULES, Budget::new(patient(), bytes.len() as u64));
        let mut source = std::io::Cursor::new(bytes);
        let length = bytes.len() as u64;
        let looked = walk.inside(name, |walk| {
            walk.look_at(name, Some(bytes), length, &mut source)
        });
        if let Err(why) = looked {
            walk.stopped(why);
        }
        let texts = std::mem::take(&mut walk.heard);
        let (findings, _) = walk.into_findings().into_sorted();
        Self { texts, findings }
    }

    /// Whether a text with this in it was judged there, as this.
    #[track_caller]
    pub(super) fn has(&self, place: &str, setting: Setting, what: &str) {
        let is_it = |it: &(String, Setting, String)| {
            it.0 == place && it.1 == setting && it.2.contains(what)
        };
        assert!(
            self.texts.iter().any(is_it),
            "{what:?} is not {setting:?} at {place:?} but {:#?}",
            self.texts
        );
    }

    /// Whether nothing with this in it was judged as this.
    #[track_caller]
    pub(super) fn has_not(&self, setting: Setting, what: &str) {
        let is_it = |it: &&(String, Setting, String)| it.1 == setting && it.2.contains(what);
        assert_eq!(self.texts.iter().find(is_it), None);
    }

    /// Whether this rule found something there.
    #[track_caller]
    pub(super) fn found(&self, place: &str, rule: &str) {
        let is_it = |it: &agentdrop_protocol::report::Finding| it.place == place && it.rule == rule;
        assert!(
            self.findings.iter().any(is_it),
            "no {rule} at {place:?} but {:#?}",
            self.findings
        );
    }

    /// Whether this rule found nothing.
    #[track_caller]
    pub(super) fn found_not(&self, rule: &str) {
        assert!(
            !self.findings.iter().any(|it| it.rule == rule),
            "{:#?}",
            self.findings
        );
    }
}

/// Every beginning of it is looked at, to the end.
pub(super) fn cut_at_every_length(name: &str, bytes: &[u8]) {
    for length in 0..bytes.len() {
        Heard::of(name, &bytes[..length]);
    }
}
