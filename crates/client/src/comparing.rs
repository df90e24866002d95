//! What this agent shows of itself and of others, for people to compare.

use agentdrop_protocol::AgentId;
use agentdrop_seal::identity::{Fingerprint, digits, words};

use crate::blocking::blocking;
use crate::client::Client;
use crate::error::{ConfigError, Error, Result};
use crate::peers::KnownBy;
use crate::trust::MetHow;

/// Two agents, as two people read them to each other: the same on both sides, or somebody is between.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// This agent.
    pub mine: Fingerprint,
    /// The other.
    pub theirs: Fingerprint,
    /// Sixty digits, in groups of five.
    pub digits: String,
    /// The same as eighteen words.
    pub words: String,
}

/// The keys of this agent, as they are on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnKeys {
    /// What people compare.
    pub fingerprint: Fingerprint,
    /// Whether the server is known to have taken what is to be published of them.
    pub published: bool,
}

impl Client {
    /// The keys of this agent; none, where it has none, or the client is no agent. Nothing is called.
    pub fn own_keys(&self) -> Result<Option<OwnKeys>> {
        let keyring = self.keyring()?;
        Ok(keyring.map(|it| OwnKeys {
            fingerprint: it.fingerprint(),
            published: it.bundle().is_some() && it.draft().is_none(),
        }))
    }

    /// How many one-time prekeys the server has of this agent.
    pub async fn prekeys_left(&self) -> Result<u32> {
        let agent = self.needed_identity()?.agent_uuid();
        let agent = agent.ok_or(ConfigError::NoAgentId)?;
        Ok(self.prekeys_of(agent).await?.prekeys_left)
    }

    /// This agent and one of this fingerprint; none, where this one has no keys.
    pub fn comparison(&self, theirs: Fingerprint) -> Result<Option<Comparison>> {
        let mine = self.own_keys()?.map(|it| it.fingerprint);
        Ok(mine.map(|mine| Comparison {
            mine,
            theirs,
            digits: digits(&mine, &theirs),
            words: words(&mine, &theirs),
        }))
    }

    /// The same, of a fingerprint as the server shows it, `adk1…`.
    pub fn comparison_with(&self, theirs: &str) -> Result<Option<Comparison>> {
        let wrong = |_| Error::Answer("a fingerprint cannot be read".to_owned());
        self.comparison(theirs.parse().map_err(wrong)?)
    }

    /// Takes note that two agents were paired by people who were shown this fingerprint of the other; says
    /// whether it is known by that.
    pub async fn paired_by(&self, agent: AgentId, label: &str, shown: &str) -> Result<bool> {
        let wrong = |_| Error::Answer("a fingerprint cannot be read".to_owned());
        let shown = shown.parse().map_err(wrong)?;
        let (Some(met), Some(known)) = (self.meet(agent, label).await?, self.known_agents()?)
        else {
            return Ok(false);
        };
        if met.bundle.bundle().fingerprint() != shown {
            return Ok(false);
        }
        blocking(move || known.paired(agent, &shown).map(|_| true)).await
    }

    /// Asks the server for the keys of an agent, which `label` is what it is called of, and takes note of
    /// them; none, where it has no signed ones. What contradicts what is known is an error, and blocks.
    pub async fn look_at(&self, agent: AgentId, label: &str) -> Result<Option<KnownBy>> {
        match self.meet(agent, label).await? {
            Some(met) => self.known_by(agent, met.how),
            None => Ok(None),
        }
    }

    /// Whether the agent is this one.
    pub fn is_me(&self, agent: AgentId) -> bool {
        self.identity().and_then(crate::Identity::agent_uuid) == Some(agent)
    }
}

impl KnownBy {
    /// Whether the key was met for the first time just now, and nobody compared it.
    pub fn is_new(&self) -> bool {
        self.met == MetHow::FirstUse
    }
}
