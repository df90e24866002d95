//! Sending: seal while uploading, and never in plaintext unless the caller says so.
//!
//! One thread reads, seals in place and hands on a few pieces ahead of the network, so memory does not
//! grow with the files. Every file has its own nonce, by index and not by name. If anything goes wrong
//! the upload breaks off before its end, and the server keeps nothing.

mod agent;
mod person;
mod pump;
mod source;

use std::path::PathBuf;

use agentdrop_protocol::text::{Email, Message};
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{AgentRef, Lifetime};
use agentdrop_seal::FileSealer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use self::agent::sealing_key;
use self::pump::{Part, Sealer};
use self::source::open_all;
use crate::client::Client;
use crate::error::Result;
use crate::identity::Identity;
use crate::multipart::Form;
use crate::progress::{Progress, Watcher};

/// Files to be sent to one agent, or to one person.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    recipient: To,
    sender: Sender,
    unenrolled: Unenrolled,
    account: Option<String>,
    files: Vec<PathBuf>,
    message: Option<Message>,
    expires_in: Option<Lifetime>,
    max_downloads: Option<u32>,
    once_delivered: OnceDelivered,
    watcher: Watcher,
}

/// Whom files are for.
#[derive(Debug)]
enum To {
    Agent(AgentRef),
    Person(Email),
}

/// Who sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sender {
    /// The agent that the client is, if it is one.
    #[default]
    Agent,
    /// The person whose account it is.
    Person,
}

/// What becomes of files to a person who has no receive password, so that nothing can be sealed for
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unenrolled {
    /// They are not sent.
    #[default]
    Refuse,
    /// The server encrypts them, and could read them until the person has set one.
    LetServerEncrypt,
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
        Self::new(To::Agent(recipient))
    }

    /// Begins a transfer to whoever has this address.
    ///
    /// Where they have set a receive password it is sealed for them, with the names of the files and
    /// the message.
    pub fn to_person(recipient: Email) -> Self {
        Self::new(To::Person(recipient))
    }

    fn new(recipient: To) -> Self {
        Self {
            recipient,
            sender: Sender::default(),
            unenrolled: Unenrolled::default(),
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

    /// Sends as the person whose account it is, also where the client is an agent.
    pub fn as_person(mut self) -> Self {
        self.sender = Sender::Person;
        self
    }

    /// Says what becomes of it where the recipient is a person for whom nothing can be sealed.
    pub fn unenrolled(mut self, unenrolled: Unenrolled) -> Self {
        self.unenrolled = unenrolled;
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

    /// Adds a message. The server can read it, and so can whoever reads the server, unless it is for
    /// a person who has set a receive password.
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
    /// Where the recipient has no key this is an error: nothing is sent that the server can read,
    /// unless it is for a person, and the caller said so with [`Unenrolled::LetServerEncrypt`]. If the
    /// returned future is dropped, the server keeps nothing.
    ///
    /// A client with an identity sends as that agent, and one without as the person whose account it
    /// calls for.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Transfer> {
        match &outgoing.recipient {
            To::Agent(agent) => self.send_to_agent(agent, &outgoing).await,
            To::Person(email) => self.send_to_person(email, &outgoing).await,
        }
    }

    async fn send_to_agent(&self, agent: &AgentRef, outgoing: &Outgoing) -> Result<Transfer> {
        let sources = open_all(outgoing.files.clone()).await?;
        let account = outgoing.account.as_deref();
        let mut form = Form::new()?;
        let (recipient, seal) = if let Some(identity) = self.sending(outgoing.sender) {
            form.field("sender", identity.agent_id().as_str());
            form.field("mode", TransferMode::AgentToAgent.as_str());
            self.seal_for(identity, agent, account).await?
        } else {
            form.field("mode", TransferMode::HumanToAgent.as_str());
            self.seal_as_person(agent, account).await?
        };
        form.field("recipient", &recipient.id.to_string());
        if let Some(account) = account {
            form.field("recipient_account", account);
        }
        form.field("is_encrypted", "true");
        form.field("recipient_key_version", &recipient.key_version.to_string());
        for (name, value) in &seal.fields {
            form.field(name, value);
        }
        outgoing.write_terms(&mut form);
        outgoing.write_message(&mut form);
        let (mut parts, mut nonces) = (Vec::new(), Vec::new());
        for source in sources {
            let sealer = FileSealer::new(&seal.key)?;
            nonces.push(STANDARD.encode(sealer.nonce().as_bytes()));
            let name = source.name.clone();
            let part = Part::File(source, Sealer::Message(sealer));
            form.file(&name, part.bytes());
            parts.push(part);
        }
        // A JSON array, in the order of the files.
        let nonces: serde_json::Value = nonces.into_iter().collect();
        form.field("encryption_ivs", &nonces.to_string());
        self.upload(form, parts, outgoing.watcher.clone()).await
    }

    /// The agent that sends, if one does.
    fn sending(&self, sender: Sender) -> Option<&Identity> {
        self.identity().filter(|_| sender == Sender::Agent)
    }
}

impl Outgoing {
    fn deletes(&self) -> bool {
        self.once_delivered == OnceDelivered::Delete
    }

    /// How long it lives, and how often it can be had.
    fn write_terms(&self, form: &mut Form) {
        form.field("auto_delete", if self.deletes() { "true" } else { "false" });
        if let Some(lifetime) = self.expires_in {
            form.field("expires_in", &lifetime.to_string());
        }
        if let Some(downloads) = self.max_downloads {
            form.field("max_downloads", &downloads.to_string());
        }
    }

    fn write_message(&self, form: &mut Form) {
        if let Some(message) = &self.message {
            form.field("message", message.as_str());
        }
    }
}
