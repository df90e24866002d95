//! Opening what a person was sent: by the transfer's id in their session, or by the link that was
//! mailed to them.
//!
//! In our own format the envelope is opened first, and says what the files are; what the server says
//! of them is not shown. In that of the published clients names are the server's word.

use std::sync::Arc;

use agentdrop_protocol::wire::downloads::{Download, DownloadFile};
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode, TransferStatus};
use agentdrop_protocol::{LinkToken, TransferId};
use agentdrop_seal::compat::human;
use agentdrop_seal::{OpenError, PublicKey, Salt, SecretKey, person};

use super::opening::Seal;
use super::packed::is_packed;
use super::reception::{Opened, Outcome, Reception, refused};
use super::unlock::bytes;
use super::{Incoming, Received, Recipient, Security};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, PersonError, Result, TrustError, shown};
use crate::receive_passwords::ReceiveKey;
use crate::send::sealing_key;

/// What opens a transfer.
struct Means<'a> {
    mine: &'a SecretKey,
    ephemeral: PublicKey,
    salt: Salt,
}

impl Client {
    /// Opens what the account's owner was sent, in their session: all of its files, or none.
    pub async fn open(
        &self,
        id: TransferId,
        key: &ReceiveKey,
        incoming: Incoming,
    ) -> Result<Received> {
        let listed = match &incoming.listed {
            Some(listed) => listed.clone(),
            None => self.transfer(id).await?,
        };
        if listed.id != id {
            return Err(TrustError::Changed(id).into());
        }
        self.open_by(None, &listed, key, incoming).await
    }

    /// The same, for whoever has the link that was mailed.
    pub async fn open_link(
        &self,
        token: &LinkToken,
        key: &ReceiveKey,
        incoming: Incoming,
    ) -> Result<Received> {
        let listed = match &incoming.listed {
            Some(listed) => listed.clone(),
            None => self.link(token).await?.transfer.transfer,
        };
        self.open_by(Some(token), &listed, key, incoming).await
    }

    async fn open_by(
        &self,
        token: Option<&LinkToken>,
        listed: &Transfer,
        key: &ReceiveKey,
        incoming: Incoming,
    ) -> Result<Received> {
        let id = listed.id;
        if matches!(
            listed.status,
            TransferStatus::Pending | TransferStatus::PendingRecipient
        ) {
            return Err(PersonError::Pending(id).into());
        }
        if listed.mode != TransferMode::AgentToHuman {
            return Err(PersonError::ForAnAgent(id).into());
        }
        if !listed.is_encrypted {
            return Err(TrustError::Plaintext(id).into());
        }
        let announced = listed.encryption_algorithm.as_deref().unwrap_or_default();
        if ![person::ALGORITHM, human::ALGORITHM].contains(&announced) {
            let algorithm = shown(announced);
            let transfer = id;
            return Err(TrustError::UnknownAlgorithm {
                transfer,
                algorithm,
            }
            .into());
        }
        let recipient = Recipient::Person(ForPerson {
            key,
            is_ours: announced == person::ALGORITHM,
        });
        Box::pin(self.take_in(recipient, token, listed, &incoming)).await
    }
}

/// What opens what a person was sent.
pub(super) struct ForPerson<'a> {
    key: &'a ReceiveKey,
    is_ours: bool,
}

impl<'a> ForPerson<'a> {
    pub(super) const fn secret(&self) -> &'a SecretKey {
        self.key.secret()
    }

    /// How many files come beside those that were sent.
    pub(super) const fn envelopes(&self) -> usize {
        self.is_ours as usize
    }

    /// Fetches and opens all files.
    pub(super) async fn open(
        &self,
        reception: &mut Reception<'_>,
        listed: &Transfer,
    ) -> Result<(Vec<Opened>, Outcome)> {
        if reception.grant.encryption_algorithm != listed.encryption_algorithm {
            return Err(TrustError::Changed(listed.id).into());
        }
        let means = means(&reception.grant, self.secret())?;
        if self.is_ours {
            open_ours(reception, &means).await
        } else {
            open_theirs(reception, &means).await
        }
    }
}

/// `AGENTDROP-2-A2H`: the first file is the envelope.
async fn open_ours(
    reception: &mut Reception<'_>,
    means: &Means<'_>,
) -> Result<(Vec<Opened>, Outcome)> {
    let files = reception.grant.files.clone();
    let id = reception.grant.id;
    let wrong = || Error::from(TrustError::Changed(id));
    let (first, rest) = files.split_first().ok_or_else(wrong)?;
    if first.size > person::MAX_ENVELOPE_BYTES || rest.is_empty() {
        return Err(wrong());
    }
    reception.fetch(0).await?;
    let incoming = match open_envelope(reception, means, first).await {
        // What an earlier process left may have been cut short.
        Err(Error::Open { .. }) if reception.fetch_again(0).await? => {
            open_envelope(reception, means, first).await?
        }
        opened => opened?,
    };
    let manifest = incoming.manifest().clone();
    let said = manifest.files.iter().map(|it| it.sealed_size);
    if !said.eq(rest.iter().map(|it| it.size)) {
        return Err(wrong());
    }
    for n in 1..files.len() {
        reception.fetch(n).await?;
    }
    let incoming = Arc::new(incoming);
    let mut opened = Vec::new();
    for (n, said) in (1..).zip(&manifest.files) {
        let i = u32::try_from(n).map_err(|_| wrong())?;
        let seal = Seal::Chunks(Arc::clone(&incoming), i);
        let file = reception.open(n, &said.name, &seal).await?;
        opened.push(Opened {
            is_folder: is_packed(&said.content_type, &said.name),
            ..file
        });
    }
    let outcome = Outcome {
        security: Security::Sealed,
        message: manifest.message,
        sender_key: None,
        peer: None,
        settling: None,
    };
    Ok((opened, outcome))
}

async fn open_envelope(
    reception: &Reception<'_>,
    means: &Means<'_>,
    first: &DownloadFile,
) -> Result<person::Incoming> {
    let id = reception.grant.id;
    let envelope = reception.read(0, person::MAX_ENVELOPE_BYTES).await?;
    let Means {
        mine,
        ephemeral,
        salt,
    } = means;
    let opened = person::Incoming::open(id, mine, ephemeral, salt, &envelope, now());
    opened.map_err(|error| match error {
        OpenError::Expired => PersonError::Expired(id).into(),
        error => refused(error, &first.name),
    })
}

/// What the published clients send: each file one message, with its nonce in front.
async fn open_theirs(
    reception: &mut Reception<'_>,
    means: &Means<'_>,
) -> Result<(Vec<Opened>, Outcome)> {
    let grant = reception.grant.clone();
    let key = human::content_key(means.mine, &means.ephemeral, &means.salt);
    let key = key.map_err(|_| PersonError::ForAnotherReceiveKey(grant.id))?;
    let seal = Seal::Human(Arc::new(key));
    for n in 0..grant.files.len() {
        reception.fetch(n).await?;
    }
    let mut opened = Vec::new();
    for (n, file) in grant.files.iter().enumerate() {
        opened.push(reception.open(n, &file.name, &seal).await?);
    }
    let outcome = Outcome {
        security: Security::Compatible,
        message: grant.message,
        sender_key: None,
        peer: None,
        settling: None,
    };
    Ok((opened, outcome))
}

/// What a grant says of how it opens. Whatever is missing for that is an error.
fn means<'a>(grant: &Download, mine: &'a SecretKey) -> Result<Means<'a>> {
    let incomplete = |what| TrustError::Incomplete {
        transfer: grant.id,
        what,
    };
    let recipient = grant.recipient_public_key;
    let recipient = recipient.ok_or_else(|| incomplete("its recipient's key is not named"))?;
    if sealing_key(&recipient) != mine.public_key() {
        return Err(PersonError::ForAnotherReceiveKey(grant.id).into());
    }
    let what = "its key is missing or no base64";
    let ephemeral = bytes(grant.id, grant.encrypted_key.as_deref(), what)?;
    let ephemeral = PublicKey::try_from(&*ephemeral).map_err(|_| incomplete("its key is none"))?;
    let what = "its salt is missing or no base64";
    let salt = bytes(grant.id, grant.encryption_salt.as_deref(), what)?;
    let salt = Salt::try_from(&*salt).map_err(|_| incomplete("its salt is not 32 bytes"))?;
    Ok(Means {
        mine,
        ephemeral,
        salt,
    })
}
