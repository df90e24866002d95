//! What was found so far.

use agentdrop_protocol::report::{Finding, ThreatLevel};

/// What was found so far: the worst of each rule at a place, and no more than fit.
pub(crate) struct Findings {
    kept: Vec<Finding>,
    more: u64,
    most: usize,
}

impl Findings {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            more: 0,
            most,
        }
    }

    /// Keeps it. Where there is no room, the least bad of all goes.
    pub(crate) fn add(&mut self, finding: Finding) {
        let is_same = |it: &&mut Finding| it.rule == finding.rule && it.place == finding.place;
        if let Some(known) = self.kept.iter_mut().find(is_same) {
            if finding.threat_level > known.threat_level {
                *known = finding;
            }
        } else if self.kept.len() < self.most {
            self.kept.push(finding);
        } else {
            self.more += 1;
            let least = self.kept.iter_mut().min_by_key(|it| it.threat_level);
            if let Some(least) = least.filter(|it| it.threat_level < finding.threat_level) {
                *least = finding;
            }
        }
    }

    /// The worst level of all that was found: what there was no room for was no worse.
    pub(crate) fn level(&self) -> ThreatLevel {
        let levels = self.kept.iter().map(|it| it.threat_level);
        levels.max().unwrap_or_default()
    }

    /// The worst first, and how many there were beyond them.
    pub(crate) fn into_sorted(mut self) -> (Vec<Finding>, u64) {
        self.kept
            .sort_by_key(|it| std::cmp::Reverse(it.threat_level));
        (self.kept, self.more)
    }
}
