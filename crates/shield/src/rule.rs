//! What a rule is, whatever it looks at.

use agentdrop_protocol::report::{Layer, ThreatLevel};

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
