//! Other agents, as this one knows them: by a key that they signed with, not by what the server says.

use std::sync::Arc;

use agentdrop_protocol::wire::bundles::AgentBundle;
use agentdrop_protocol::{AgentId, EncryptionPublicKey};
use agentdrop_seal::identity::{SignedBundle, SignedRotation};

use crate::blocking::blocking;
use crate::bundles::read_bundle;
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, PeerError, Result, TrustError};
use crate::keyring::Keyring;
use crate::trust::{How, KnownAgents, Met, MetHow};

/// A server tells of no more. What leads on from longer ago people compare anew.
const MAX_ROTATIONS: usize = 64;

/// By what another agent is known, to be shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownBy {
    /// The agent.
    pub agent: AgentId,
    /// Its fingerprint, `adk1…`; or its X25519 key, where it has the compatible formats alone.
    pub key: String,
    /// Whether people compared the key, or the server was believed.
    pub how: How,
    /// Whether this is news.
    pub met: MetHow,
}

impl Client {
    /// What this agent knows of others; none, where the client is no agent.
    pub fn known_agents(&self) -> Result<Option<KnownAgents>> {
        let mine = self.identity();
        mine.map(|it| KnownAgents::load(it.folder())).transpose()
    }

    /// Asks for the bundle of an agent, and whether it may be believed; none, if it has none. `label`
    /// is what it is called.
    pub(crate) async fn meet(&self, agent: AgentId, label: &str) -> Result<Option<Met>> {
        let Some(bundle) = self.bundle_of(agent).await? else {
            return Ok(None);
        };
        self.meet_bundle(label, bundle).await.map(Some)
    }

    /// Whether the bundle that the server gives for an agent may be believed.
    pub(crate) async fn meet_bundle(&self, label: &str, said: AgentBundle) -> Result<Met> {
        let (client, label) = (self.clone(), label.to_owned());
        blocking(move || client.met(&label, &said)).await
    }

    fn met(&self, label: &str, said: &AgentBundle) -> Result<Met> {
        let mine = self.needed_identity()?;
        let bundle = read_bundle(said)?;
        if mine.agent_uuid() == Some(said.id) {
            return self.meet_oneself(said.id, bundle);
        }
        if said.rotations.len() > MAX_ROTATIONS {
            let too_many = format!("it tells of more than {MAX_ROTATIONS} rotations of one agent");
            return Err(Error::Answer(too_many));
        }
        let rotations = said.rotations.iter().map(|it| {
            let read = SignedRotation::read(it.as_bytes());
            read.map_err(|_| Error::Answer("a rotation cannot be read".to_owned()))
        });
        let rotations = rotations.collect::<Result<Vec<_>>>()?;
        KnownAgents::load(mine.folder())?.meet(said.id, label, &bundle, &rotations, now())
    }

    /// One's own keys are known: the server has nothing to say about them.
    fn meet_oneself(&self, me: AgentId, said: SignedBundle) -> Result<Met> {
        let keyring = self.keyring()?;
        let mine = keyring.as_ref().and_then(Keyring::bundle);
        if mine != Some(&said) {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        let differs = |_| TrustError::OwnKeyDiffers;
        let bundle = said.check(me, None, now()).map_err(differs)?;
        let how = MetHow::Known;
        Ok(Met { how, bundle })
    }

    /// An error, if this name was another agent's when it was used last: names are the server's word, and
    /// keys are known by the id.
    pub(crate) fn expect_name(&self, agent: AgentId, name: &str) -> Result<()> {
        let Some(known) = self.known_agents()? else {
            return Ok(());
        };
        let known = known.list()?;
        if known.iter().any(|(id, _)| *id == agent) {
            return Ok(());
        }
        let before = known.into_iter().find(|(_, it)| it.label() == name);
        match before {
            Some((before, _)) => Err(PeerError::NameMoved {
                name: name.to_owned(),
                before,
                now: agent,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// Whether an agent that has no bundle may be dealt with in the compatible formats, by this key.
    pub(crate) async fn meet_compatible(
        &self,
        agent: AgentId,
        label: &str,
        key: EncryptionPublicKey,
    ) -> Result<MetHow> {
        let (mine, label) = (Arc::clone(self.needed_identity()?), label.to_owned());
        let meet =
            move || KnownAgents::load(mine.folder())?.meet_compatible(agent, &label, key, now());
        blocking(meet).await
    }

    /// By what an agent is known that was met.
    pub(crate) fn known_by(&self, agent: AgentId, met: MetHow) -> Result<Option<KnownBy>> {
        let known = self
            .known_agents()?
            .map(|it| it.look_up(agent))
            .transpose()?;
        Ok(known.flatten().map(|it| KnownBy {
            agent,
            key: it.shown_key(agent),
            how: it.how,
            met,
        }))
    }
}
