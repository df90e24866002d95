//! Sending to a person: sealed where they have a key, and else only if the caller lets the server
//! encrypt.

use agentdrop_protocol::limits::DEFAULT_DOWNLOADS;
use agentdrop_protocol::text::{ContentType, Email};
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{EncryptionPublicKey, ErrorCode, FileName, TransferId};
use agentdrop_seal::person::{self, About, FileSalt, Policy, Sealed};
use agentdrop_seal::random_bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_util::sync::CancellationToken;

use super::agent::sealing_key;
use super::pump::{Part, Sealer};
use super::source::{PIECE_BYTES, Source, expect_end, open_all, read_whole, rewind};
use super::{Outgoing, Unenrolled};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, PersonError, Result};
use crate::identity::Identity;
use crate::multipart::Form;
use crate::progress::{Phase, Watcher};

impl Client {
    pub(super) async fn send_to_person(
        &self,
        email: &Email,
        outgoing: &Outgoing,
    ) -> Result<Transfer> {
        match self
            .once_to_person(email, outgoing, outgoing.unenrolled)
            .await
        {
            // They have set another key since it was asked for: once more, for that one. If there is
            // none now it is refused, whatever was said before: there was one a moment ago, so that
            // whoever agreed did not know what is true now.
            Err(Error::Api(it)) if it.code == ErrorCode::KeyChanged => {
                self.once_to_person(email, outgoing, Unenrolled::Refuse)
                    .await
            }
            sent => sent,
        }
    }

    async fn once_to_person(
        &self,
        email: &Email,
        outgoing: &Outgoing,
        unenrolled: Unenrolled,
    ) -> Result<Transfer> {
        let sources = open_all(outgoing.files.clone()).await?;
        // Where this fails nothing is sent: not to know of a key is not to know that there is none.
        let key = self.recipient_key(email).await?;
        let mut form = Form::new()?;
        form.field("sender", &self.sender_label(outgoing).await?);
        form.field("recipient", email.as_str());
        form.field("mode", TransferMode::AgentToHuman.as_str());
        outgoing.write_terms(&mut form);
        let is_sealed = key.is_some();
        let parts = match (key, unenrolled) {
            (Some(key), _) => self.seal_parts(&key, outgoing, sources, &mut form).await?,
            (None, Unenrolled::LetServerEncrypt) => {
                outgoing.write_message(&mut form);
                let plain = |source: Source| {
                    let name = source.name.clone();
                    let part = Part::File(source, Sealer::Plain);
                    form.file(&name, part.bytes());
                    part
                };
                sources.into_iter().map(plain).collect()
            }
            (None, Unenrolled::Refuse) => {
                return Err(PersonError::RecipientHasNoKey(email.clone()).into());
            }
        };
        let sent = self.upload(form, parts, outgoing.watcher.clone()).await?;
        if sent.is_encrypted != is_sealed {
            // It is shown to whoever sends, and must not say of plaintext that it is sealed.
            let contradiction = "it says otherwise of how the files are encrypted than they are";
            return Err(Error::Answer(contradiction.to_owned()));
        }
        Ok(sent)
    }

    /// What the sender calls itself: the agent's name, or the address of who sends without one.
    async fn sender_label(&self, outgoing: &Outgoing) -> Result<String> {
        match self.sending(outgoing.sender) {
            Some(identity) => Ok(identity.agent_id().to_string()),
            None => Ok(self.account().await?.email.as_str().to_owned()),
        }
    }

    /// Seals for `key`: the envelope, and behind it the files, whose names the server does not learn.
    async fn seal_parts(
        &self,
        key: &EncryptionPublicKey,
        outgoing: &Outgoing,
        sources: Vec<Source>,
        form: &mut Form,
    ) -> Result<Vec<Part>> {
        let created = now();
        // Before its bytes are sealed: they are bound to it.
        let id = TransferId::new(created, random_bytes()?);
        let seal = person::Outgoing::generate(id, &sealing_key(key))?;
        let lifetime = outgoing.expires_in.unwrap_or_default();
        let agent = self.sending(outgoing.sender);
        let about = About {
            sender: agent.and_then(Identity::agent_uuid),
            message: outgoing.message.clone(),
            created,
            expires: created.plus(lifetime.as_duration()),
            policy: Policy {
                max_downloads: outgoing.max_downloads.unwrap_or(DEFAULT_DOWNLOADS),
                auto_delete: outgoing.deletes(),
            },
        };
        form.field("is_encrypted", "true");
        form.field("encryption_algorithm", person::ALGORITHM);
        form.field("encrypted_key", &STANDARD.encode(seal.ephemeral.as_bytes()));
        form.field("encryption_salt", &STANDARD.encode(seal.salt.as_bytes()));
        form.field("recipient_public_key", &STANDARD.encode(key.as_bytes()));
        let digits = id.to_string();
        form.field("transfer_id", digits.trim_start_matches("tr_"));

        let stop = CancellationToken::new();
        let _stop_with_us = stop.clone().drop_guard();
        let watcher = outgoing.watcher.clone();
        let sealing = tokio::task::spawn_blocking(move || {
            let reading = Reading {
                seal: &seal,
                watcher: &watcher,
                stop: &stop,
                total_bytes: sources.iter().map(|it| it.bytes).sum(),
            };
            reading.parts(sources, about)
        });
        let parts = sealing.await.expect("sealing does not panic")?;
        for (n, part) in parts.iter().enumerate() {
            let name = if n == 0 {
                person::ENVELOPE.to_owned()
            } else {
                n.to_string()
            };
            let name: FileName = name.parse().expect("a word, or a number, is a name");
            form.file(&name, part.bytes());
        }
        Ok(parts)
    }
}

/// Files that are read ahead of being sent: the envelope holds their digests, and goes first.
struct Reading<'a> {
    seal: &'a person::Outgoing,
    watcher: &'a Watcher,
    stop: &'a CancellationToken,
    total_bytes: u64,
}

impl Reading<'_> {
    fn parts(&self, sources: Vec<Source>, about: About) -> Result<Vec<Part>> {
        let (mut parts, mut files) = (Vec::new(), Vec::new());
        let mut done_bytes = 0;
        for (i, mut source) in (1..).zip(sources) {
            let salt = FileSalt::generate()?;
            let sealed = self.digest(i, &mut source, salt, &mut done_bytes)?;
            files.push(person::File {
                name: source.name.clone(),
                content_type: ContentType::octet_stream(),
                size: sealed.size,
                sealed_size: sealed.sealed_size,
                sealed_sha256: sealed.sealed_sha256,
            });
            // What is sent is what was read, or nothing: so the salt is used for one text alone.
            let mut begin = Vec::new();
            let sealer = Sealer::Chunks {
                sealer: Box::new(self.seal.file(i, salt, &mut begin)),
                begin,
                expected: sealed,
            };
            parts.push(Part::File(source, sealer));
        }
        let envelope = self.seal.envelope(about, files)?;
        parts.insert(0, Part::Bytes(envelope.into()));
        Ok(parts)
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
        let (mut left, mut piece) = (source.bytes, vec![0; PIECE_BYTES]);
        while left > 0 && !self.stop.is_cancelled() {
            let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            piece.truncate(len);
            read_whole(&mut source.file, &mut piece, &source.path)?;
            sealed.clear();
            sealer.update(&piece, &mut sealed)?;
            left -= len as u64;
            *done_bytes += len as u64;
            self.watcher
                .report(Phase::Reading, *done_bytes, self.total_bytes);
        }
        expect_end(&mut source.file, &source.path)?;
        rewind(&mut source.file, &source.path)?;
        Ok(sealer.finish(&mut sealed)?)
    }
}
