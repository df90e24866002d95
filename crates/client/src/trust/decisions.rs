//! What people decide about agents.
//!
//! Each decision is about what was shown to the person: what is known or offered by now can be
//! something else, for the server may offer another key while they compare.

use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::Fingerprint;

use super::known::{How, Known, Offer};
use super::pins::KnownAgents;
use crate::error::{PeerError, Result};

impl KnownAgents {
    /// Knows the agent by what was offered for it and refused, from here on. It is known by first use
    /// then, whatever it was: say that it was [compared](Self::compared), if it was.
    pub fn accept(&self, agent: AgentId, shown: &Offer, now: Timestamp) -> Result<Known> {
        self.decide(agent, |known| {
            let refused = known.refused.ok_or(PeerError::NothingToDecide(agent))?;
            if refused.offer != *shown {
                return Err(PeerError::OfferChanged(known.peer(agent)));
            }
            known.native = shown.native;
            known.compatible = shown.compatible;
            known.how = How::FirstUse;
            known.since = now;
            known.refused = None;
            Ok(())
        })
    }

    /// Goes on knowing the agent by what it was known by; what was offered is forgotten.
    pub fn keep(&self, agent: AgentId) -> Result<Known> {
        self.decide(agent, |known| {
            let refused = known.refused.take();
            refused.map(drop).ok_or(PeerError::NothingToDecide(agent))
        })
    }

    /// People compared this fingerprint.
    pub fn compared(&self, agent: AgentId, shown: &Fingerprint) -> Result<Known> {
        self.mark(agent, shown, How::Compared)
    }

    /// The agents were paired by people who were shown this fingerprint.
    pub fn paired(&self, agent: AgentId, shown: &Fingerprint) -> Result<Known> {
        self.mark(agent, shown, How::Pairing)
    }

    /// Forgets the agent: whatever the server gives for it next is believed. Says whether it was known.
    pub fn reset(&self, agent: AgentId) -> Result<bool> {
        let (held, mut agents) = self.hold()?;
        if agents.agents.remove(&agent).is_none() {
            return Ok(false);
        }
        held.write(&agents)?;
        Ok(true)
    }

    fn mark(&self, agent: AgentId, shown: &Fingerprint, how: How) -> Result<Known> {
        self.decide(agent, |known| {
            let native = known.native.ok_or(PeerError::NothingToDecide(agent))?;
            if native.fingerprint(agent) != *shown {
                return Err(PeerError::OfferChanged(known.peer(agent)));
            }
            known.how = known.how.max(how);
            Ok(())
        })
    }

    fn decide(
        &self,
        agent: AgentId,
        decide: impl FnOnce(&mut Known) -> Result<(), PeerError>,
    ) -> Result<Known> {
        let (held, mut agents) = self.hold()?;
        let known = agents.agents.get_mut(&agent);
        let known = known.ok_or(PeerError::NothingToDecide(agent))?;
        decide(known)?;
        let decided = known.clone();
        held.write(&agents)?;
        Ok(decided)
    }
}
