//! What seals for an agent.
//!
//! The recipient's key is asked for twice, by name and by channel, and both answers must agree.

use agentdrop_protocol::wire::agents::ResolvedAgent;
use agentdrop_protocol::wire::channels::ChannelStatus;
use agentdrop_protocol::{AgentRef, EncryptionPublicKey, ErrorCode};
use agentdrop_seal::compat::{Algorithm, channel, wrapped};
use agentdrop_seal::{ContentKey, PublicKey, Salt, SealError, SecretKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::Client;
use crate::error::{Error, Result, TrustError};
use crate::identity::Identity;

impl Client {
    /// Who the recipient is, and what seals files for it.
    pub(super) async fn seal_for(
        &self,
        mine: &Identity,
        recipient: &AgentRef,
        account: Option<&str>,
    ) -> Result<(ResolvedAgent, Seal)> {
        let (resolved, their_key) = self.resolve_key(recipient, account).await?;
        let peer = sealing_key(&their_key);
        let myself = mine.agent_uuid() == Some(resolved.id);
        if myself && peer != mine.secret().public_key() {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        let seal = if myself {
            // An agent has no channel with itself.
            let key = ContentKey::generate()?;
            let wrapped = wrapped::wrap(&key, mine.secret(), &peer)?;
            Seal {
                key,
                fields: vec![
                    ("encryption_algorithm", Algorithm::Wrapped.to_string()),
                    ("encrypted_key", STANDARD.encode(wrapped.as_bytes())),
                ],
            }
        } else {
            self.seal_for_peer(mine, &resolved, &their_key).await?
        };
        Ok((resolved, seal))
    }

    /// The same, for who sends as a person: with a key that is drawn for this transfer and then gone.
    pub(super) async fn seal_as_person(
        &self,
        recipient: &AgentRef,
        account: Option<&str>,
    ) -> Result<(ResolvedAgent, Seal)> {
        let (resolved, their_key) = self.resolve_key(recipient, account).await?;
        let (key, ephemeral) = (ContentKey::generate()?, SecretKey::generate()?);
        let wrapped = wrapped::wrap(&key, &ephemeral, &sealing_key(&their_key))?;
        let public_key = ephemeral.public_key();
        let seal = Seal {
            key,
            fields: vec![
                ("encryption_algorithm", Algorithm::Wrapped.to_string()),
                ("encrypted_key", STANDARD.encode(wrapped.as_bytes())),
                ("sender_public_key", STANDARD.encode(public_key.as_bytes())),
            ],
        };
        Ok((resolved, seal))
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

    async fn seal_for_peer(
        &self,
        mine: &Identity,
        resolved: &ResolvedAgent,
        their_key: &EncryptionPublicKey,
    ) -> Result<Seal> {
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
        let salt = Salt::generate()?;
        let key = channel::content_key(mine.secret(), &sealing_key(their_key), &salt);
        Ok(Seal {
            key: key.map_err(SealError::from)?,
            fields: vec![
                ("encryption_algorithm", Algorithm::Channel.to_string()),
                ("channel_id", created.id.to_string()),
                ("encryption_salt", STANDARD.encode(salt.as_bytes())),
            ],
        })
    }
}

/// What seals a transfer, and how it is announced.
pub(super) struct Seal {
    pub(super) key: ContentKey,
    pub(super) fields: Vec<(&'static str, String)>,
}

/// The key as the sealing side has it. What the wire type let through is no point of low order.
pub(crate) fn sealing_key(key: &EncryptionPublicKey) -> PublicKey {
    PublicKey::from_bytes(*key.as_bytes()).expect("the wire type refuses points of low order")
}
