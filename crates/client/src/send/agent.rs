//! What seals for an agent.
//!
//! The recipient's key is asked for twice, by name and by channel, and both answers must agree.

use agentdrop_protocol::wire::agents::ResolvedAgent;
use agentdrop_protocol::wire::channels::ChannelStatus;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{AgentId, AgentRef, ChannelId, EncryptionPublicKey, ErrorCode};
use agentdrop_seal::compat::{Algorithm, channel, wrapped};
use agentdrop_seal::{ContentKey, Nonce, PublicKey, Salt, SealError, SecretKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::native::ToPeer;
use super::plan::{Object, Peer, Plan, Said, Seal};
use super::source::Source;
use super::{Outgoing, Way};
use crate::client::Client;
use crate::error::{Error, Peer as PeerName, PeerError, Result, TrustError};
use crate::identity::Identity;
use crate::peers::KnownBy;
use crate::trust::MetHow;

/// The way to an agent: who it is, and between which keys it goes.
pub(super) struct ToAgent {
    recipient: ResolvedAgent,
    their_key: EncryptionPublicKey,
    between: Between,
    met: Option<MetHow>,
}

/// What the key of the files hangs on.
enum Between {
    /// The keys of two agents.
    Channel(ChannelId),
    /// The agent's own key alone: it has no channel with itself.
    Oneself,
    /// A key that a person draws for one transfer, and the agent's.
    Person,
}

impl Client {
    /// Finds the way to an agent. `mine` is the agent that sends, if one does.
    pub(super) async fn way_to_agent(
        &self,
        mine: Option<&Identity>,
        recipient: &AgentRef,
        account: Option<&str>,
    ) -> Result<Way> {
        let (resolved, their_key) = self.resolve_key(recipient, account).await?;
        let label = resolved.agent_id.as_str();
        if matches!(recipient, AgentRef::Slug(_)) {
            self.expect_name(resolved.id, label)?;
        }
        let mut met = None;
        if mine.is_none() {
            self.expect_known_key(resolved.id, their_key)?;
        }
        if let Some(mine) = mine {
            if let Some(keyring) = self.published_keyring().await?
                && let Some(met) = self.meet(resolved.id, label).await?
            {
                return Ok(Way::Peer(Box::new(ToPeer::new(resolved, keyring, met))));
            }
            // Refused, if it was known by more, or by another key.
            if mine.agent_uuid() != Some(resolved.id) {
                met = Some(self.meet_compatible(resolved.id, label, their_key).await?);
            }
        }
        let between = match mine {
            None => Between::Person,
            Some(mine) if mine.agent_uuid() == Some(resolved.id) => {
                if sealing_key(&their_key) != mine.secret().public_key() {
                    return Err(TrustError::OwnKeyDiffers.into());
                }
                Between::Oneself
            }
            Some(mine) => Between::Channel(self.open_channel(mine, &resolved, &their_key).await?),
        };
        Ok(Way::Agent(Box::new(ToAgent {
            recipient: resolved,
            their_key,
            between,
            met,
        })))
    }

    /// A person seals for the X25519 key: where the agent beside knows the recipient, it has to be the one
    /// that is known, which the recipient's bundle vouches for.
    fn expect_known_key(&self, agent: AgentId, key: EncryptionPublicKey) -> Result<()> {
        let Some(known) = self.known_agents()? else {
            return Ok(());
        };
        known.expect_unblocked(agent)?;
        match known.look_up(agent)? {
            Some(it) if it.compatible != key => Err(PeerError::KeyChanged {
                peer: PeerName {
                    agent,
                    label: it.label(),
                },
                known: it.compatible.to_string(),
                offered: key.to_string(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Who the recipient is, and its key.
    async fn resolve_key(
        &self,
        recipient: &AgentRef,
        account: Option<&str>,
    ) -> Result<(ResolvedAgent, EncryptionPublicKey)> {
        let resolved = self.resolve(recipient, account).await;
        let resolved = resolved.map_err(|error| match error {
            Error::Api(answer) if answer.code == ErrorCode::NotFound => {
                Error::NoSuchAgent(recipient.clone())
            }
            error => error,
        })?;
        let no_key = || TrustError::E2eeUnavailable(recipient.to_string());
        let their_key = resolved.public_key.ok_or_else(no_key)?;
        Ok((resolved, their_key))
    }

    async fn open_channel(
        &self,
        mine: &Identity,
        resolved: &ResolvedAgent,
        their_key: &EncryptionPublicKey,
    ) -> Result<ChannelId> {
        let created = self
            .create_channel(&mine.agent_ref(), &AgentRef::Id(resolved.id))
            .await?;
        if sealing_key(&created.my_public_key) != mine.secret().public_key() {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        if created.their_public_key != *their_key || created.their_agent_id != resolved.id {
            return Err(TrustError::PeerKeyDiffers.into());
        }
        if created.status != ChannelStatus::Active {
            return Err(TrustError::ChannelClosed(created.status.as_str()).into());
        }
        Ok(created.id)
    }
}

impl ToAgent {
    pub(super) fn known_by(&self, client: &Client) -> Result<Option<KnownBy>> {
        let known = self.met.map(|it| client.known_by(self.recipient.id, it));
        Ok(known.transpose()?.flatten())
    }

    /// What has to be the same for an upload to go on.
    pub(super) fn peer(&self, mine: Option<&Identity>) -> Peer {
        Peer {
            recipient: self.recipient.id.to_string(),
            key: Some(self.their_key.to_string()),
            key_version: Some(self.recipient.key_version),
            channel: match self.between {
                Between::Channel(id) => Some(id.to_string()),
                Between::Oneself | Between::Person => None,
            },
            sender: mine.map(|it| (it.agent_ref().to_string(), it.public_key().to_string())),
        }
    }

    /// Draws a key for the files, and says what is sent.
    pub(super) fn plan(
        &self,
        mine: Option<&Identity>,
        outgoing: &Outgoing,
        sources: &[Source],
    ) -> Result<Plan> {
        let mut said = Said::default();
        if let Some(mine) = mine {
            said.add("sender", mine.agent_id().as_str());
            said.mode(TransferMode::AgentToAgent);
        } else {
            said.mode(TransferMode::HumanToAgent);
        }
        said.add("recipient", self.recipient.id.to_string());
        if let Some(account) = &outgoing.account {
            said.add("recipient_account", account);
        }
        said.add("is_encrypted", "true");
        said.add(
            "recipient_key_version",
            self.recipient.key_version.to_string(),
        );
        let key = self.draw(mine, &mut said)?;
        outgoing.say_terms(&mut said);
        outgoing.say_message(&mut said);
        super::say_folders(&mut said, sources);
        let object = |source| Ok(Object::message(source, Nonce::generate()?));
        let objects: Vec<_> = sources.iter().map(object).collect::<Result<_>>()?;
        let nonces = outgoing_nonces(&objects);
        // A JSON array, in the order of the files.
        said.add("encryption_ivs", nonces.to_string());
        Ok(Plan {
            said,
            seal: Seal::Messages(key),
            objects,
            writer: None,
        })
    }

    fn draw(&self, mine: Option<&Identity>, said: &mut Said) -> Result<ContentKey> {
        let theirs = sealing_key(&self.their_key);
        let key = match (&self.between, mine) {
            (Between::Channel(id), Some(mine)) => {
                let salt = Salt::generate()?;
                said.add("encryption_algorithm", Algorithm::Channel.to_string());
                said.add("channel_id", id.to_string());
                said.add("encryption_salt", STANDARD.encode(salt.as_bytes()));
                let key = channel::content_key(mine.secret(), &theirs, &salt);
                return Ok(key.map_err(SealError::from)?);
            }
            (_, Some(mine)) => {
                let key = ContentKey::generate()?;
                say_wrapped(said, &key, mine.secret(), &theirs)?;
                key
            }
            (_, None) => {
                let (key, ephemeral) = (ContentKey::generate()?, SecretKey::generate()?);
                say_wrapped(said, &key, &ephemeral, &theirs)?;
                let public_key = ephemeral.public_key();
                said.add("sender_public_key", STANDARD.encode(public_key.as_bytes()));
                key
            }
        };
        Ok(key)
    }
}

fn say_wrapped(
    said: &mut Said,
    key: &ContentKey,
    mine: &SecretKey,
    theirs: &PublicKey,
) -> Result<()> {
    let wrapped = wrapped::wrap(key, mine, theirs)?;
    said.add("encryption_algorithm", Algorithm::Wrapped.to_string());
    said.add("encrypted_key", STANDARD.encode(wrapped.as_bytes()));
    Ok(())
}

fn outgoing_nonces(objects: &[Object]) -> serde_json::Value {
    let nonces = objects.iter().filter_map(|it| match &it.making {
        super::plan::Making::Message(nonce) => Some(STANDARD.encode(nonce.as_bytes())),
        _ => None,
    });
    nonces.collect()
}

/// The key as the sealing side has it. What the wire type let through is no point of low order.
pub(crate) fn sealing_key(key: &EncryptionPublicKey) -> PublicKey {
    PublicKey::from_bytes(*key.as_bytes()).expect("the wire type refuses points of low order")
}
