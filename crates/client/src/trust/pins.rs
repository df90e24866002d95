//! The agents that are known, in `known_agents.json`.

use std::collections::BTreeMap;
use std::path::Path;

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use agentdrop_seal::identity::{Fingerprint, SignedBundle, SignedRotation, VerifiedBundle};
use serde::{Deserialize, Serialize};

use super::known::{How, Known, NativePin, Offer, Refusal, Refused};
use super::meeting::{Belief, Disbelief, meet};
use crate::error::{Peer, PeerError, Result};
use crate::state_file::{Held, StateFile};

const FILE: &str = "known_agents.json";
const LOCK: &str = "known_agents.lock";
/// A server can make agents up, and strangers can have as many as they like; each that is met is written
/// down. None is forgotten for another: whoever could fill this up could choose whom it forgets, and be
/// met in their place.
pub(super) const MAX_AGENTS: usize = 4_096;
/// Room for so many, with all that there can be to say of each: what is refused of one that is known has
/// to be written down still.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The agents that are known. Each answer is of what is on disk by then.
#[derive(Debug)]
pub struct KnownAgents {
    pub(super) file: StateFile<Agents>,
}

/// The file as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Agents {
    pub(super) agents: BTreeMap<AgentId, Known>,
}

/// An agent whose keys were believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// How.
    pub how: MetHow,
    /// Its bundle, checked.
    pub bundle: VerifiedBundle,
}

/// How an agent's keys came to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetHow {
    /// It was not known, or by no signature: the server was believed.
    FirstUse,
    /// It is known by these.
    Known,
    /// It has another identity, of which the one with this fingerprint says so. Tell the person.
    Rotated(Fingerprint),
}

impl KnownAgents {
    /// The agents that are known to the identity in `folder`.
    pub fn load(folder: &Path) -> Result<Self> {
        let file = StateFile::new(folder, FILE, LOCK, MAX_BYTES);
        file.read()?;
        Ok(Self { file })
    }

    /// What is known of an agent.
    pub fn look_up(&self, agent: AgentId) -> Result<Option<Known>> {
        Ok(self.read()?.agents.remove(&agent))
    }

    /// All that are known, with what is known of each.
    pub fn list(&self) -> Result<Vec<(AgentId, Known)>> {
        Ok(self.read()?.agents.into_iter().collect())
    }

    /// Takes note of the keys that the server gives for an agent, and answers them if they are
    /// believed: it was not known, or what is known of it allows for them. What is believed is on disk
    /// when this returns.
    ///
    /// What contradicts what is known is written down, for a person to [accept](Self::accept) or not;
    /// until then the agent is blocked.
    pub fn meet(
        &self,
        agent: AgentId,
        label: &str,
        bundle: &SignedBundle,
        rotations: &[SignedRotation],
        now: Timestamp,
    ) -> Result<Met> {
        let (held, mut agents) = self.hold()?;
        let known = agents.agents.get(&agent);
        expect_unblocked(agent, known)?;
        let peer = peer(agent, label);
        match meet(agent, known, bundle, rotations, now) {
            Ok(Belief {
                how,
                bundle,
                passed,
            }) => {
                let offer = Offer::of(&bundle);
                believe(&held, agents, &peer, (&offer, how, passed), now)?;
                Ok(Met { how, bundle })
            }
            Err(Disbelief::Expired) => Err(PeerError::BundleExpired(peer).into()),
            Err(Disbelief::NotGenuine) => Err(PeerError::BundleNotGenuine(peer).into()),
            Err(Disbelief::Refused(why, offer)) => {
                let known = agents.agents.get_mut(&agent);
                let error = known.map(|it| refuse(agent, it, why, &offer, now));
                held.write(&agents)?;
                Err(error.unwrap_or(PeerError::BundleNotGenuine(peer)).into())
            }
        }
    }

    /// Takes note of the key of the compatible formats that the server gives for an agent that has no
    /// bundle, and answers how it is known. An agent that ever had a bundle is refused.
    pub fn meet_compatible(
        &self,
        agent: AgentId,
        label: &str,
        xk: EncryptionPublicKey,
        now: Timestamp,
    ) -> Result<MetHow> {
        let (held, mut agents) = self.hold()?;
        let known = agents.agents.get_mut(&agent);
        expect_unblocked(agent, known.as_deref())?;
        let offer = Offer::of_compatible(xk);
        let (how, why) = match &known {
            None => (MetHow::FirstUse, None),
            Some(it) if it.native.is_some() => (MetHow::Known, Some(Refusal::NoBundle)),
            Some(it) if it.compatible != xk => (MetHow::Known, Some(Refusal::Changed)),
            Some(_) => (MetHow::Known, None),
        };
        if let (Some(known), Some(why)) = (known, why) {
            let error = refuse(agent, known, why, &offer, now);
            held.write(&agents)?;
            return Err(error.into());
        }
        let believed = (&offer, how, Vec::new());
        believe(&held, agents, &peer(agent, label), believed, now)?;
        Ok(how)
    }

    /// An error, if the agent is known to sign what it sends, or a person has to decide about it.
    pub fn expect_not_native(&self, agent: AgentId) -> Result<()> {
        self.expect_unblocked(agent)?;
        match self.look_up(agent)? {
            Some(known) if known.native.is_some() => {
                Err(PeerError::Downgraded(known.peer(agent)).into())
            }
            _ => Ok(()),
        }
    }

    /// An error, if a person has to decide about the agent first.
    pub fn expect_unblocked(&self, agent: AgentId) -> Result<()> {
        let known = self.look_up(agent)?;
        Ok(expect_unblocked(agent, known.as_ref())?)
    }

    pub(super) fn read(&self) -> Result<Agents> {
        Ok(self.file.read()?.unwrap_or_default())
    }

    pub(super) fn hold(&self) -> Result<(Held<Agents>, Agents)> {
        let held = self.file.hold()?;
        let agents = held.read()?.unwrap_or_default();
        Ok((held, agents))
    }
}

/// Writes down what is believed, if it is news.
fn believe(
    held: &Held<Agents>,
    mut agents: Agents,
    peer: &Peer,
    (offer, how, passed): (&Offer, MetHow, Vec<NativePin>),
    now: Timestamp,
) -> Result<()> {
    let before = agents.agents.get(&peer.agent).cloned();
    let known = match before.clone() {
        Some(mut known) => {
            if how != MetHow::Known {
                known.since = now;
            }
            if let MetHow::Rotated(_) = how {
                known.keep_former(passed);
                // What people compared was another key. It is told from here on, wherever the agent is
                // shown: whoever met it just now may be killed before it says so.
                known.how = How::Rotated;
            }
            known.native = offer.native;
            known.compatible = offer.compatible;
            known.refused = None;
            known
        }
        None if agents.agents.len() >= MAX_AGENTS => return Err(held.full()),
        None => Known::new(&peer.label, offer, How::FirstUse, now),
    };
    if before.as_ref() == Some(&known) {
        return Ok(());
    }
    agents.agents.insert(peer.agent, known);
    held.write(&agents)
}

/// A person has to decide first, whatever is offered by now.
fn expect_unblocked(agent: AgentId, known: Option<&Known>) -> Result<(), PeerError> {
    let block = known.and_then(|it| Some((it, it.block()?)));
    block.map_or(Ok(()), |(known, refused)| Err(error(agent, known, refused)))
}

fn refuse(
    agent: AgentId,
    known: &mut Known,
    why: Refusal,
    offer: &Offer,
    now: Timestamp,
) -> PeerError {
    let refused = Refused {
        why,
        offer: *offer,
        at: now,
    };
    known.refused = Some(refused);
    error(agent, known, &refused)
}

fn error(agent: AgentId, known: &Known, refused: &Refused) -> PeerError {
    let peer = known.peer(agent);
    match refused.why {
        Refusal::Changed => PeerError::KeyChanged {
            peer,
            known: known.shown_key(agent),
            offered: refused.offer.shown_key(agent),
        },
        Refusal::Forked => PeerError::KeyForked(peer),
        Refusal::MinSuite => PeerError::DowngradedBySuite(peer),
        Refusal::NoBundle => PeerError::Downgraded(peer),
        Refusal::RolledBack => PeerError::KeyRolledBack(peer),
    }
}

fn peer(agent: AgentId, label: &str) -> Peer {
    let label = label.to_owned();
    Peer { agent, label }
}
