//! Opening what a person was sent: by the transfer's id in their session, or by the link that was
//! mailed to them.
//!
//! In our own format the envelope is opened first, and says what the files are; what the server says
//! of them is not shown. In that of the published clients names are the server's word.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::transfers::{
    Acknowledge, DeliveryStatus, Transfer, TransferMode, TransferStatus,
};
use agentdrop_protocol::{FileName, LinkToken, TransferId};
use agentdrop_seal::compat::human;
use agentdrop_seal::{OpenError, PublicKey, Salt, SecretKey, person};
use tokio_util::sync::CancellationToken;

use super::place::Quarantine;
use super::unlock::bytes;
use super::{
    Incoming, Received, ReceivedFile, Security, Watched, Work, blocking, check, in_place, refused,
};
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

/// What was opened, and waits to be placed.
struct Opened {
    names: Vec<FileName>,
    bytes: Vec<u64>,
    security: Security,
    message: Option<agentdrop_protocol::text::Message>,
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
        // All of this before the grant, too: a folder that cannot be written to must not cost a download.
        let (folder, count) = (incoming.folder, listed.files.len());
        let quarantine = blocking(move || Quarantine::make(&folder, 2 * count)).await?;
        let grant = match token {
            Some(token) => self.download_link(token).await?,
            None => self.download(id).await?,
        };
        let is_ours = announced == person::ALGORITHM;
        check(&grant, listed, MAX_FILES + usize::from(is_ours))?;
        if grant.encryption_algorithm != listed.encryption_algorithm {
            return Err(TrustError::Changed(id).into());
        }
        let means = means(&grant, key.secret())?;
        let work = Work {
            total_bytes: grant.files.iter().map(|it| it.size).sum(),
            watcher: incoming.watcher,
            stop: CancellationToken::new(),
        };
        let _stop_with_us = work.stop.clone().drop_guard();
        let opened = if is_ours {
            self.open_ours(&work, &grant, &means, &quarantine).await?
        } else {
            self.open_theirs(&work, &grant, &means, &quarantine).await?
        };
        let names: Vec<FileName> = opened
            .names
            .iter()
            .map(|it| FileName::cleaned(it.as_str()))
            .collect();
        let paths = blocking(move || quarantine.place(&names)).await?;
        let files = paths.into_iter().zip(opened.names).zip(opened.bytes);
        let files = files.map(|((path, name), bytes)| ReceivedFile { path, name, bytes });
        let (download_id, status) = (grant.download_id, DeliveryStatus::Received);
        let acknowledged = if let Some(token) = token {
            let body = Acknowledge {
                download_id,
                status,
                reason: None,
            };
            self.acknowledge_link(token, &body).await
        } else {
            self.acknowledge(id, download_id, status, None).await
        };
        Ok(Received {
            id,
            mode: TransferMode::AgentToHuman,
            sender: grant.sender,
            message: opened.message,
            security: opened.security,
            sender_key: None,
            files: files.collect(),
            unacknowledged: acknowledged.err(),
        })
    }

    /// `AGENTDROP-2-A2H`: the first file is the envelope.
    async fn open_ours(
        &self,
        work: &Work,
        grant: &Download,
        means: &Means<'_>,
        quarantine: &Quarantine,
    ) -> Result<Opened> {
        let wrong = || Error::from(TrustError::Changed(grant.id));
        let (first, rest) = grant.files.split_first().ok_or_else(wrong)?;
        if first.size > person::MAX_ENVELOPE_BYTES || rest.is_empty() {
            return Err(wrong());
        }
        // It stands behind the places of the files, and goes with the folder.
        let into = quarantine.create(rest.len())?;
        let envelope = self.fetch(work, 0, first, into, grant).await?;
        let envelope = blocking(move || read_all(envelope)).await?;
        let Means {
            mine,
            ephemeral,
            salt,
        } = means;
        let incoming = person::Incoming::open(grant.id, mine, ephemeral, salt, &envelope, now());
        let incoming = incoming.map_err(|error| match error {
            OpenError::Expired => PersonError::Expired(grant.id).into(),
            error => refused(error, &first.name),
        })?;
        let manifest = incoming.manifest().clone();
        let said = manifest.files.iter().map(|it| it.sealed_size);
        if !said.eq(rest.iter().map(|it| it.size)) {
            return Err(wrong());
        }
        let incoming = Arc::new(incoming);
        let mut bytes = Vec::new();
        for (n, (file, said)) in rest.iter().zip(&manifest.files).enumerate() {
            let into = quarantine.create(n)?;
            let sealed = self.fetch(work, n + 1, file, into, grant).await?;
            let sealed = work.watched(n + 1, sealed, grant, 1);
            let (incoming, i) = (Arc::clone(&incoming), u32::try_from(n + 1));
            let i = i.map_err(|_| wrong())?;
            let open = move |sealed| incoming.open_in_place(i, sealed);
            bytes.push(in_place(sealed, said.name.clone(), open).await?);
        }
        Ok(Opened {
            names: manifest.files.into_iter().map(|it| it.name).collect(),
            bytes,
            security: Security::Sealed,
            message: manifest.message,
        })
    }

    /// What the published clients send: each file one message, with its nonce in front.
    async fn open_theirs(
        &self,
        work: &Work,
        grant: &Download,
        means: &Means<'_>,
        quarantine: &Quarantine,
    ) -> Result<Opened> {
        let key = human::content_key(means.mine, &means.ephemeral, &means.salt);
        let key = key.map_err(|_| PersonError::ForAnotherReceiveKey(grant.id))?;
        let key = Arc::new(key);
        let mut bytes = Vec::new();
        for (n, file) in grant.files.iter().enumerate() {
            let into = quarantine.create(grant.files.len() + n)?;
            let sealed = self.fetch(work, n, file, into, grant).await?;
            let sealed: Watched = work.watched(n, sealed, grant, 2);
            let (opened, key, name) = (quarantine.create(n)?, Arc::clone(&key), file.name.clone());
            let opening = blocking(move || {
                let failed = |error| refused(error, &name);
                let sealed = human::sealed_file(sealed).map_err(failed)?;
                let verified = sealed.verify(&key).map_err(failed)?;
                let bytes = verified.open_to(&opened).map_err(failed)?;
                let synced = opened.sync_all();
                synced.map_err(Error::io("write", name.as_str()))?;
                Ok(bytes)
            });
            bytes.push(opening.await?);
        }
        Ok(Opened {
            names: grant.files.iter().map(|it| it.name.clone()).collect(),
            bytes,
            security: Security::Compatible,
            message: grant.message.clone(),
        })
    }
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

fn read_all(mut file: std::fs::File) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = file.seek(SeekFrom::Start(0));
    let read = read.and_then(|_| {
        file.take(person::MAX_ENVELOPE_BYTES)
            .read_to_end(&mut content)
    });
    read.map_err(Error::io("read", "the envelope"))?;
    Ok(content)
}
