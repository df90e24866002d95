//! What a rule is, whatever it looks at.

use agentdrop_protocol::report::{Finding, Layer, ThreatLevel};

/// A rule about bytes or structure. Those about text are data, in `rules/`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Stays the same from version to version.
    pub(crate) id: &'static str,
    pub(crate) layer: Layer,
    pub(crate) level: ThreatLevel,
    /// Why it is a finding: a sentence without its full stop.
    pub(crate) reason: &'static str,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

impl Rule {
    /// That it found something at this place.
    pub(crate) fn at(&self, place: &str) -> Finding {
        Finding {
            rule: self.id.to_owned(),
            layer: self.layer,
            threat_level: self.level,
            confidence: 1.0,
            place: place.to_owned(),
            line: None,
            excerpt: None,
            reason: self.reason.to_owned(),
            advice: self.advice.to_owned(),
        }
    }

    /// About programs, macros, and what starts them.
    pub(crate) const fn code(
        id: &'static str,
        level: ThreatLevel,
        reason: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            id,
            layer: Layer::Code,
            level,
            reason,
            advice,
        }
    }

    /// About what a file is, against what it says that it is.
    pub(crate) const fn format(
        id: &'static str,
        level: ThreatLevel,
        reason: &'static str,
        advice: &'static str,
    ) -> Self {
        Self {
            id,
            layer: Layer::FormatValidation,
            level,
            reason,
            advice,
        }
    }
}
