//! Sending: seal while uploading, never in plaintext.
//!
//! One thread reads, seals in place and hands on a few pieces ahead of the network, so memory does not
//! grow with the files. Every file has its own nonce, by index and not by name. If anything goes wrong
//! the upload breaks off before its end, and the server keeps nothing.

mod agent;
mod pump;
mod source;

use std::path::PathBuf;
use std::sync::Arc;

use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{AgentRef, Lifetime};
use agentdrop_seal::{FileSealer, TAG_BYTES};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use self::agent::sealing_key;
use self::source::{Source, open_all};
use crate::client::Client;
use crate::error::Result;
use crate::multipart::Form;
use crate::progress::{Progress, Watcher};

/// Files to be sent to one agent.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    recipient: AgentRef,
    account: Option<String>,
    files: Vec<PathBuf>,
    message: Option<Message>,
    expires_in: Option<Lifetime>,
    max_downloads: Option<u32>,
    once_delivered: OnceDelivered,
    watcher: Watcher,
}

/// What the server does with the files once the recipient has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OnceDelivered {
    #[default]
    Delete,
    Keep,
}

impl Outgoing {
    /// Begins a transfer to the agent `recipient`.
    pub fn to(recipient: AgentRef) -> Self {
        Self {
            recipient,
            account: None,
            files: Vec::new(),
            message: None,
            expires_in: None,
            max_downloads: None,
            once_delivered: OnceDelivered::default(),
            watcher: Watcher::default(),
        }
    }

    /// Says whose agent is meant, by e-mail address, id or name of the account.
    ///
    /// Without it an own agent of that name goes before others, and of several others none is meant.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Adds a file, which is sent under the last component of its path.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds files.
    pub fn files(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.files.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Adds a message. The server can read it, and so can whoever reads the server.
    pub fn message(mut self, message: Message) -> Self {
        self.message = Some(message);
        self
    }

    /// Lets it expire after this time, instead of the server's default of a day.
    pub fn expires_in(mut self, lifetime: Lifetime) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Allows so many downloads, instead of the server's default of ten.
    pub fn max_downloads(mut self, downloads: u32) -> Self {
        self.max_downloads = Some(downloads);
        self
    }

    /// Keeps the files at the server after they were delivered, until they expire.
    pub fn keep(mut self) -> Self {
        self.once_delivered = OnceDelivered::Keep;
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }
}

impl Client {
    /// Seals the files for the recipient and sends them.
    ///
    /// Where the recipient has no key this is an error; nothing is ever sent in plaintext instead. If
    /// the returned future is dropped, the server keeps nothing.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Transfer> {
        let identity = Arc::clone(self.needed_identity()?);
        let sources = open_all(outgoing.files.clone()).await?;
        let (recipient, seal) = self
            .seal_for(&identity, &outgoing.recipient, outgoing.account.as_deref())
            .await?;

        let mut files = Vec::new();
        for source in sources {
            let sealer = FileSealer::new(&seal.key)?;
            files.push((source, sealer));
        }

        let mut form = Form::new()?;
        form.field("sender", identity.agent_id().as_str());
        form.field("recipient", &recipient.id.to_string());
        if let Some(account) = &outgoing.account {
            form.field("recipient_account", account);
        }
        form.field("mode", TransferMode::AgentToAgent.as_str());
        form.field("is_encrypted", "true");
        form.field("recipient_key_version", &recipient.key_version.to_string());
        for (name, value) in &seal.fields {
            form.field(name, value);
        }
        form.field("encryption_ivs", &nonces(&files));
        let delete = outgoing.once_delivered == OnceDelivered::Delete;
        form.field("auto_delete", if delete { "true" } else { "false" });
        if let Some(message) = &outgoing.message {
            form.field("message", message.as_str());
        }
        if let Some(lifetime) = outgoing.expires_in {
            form.field("expires_in", &lifetime.to_string());
        }
        if let Some(downloads) = outgoing.max_downloads {
            form.field("max_downloads", &downloads.to_string());
        }
        for (source, _) in &files {
            form.file(&source.name, source.bytes + TAG_BYTES as u64);
        }
        self.upload(form, files, outgoing.watcher).await
    }
}

/// A JSON array, in the order of the files.
fn nonces(files: &[(Source, FileSealer)]) -> String {
    let nonces = files
        .iter()
        .map(|(_, sealer)| STANDARD.encode(sealer.nonce().as_bytes()));
    nonces.collect::<serde_json::Value>().to_string()
}
