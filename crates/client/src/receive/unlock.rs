//! Which key opens a transfer.
//!
//! In a channel both sides derive it, so the sender's public key decides. Two answers name it: the
//! grant, which has the key of the time of sending, and the channel, which has the key of today. Where
//! they differ, the sender got a new key in between (then its version in the channel is above one, and
//! the grant's is the one to open with), or one answer is a lie. Both come from the same server, so
//! this finds contradictions, and not a server that lies well: for that a key must be pinned.

use agentdrop_protocol::wire::channels::Channel;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::{EncryptionPublicKey, TransferId};
use agentdrop_seal::compat::{Algorithm, channel, wrapped};
use agentdrop_seal::{ContentKey, Nonce, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::Client;
use crate::error::{Result, TrustError, shown};
use crate::identity::Identity;
use crate::send::sealing_key;

/// What opens the files of a transfer.
#[derive(Debug)]
pub(super) struct Unlocked {
    pub(super) key: ContentKey,
    /// One a file, in the order of the grant.
    pub(super) nonces: Vec<Nonce>,
    pub(super) sender_key: EncryptionPublicKey,
}

impl Client {
    /// Finds what opens the files of a grant. Whatever is missing for that is an error.
    pub(super) async fn unlock(&self, grant: &Download) -> Result<Unlocked> {
        let mine = self.needed_identity()?;
        let incomplete = |what| TrustError::Incomplete {
            transfer: grant.id,
            what,
        };
        if grant
            .recipient_public_key
            .is_some_and(|it| it != mine.public_key())
        {
            return Err(TrustError::SealedForAnotherKey(grant.id).into());
        }
        let algorithm = grant.encryption_algorithm.as_deref();
        let algorithm = algorithm.ok_or_else(|| incomplete("its algorithm is not named"))?;
        let (key, sender_key) = match algorithm.parse() {
            Ok(Algorithm::Channel) => self.unlock_channel(mine, grant).await?,
            Ok(Algorithm::Wrapped) => unwrap(mine, grant)?,
            // What is sealed for a person opens with a person's password, which an agent has not.
            _ => {
                let algorithm = shown(algorithm);
                return Err(TrustError::UnknownAlgorithm {
                    transfer: grant.id,
                    algorithm,
                }
                .into());
            }
        };
        Ok(Unlocked {
            key,
            nonces: nonces(grant)?,
            sender_key,
        })
    }

    async fn unlock_channel(
        &self,
        mine: &Identity,
        grant: &Download,
    ) -> Result<(ContentKey, EncryptionPublicKey)> {
        let incomplete = |what| TrustError::Incomplete {
            transfer: grant.id,
            what,
        };
        let channel = grant
            .channel_id
            .ok_or_else(|| incomplete("its channel is not named"))?;
        let salt = bytes(
            grant.id,
            grant.encryption_salt.as_deref(),
            "its salt is missing or no base64",
        )?;
        let salt = Salt::try_from(&*salt).map_err(|_| incomplete("its salt is not 32 bytes"))?;
        let channel = self.channel(channel).await?;
        let (peer, version) = peer(mine, &channel).ok_or(TrustError::WrongChannel(grant.id))?;
        let sender_key = match (grant.sender_public_key, peer) {
            (Some(then), Some(today)) if then == today || version > 1 => then,
            (Some(_), Some(_)) => return Err(TrustError::PeerKeyDiffers.into()),
            // It has disconnected since, and has no key today.
            (Some(then), None) => then,
            (None, Some(today)) => today,
            (None, None) => return Err(incomplete("its sender has no key").into()),
        };
        let key = channel::content_key(mine.secret(), &sealing_key(&sender_key), &salt);
        let key = key.map_err(|_| TrustError::SealedForAnotherKey(grant.id))?;
        Ok((key, sender_key))
    }
}

/// Unwraps the key that the sender drew and wrapped; a person's browser draws its own key pair too,
/// which is then the sender's.
fn unwrap(
    mine: &Identity,
    grant: &Download,
) -> Result<(ContentKey, EncryptionPublicKey), TrustError> {
    let incomplete = |what| TrustError::Incomplete {
        transfer: grant.id,
        what,
    };
    let sender_key = grant.sender_public_key;
    let sender_key = sender_key.ok_or_else(|| incomplete("its sender's key is missing"))?;
    let wrapped = bytes(
        grant.id,
        grant.encrypted_key.as_deref(),
        "its key is missing or no base64",
    )?;
    let wrapped = wrapped::WrappedKey::try_from(&*wrapped)
        .map_err(|_| incomplete("its key is not of the right length"))?;
    let key = wrapped::unwrap(&wrapped, mine.secret(), &sealing_key(&sender_key))
        .map_err(|_| TrustError::SealedForAnotherKey(grant.id))?;
    Ok((key, sender_key))
}

fn nonces(grant: &Download) -> Result<Vec<Nonce>, TrustError> {
    let what = "the nonce of a file is not 12 bytes";
    let wrong = |_| TrustError::Incomplete {
        transfer: grant.id,
        what,
    };
    let nonces = grant.files.iter().map(|file| {
        let nonce = bytes(
            grant.id,
            file.encryption_iv.as_deref(),
            "the nonce of a file is missing or no base64",
        )?;
        Nonce::try_from(&*nonce).map_err(wrong)
    });
    nonces.collect()
}

pub(super) fn bytes(
    transfer: TransferId,
    text: Option<&str>,
    what: &'static str,
) -> Result<Vec<u8>, TrustError> {
    let text = text.filter(|it| !it.is_empty());
    let bytes = text.and_then(|it| STANDARD.decode(it).ok());
    bytes.ok_or(TrustError::Incomplete { transfer, what })
}

/// The key of the other agent of a channel, with its version; `None` if neither of the two is this one.
fn peer(mine: &Identity, channel: &Channel) -> Option<(Option<EncryptionPublicKey>, u32)> {
    let a = (channel.agent_a_public_key, channel.agent_a_key_version);
    let b = (channel.agent_b_public_key, channel.agent_b_key_version);
    // The published client's file may not say which agent it is, and its key does.
    let is_mine = |id, key| match mine.agent_uuid() {
        Some(mine) => mine == id,
        None => key == Some(mine.public_key()),
    };
    if is_mine(channel.agent_a_id, a.0) {
        Some(b)
    } else if is_mine(channel.agent_b_id, b.0) {
        Some(a)
    } else {
        None
    }
}
