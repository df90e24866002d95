//! What is known of agents, taken to another machine.

use std::collections::BTreeMap;

use agentdrop_protocol::AgentId;
use serde::{Deserialize, Serialize};

use super::known::{Known, NativePin};
use super::pins::{KnownAgents, MAX_AGENTS};
use crate::error::{PeerError, Result, shown};

const VERSION: u32 = 1;
/// More are not listed in one message.
const MAX_NAMED: usize = 5;

/// What to do where an import contradicts what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradictions {
    /// Import nothing.
    Refuse,
    /// Believe the import: a person said so.
    TakeImported,
}

#[derive(Serialize, Deserialize)]
struct Exported {
    v: u32,
    agents: BTreeMap<AgentId, Known>,
}

impl KnownAgents {
    /// What is known, as JSON; not what was refused.
    pub fn export(&self) -> Result<String> {
        let mut agents = self.read()?.agents;
        for known in agents.values_mut() {
            known.refused = None;
        }
        let exported = Exported { v: VERSION, agents };
        let json = serde_json::to_string_pretty(&exported);
        json.map_err(|it| self.file.spoiled(it.to_string()))
    }

    /// Adds what was exported elsewhere; answers how many agents that changed.
    ///
    /// Nothing becomes weaker by it: of what is known here and there, the later bundle, the stronger
    /// suite and the better comparison count. Another key, a second row of bundles, or no signature
    /// where there is one here, contradict. What is blocked here stays so.
    pub fn import(&self, json: &str, contradictions: Contradictions) -> Result<usize> {
        let malformed = |problem: String| PeerError::ImportMalformed(shown(&problem));
        let imported: Exported =
            serde_json::from_str(json).map_err(|it| malformed(it.to_string()))?;
        if imported.v != VERSION {
            return Err(malformed(format!("it is of version {}", imported.v)).into());
        }
        let (held, mut agents) = self.hold()?;
        let (mut changed, mut contradicting) = (0, Vec::new());
        for (agent, mut theirs) in imported.agents {
            theirs.refused = None;
            let ours = agents.agents.get(&agent);
            let merged = match ours {
                None => Some(theirs),
                Some(ours) => match merged(ours, &theirs) {
                    None if contradictions == Contradictions::TakeImported => Some(theirs),
                    None => {
                        contradicting.push(ours.peer(agent).to_string());
                        None
                    }
                    merged => merged,
                },
            };
            if let Some(merged) = merged.filter(|it| Some(it) != ours) {
                agents.agents.insert(agent, merged);
                changed += 1;
            }
        }
        if !contradicting.is_empty() {
            contradicting.truncate(MAX_NAMED);
            return Err(PeerError::ImportContradicts(contradicting.join(", ")).into());
        }
        if agents.agents.len() > MAX_AGENTS {
            return Err(held.full());
        }
        held.write(&agents)?;
        Ok(changed)
    }
}

/// What both know, or nothing, if they contradict each other.
fn merged(ours: &Known, theirs: &Known) -> Option<Known> {
    let mut both = ours.clone();
    match (ours.native, theirs.native) {
        (None, None | Some(_)) if ours.compatible != theirs.compatible => return None,
        (Some(_), None) => return None,
        (None, None) => {}
        (None, Some(native)) => {
            both.native = Some(native);
            both.how = theirs.how;
        }
        (Some(our), Some(their)) => {
            let (native, is_theirs) = later(our, their)?;
            both.native = Some(native);
            if is_theirs {
                both.compatible = theirs.compatible;
            }
        }
    }
    both.how = both.how.max(theirs.how);
    Some(both)
}

/// The later of two bundles of one identity, and whether it is theirs.
fn later(ours: NativePin, theirs: NativePin) -> Option<(NativePin, bool)> {
    let (mut our, mut their) = (ours.pin(), theirs.pin());
    let is_fork = our.version == their.version && our.hash != their.hash;
    if our.identity != their.identity || is_fork {
        return None;
    }
    let min_suite = our.min_suite.max(their.min_suite);
    (our.min_suite, their.min_suite) = (min_suite, min_suite);
    let is_theirs = their.version > our.version;
    Some((if is_theirs { their } else { our }.into(), is_theirs))
}
