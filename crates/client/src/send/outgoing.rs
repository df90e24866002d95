//! What is to be sent: to whom, and on which terms.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use agentdrop_protocol::text::{Email, Message};
use agentdrop_protocol::{AgentRef, FileName, Lifetime};

use super::notice::{Notice, Teller};
use super::parts::{DEFAULT_PARALLEL, MAX_PARALLEL};
use super::plan::Said;
use super::source::{Input, Irregular};
use crate::progress::{Progress, Watcher};

/// Files to be sent to one agent, or to one person.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    pub(super) recipient: To,
    pub(super) sender: Sender,
    pub(super) unenrolled: Unenrolled,
    pub(super) account: Option<String>,
    pub(super) files: Vec<Input>,
    pub(super) message: Option<Message>,
    pub(super) expires_in: Option<Lifetime>,
    pub(super) max_downloads: Option<u32>,
    once_delivered: OnceDelivered,
    pub(super) watcher: Watcher,
    pub(super) kept_in: Option<PathBuf>,
    pub(super) begins: Begins,
    pub(super) irregular: Irregular,
    pub(super) parallel: usize,
    pub(super) teller: Teller,
}

/// What becomes of an earlier upload of the same files to the same recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Begins {
    /// It goes on.
    #[default]
    WhereItStopped,
    /// It is given up.
    Anew,
}

/// Whom files are for.
#[derive(Debug)]
pub(super) enum To {
    Agent(AgentRef),
    Person(Email),
}

/// Who sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sender {
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
            kept_in: None,
            begins: Begins::default(),
            irregular: Irregular::default(),
            parallel: DEFAULT_PARALLEL,
            teller: Teller::default(),
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

    /// Adds a file, which is sent under the last component of its path; or a folder, which is packed
    /// as a tar of that name while it is sent.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(Input::Path(path.into()));
        self
    }

    /// Adds files, and folders.
    pub fn files(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        self.files.extend(paths.map(Input::Path));
        self
    }

    /// Adds a file that is open and has no name of its own. An upload of it cannot go on in another
    /// process.
    pub fn open_file(mut self, name: FileName, file: Arc<File>) -> Self {
        self.files.push(Input::Open(name, file));
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

    /// Keeps in this folder what it takes to go on with an upload that broke off, keys included: for
    /// its owner only, and until it has ended. Without it nothing is kept.
    pub fn kept_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.kept_in = Some(folder.into());
        self
    }

    /// Gives up an earlier upload of the same files to the same recipient, instead of going on with it.
    pub fn anew(mut self) -> Self {
        self.begins = Begins::Anew;
        self
    }

    /// Leaves out what is in folders and is neither a file nor a folder: symbolic links, pipes, sockets,
    /// devices. Without it nothing is sent where there is any.
    pub fn leave_out_links(mut self) -> Self {
        self.irregular = Irregular::LeftOut;
        self
    }

    /// Sends so many parts of large files at once, from 1 to [`MAX_PARALLEL`].
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts.clamp(1, MAX_PARALLEL);
        self
    }

    /// Tells `told` what there is to know about an upload that goes on, or begins anew.
    pub fn notices(mut self, told: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.teller = Teller::new(told);
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }

    pub(super) fn deletes(&self) -> bool {
        self.once_delivered == OnceDelivered::Delete
    }

    /// How long it lives, and how often it can be had.
    pub(super) fn say_terms(&self, said: &mut Said) {
        said.add("auto_delete", if self.deletes() { "true" } else { "false" });
        if let Some(lifetime) = self.expires_in {
            said.add("expires_in", lifetime.to_string());
        }
        if let Some(downloads) = self.max_downloads {
            said.add("max_downloads", downloads.to_string());
        }
    }

    pub(super) fn say_message(&self, said: &mut Said) {
        if let Some(message) = &self.message {
            said.add("message", message.as_str());
        }
    }
}
