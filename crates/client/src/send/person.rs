//! Sending to a person: sealed where they have a key, and else only if the caller lets the server
//! encrypt.

use std::sync::{Arc, Mutex, PoisonError};

use agentdrop_protocol::limits::DEFAULT_DOWNLOADS;
use agentdrop_protocol::text::{ContentType, Email};
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{EncryptionPublicKey, FileName, TransferId};
use agentdrop_seal::person::{self, About, FileSalt, Policy, Sealed};
use agentdrop_seal::random_bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_util::sync::CancellationToken;

use super::agent::sealing_key;
use super::plan::{Making, Object, Peer, Plan, Said, Seal};
use super::source::{PIECE_BYTES, Source};
use super::{Outgoing, Sources, Unenrolled};
use crate::client::Client;
use crate::clock::now;
use crate::error::{PersonError, Result};
use crate::identity::Identity;
use crate::progress::{Phase, Watcher};

/// The way to a person.
pub(super) struct ToPerson {
    email: Email,
    /// None, where the server encrypts.
    key: Option<EncryptionPublicKey>,
    /// What the sender calls itself: the agent's name, or the address of who sends without one.
    sender: String,
}

impl Client {
    /// Finds the way to a person.
    pub(super) async fn way_to_person(
        &self,
        email: &Email,
        outgoing: &Outgoing,
        unenrolled: Unenrolled,
    ) -> Result<ToPerson> {
        // Where this fails nothing is sent: not to know of a key is not to know that there is none.
        let key = self.recipient_key(email).await?;
        if key.is_none() && unenrolled == Unenrolled::Refuse {
            return Err(PersonError::RecipientHasNoKey(email.clone()).into());
        }
        let sender = match self.sending(outgoing.sender) {
            Some(identity) => identity.agent_id().to_string(),
            None => self.account().await?.email.as_str().to_owned(),
        };
        Ok(ToPerson {
            email: email.clone(),
            key,
            sender,
        })
    }
}

impl ToPerson {
    /// What has to be the same for an upload to go on.
    pub(super) fn peer(&self, mine: Option<&Identity>) -> Peer {
        Peer {
            recipient: self.email.as_str().to_owned(),
            key: self.key.as_ref().map(ToString::to_string),
            sender: mine.map(|it| (it.agent_ref().to_string(), String::new())),
            ..Peer::default()
        }
    }

    /// Draws keys, reads the files to tell ahead of them what they are, and says what is sent.
    pub(super) async fn plan(
        &self,
        mine: Option<&Identity>,
        outgoing: &Outgoing,
        sources: &Sources,
    ) -> Result<Plan> {
        let mut said = Said::default();
        said.add("sender", &self.sender);
        said.add("recipient", self.email.as_str());
        said.mode(TransferMode::AgentToHuman);
        outgoing.say_terms(&mut said);
        if let Some(key) = &self.key {
            return sealed(key, mine, outgoing, said, sources).await;
        }
        outgoing.say_message(&mut said);
        let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        super::say_folders(&mut said, &sources);
        Ok(Plan {
            said,
            seal: Seal::Nothing,
            objects: sources.iter().map(Object::plain).collect(),
        })
    }
}

/// Seals for `key`: the envelope, and behind it the files, whose names the server does not learn.
async fn sealed(
    key: &EncryptionPublicKey,
    mine: Option<&Identity>,
    outgoing: &Outgoing,
    mut said: Said,
    sources: &Sources,
) -> Result<Plan> {
    let created = now();
    // Before its bytes are sealed: they are bound to it.
    let id = TransferId::new(created, random_bytes()?);
    let seal = person::Outgoing::generate(id, &sealing_key(key))?;
    let lifetime = outgoing.expires_in.unwrap_or_default();
    let about = About {
        sender: mine.and_then(Identity::agent_uuid),
        message: outgoing.message.clone(),
        created,
        expires: created.plus(lifetime.as_duration()),
        policy: Policy {
            max_downloads: outgoing.max_downloads.unwrap_or(DEFAULT_DOWNLOADS),
            auto_delete: outgoing.deletes(),
        },
    };
    said.add("is_encrypted", "true");
    said.add("encryption_algorithm", person::ALGORITHM);
    said.add("encrypted_key", STANDARD.encode(seal.ephemeral.as_bytes()));
    said.add("encryption_salt", STANDARD.encode(seal.salt.as_bytes()));
    said.add("recipient_public_key", STANDARD.encode(key.as_bytes()));
    let digits = id.to_string();
    said.add("transfer_id", digits.trim_start_matches("tr_"));

    let stop = CancellationToken::new();
    let _stop_with_us = stop.clone().drop_guard();
    let (watcher, sources) = (outgoing.watcher.clone(), Arc::clone(sources));
    let keys = seal.file_keys();
    let reading = tokio::task::spawn_blocking(move || {
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Reading {
            seal: &seal,
            watcher: &watcher,
            stop: &stop,
            total_bytes: sources.iter().map(|it| it.bytes).sum(),
        };
        reading.objects(&mut sources, about)
    });
    let mut objects = reading.await.expect("sealing does not panic")?;
    for (n, object) in objects.iter_mut().enumerate().skip(1) {
        let name: FileName = n.to_string().parse().expect("a number is a name");
        object.name = name;
    }
    Ok(Plan {
        said,
        seal: Seal::Chunks(keys),
        objects,
    })
}

/// Files that are read ahead of being sent: the envelope holds their digests, and goes first.
struct Reading<'a> {
    seal: &'a person::Outgoing,
    watcher: &'a Watcher,
    stop: &'a CancellationToken,
    total_bytes: u64,
}

impl Reading<'_> {
    fn objects(&self, sources: &mut [Source], about: About) -> Result<Vec<Object>> {
        let (mut objects, mut files) = (Vec::new(), Vec::new());
        let mut done_bytes = 0;
        for (i, source) in (1..).zip(sources) {
            let salt = FileSalt::generate()?;
            let expected = self.digest(i, source, salt, &mut done_bytes)?;
            files.push(person::File {
                name: source.name.clone(),
                content_type: ContentType::octet_stream(),
                size: expected.size,
                sealed_size: expected.sealed_size,
                sealed_sha256: expected.sealed_sha256,
            });
            // What is sent is what was read, or nothing: so the salt is used for one text alone.
            objects.push(Object {
                name: source.name.clone(),
                sealed_bytes: expected.sealed_size,
                making: Making::Chunks { salt, expected },
            });
        }
        let envelope = self.seal.envelope(about, files)?;
        let envelope = Object {
            name: person::ENVELOPE.parse().expect("a word is a name"),
            sealed_bytes: envelope.len() as u64,
            making: Making::Ready(envelope.into()),
        };
        objects.insert(0, envelope);
        Ok(objects)
    }

    /// Seals a file without keeping anything of it but what it comes to.
    fn digest(
        &self,
        i: u32,
        source: &mut Source,
        salt: FileSalt,
        done_bytes: &mut u64,
    ) -> Result<Sealed> {
        let mut sealed = Vec::new();
        let mut sealer = self.seal.file(i, salt, &mut sealed);
        source.rewind()?;
        let (mut left, mut piece) = (source.bytes, vec![0; PIECE_BYTES]);
        while left > 0 && !self.stop.is_cancelled() {
            let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            piece.truncate(len);
            source.read_whole(&mut piece)?;
            sealed.clear();
            sealer.update(&piece, &mut sealed)?;
            left -= len as u64;
            *done_bytes += len as u64;
            self.watcher
                .report(Phase::Reading, *done_bytes, self.total_bytes);
        }
        source.expect_end()?;
        source.rewind()?;
        Ok(sealer.finish(&mut sealed)?)
    }
}

/// The sources, for whichever thread reads them.
pub(super) fn shared(sources: Vec<Source>) -> Sources {
    Arc::new(Mutex::new(sources))
}
