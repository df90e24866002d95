//! What a rule is, whatever it looks at.

use agentdrop_protocol::report::{Layer, ThreatLevel};

/// A rule about bytes or structure. Those about text are data, in `rules/`.
#[derive(Debug)]
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
