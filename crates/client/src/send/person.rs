//! Sending to a person: sealed where they have a key, and else only if the caller lets the server
//! encrypt.

use std::sync::{Arc, Mutex, PoisonError};

use agentdrop_protocol::limits::DEFAULT_DOWNLOADS;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{EncryptionPublicKey, TransferId};
use agentdrop_seal::person::{self, About, Policy};
use agentdrop_seal::random_bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::agent::sealing_key;
use super::plan::{Object, Peer, Plan, Said, Seal};
use super::source::Source;
use super::{Outgoing, Sources, Unenrolled, chunks};
use crate::client::Client;
use crate::clock::now;
use crate::error::{PersonError, Result};
use crate::identity::Identity;

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
    pub(super) const fn is_sealed(&self) -> bool {
        self.key.is_some()
    }

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
            writer: None,
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

    let (keys, reading) = (seal.file_keys(), seal.file_keys());
    let envelope = move |files| Ok(seal.envelope(about, files)?);
    let objects = chunks::objects(reading, outgoing, sources, envelope).await?;
    Ok(Plan {
        said,
        seal: Seal::Chunks(keys),
        objects,
        writer: None,
    })
}

/// The sources, for whichever thread reads them.
pub(super) fn shared(sources: Vec<Source>) -> Sources {
    Arc::new(Mutex::new(sources))
}
