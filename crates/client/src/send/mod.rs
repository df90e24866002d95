//! Sending: seal while uploading, and never in plaintext unless the caller says so.
//!
//! One thread reads, seals in place and hands on a few pieces ahead of the network, so memory does not
//! grow with the files. Every file has its own nonce, by index and not by name. What is small goes as
//! one form: if anything goes wrong it breaks off before its end, and the server keeps nothing. What is
//! large goes in parts, and goes on where it stopped; see [`parts`].

mod agent;
mod kept;
mod notice;
mod parts;
mod person;
mod plan;
mod pump;
mod source;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use agentdrop_protocol::limits::MAX_METADATA_BYTES;
use agentdrop_protocol::text::{Email, Message};
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{AgentRef, ErrorCode, FileName, Lifetime};

use self::agent::ToAgent;
pub(crate) use self::agent::sealing_key;
use self::notice::Teller;
pub use self::notice::{Anew, Notice};
pub use self::parts::{DEFAULT_PARALLEL, MAX_PARALLEL};
use self::person::{ToPerson, shared};
use self::plan::{Peer, Plan, Said, Seal};
use self::source::{Input, Irregular, Source, open_all};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::progress::{Progress, Watcher};

/// From so many bytes on files go in parts.
const PARTS_FROM: u64 = 32 * 1024 * 1024;

/// The files, for whichever thread reads them; never two at a time.
type Sources = Arc<Mutex<Vec<Source>>>;

/// Files to be sent to one agent, or to one person.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    recipient: To,
    sender: Sender,
    unenrolled: Unenrolled,
    account: Option<String>,
    files: Vec<Input>,
    message: Option<Message>,
    expires_in: Option<Lifetime>,
    max_downloads: Option<u32>,
    once_delivered: OnceDelivered,
    watcher: Watcher,
    kept_in: Option<PathBuf>,
    begins: Begins,
    irregular: Irregular,
    parallel: usize,
    teller: Teller,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The transfer that it became.
    pub transfer: Transfer,
    /// Whether an earlier upload went on.
    pub resumed: bool,
    /// Bytes of sealed files that were sent this time.
    pub bytes_sent: u64,
    /// What is in the folders and was left out, where that was asked for.
    pub left_out: Vec<PathBuf>,
}

/// What becomes of an earlier upload of the same files to the same recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Begins {
    /// It goes on.
    #[default]
    WhereItStopped,
    /// It is given up.
    Anew,
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
}

/// The way to whom files are for.
enum Way {
    Agent(Box<ToAgent>),
    Person(Box<ToPerson>),
}

impl Client {
    /// Seals the files for the recipient and sends them.
    ///
    /// Where the recipient has no key this is an error: nothing is sent that the server can read,
    /// unless it is for a person, and the caller said so with [`Unenrolled::LetServerEncrypt`].
    ///
    /// What is small is sent at once: if the returned future is dropped, the server keeps nothing. What
    /// is large is sent in parts. If it breaks off, whoever sends the same again goes on where it
    /// stopped, if [`Outgoing::kept_in`] names a folder; what is not ended within a day the server
    /// throws away.
    ///
    /// A client with an identity sends as that agent, and one without as the person whose account it
    /// calls for.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Sent> {
        match self.send_once(&outgoing, outgoing.unenrolled).await {
            // They have set another key since it was asked for: once more, for that one. If there is
            // none now it is refused, whatever was said before: there was one a moment ago, so that
            // whoever agreed did not know what is true now.
            Err(Error::Api(it))
                if it.code == ErrorCode::KeyChanged
                    && matches!(outgoing.recipient, To::Person(_)) =>
            {
                self.send_once(&outgoing, Unenrolled::Refuse).await
            }
            sent => sent,
        }
    }

    async fn send_once(&self, outgoing: &Outgoing, unenrolled: Unenrolled) -> Result<Sent> {
        let sources = open_all(outgoing.files.clone(), outgoing.irregular).await?;
        let left_out = sources.iter().flat_map(Source::left_out).collect();
        let sent = self.send_opened(outgoing, unenrolled, sources).await?;
        Ok(Sent { left_out, ..sent })
    }

    async fn send_opened(
        &self,
        outgoing: &Outgoing,
        unenrolled: Unenrolled,
        sources: Vec<Source>,
    ) -> Result<Sent> {
        let way = match &outgoing.recipient {
            To::Agent(agent) => {
                let (mine, account) = (self.sending(outgoing.sender), outgoing.account.as_deref());
                let way = self.way_to_agent(mine, agent, account).await?;
                Way::Agent(Box::new(way))
            }
            To::Person(email) => {
                let way = self.way_to_person(email, outgoing, unenrolled).await?;
                Way::Person(Box::new(way))
            }
        };
        let bytes: u64 = sources.iter().map(|it| it.bytes).sum();
        if bytes >= PARTS_FROM {
            return self.send_in_parts(outgoing, &way, sources).await;
        }
        if let Some(folder) = &outgoing.kept_in {
            kept::sweep(folder, now());
        }
        let sources = shared(sources);
        let plan = self.plan(outgoing, &way, &sources).await?;
        let (is_sealed, bytes_sent) = (plan.is_sealed(), plan.sealed_bytes());
        let watcher = outgoing.watcher.clone();
        let transfer = self.upload(plan, sources, watcher).await?;
        if matches!(way, Way::Person(_)) {
            check_sealed(&transfer, is_sealed)?;
        }
        Ok(Sent {
            transfer,
            resumed: false,
            bytes_sent,
            left_out: Vec::new(),
        })
    }

    /// Draws keys, and says what is sent with them.
    async fn plan(&self, outgoing: &Outgoing, way: &Way, sources: &Sources) -> Result<Plan> {
        let mine = self.sending(outgoing.sender);
        match way {
            Way::Agent(way) => {
                let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                way.plan(mine, outgoing, &sources)
            }
            Way::Person(way) => way.plan(mine, outgoing, sources).await,
        }
    }

    /// The agent that sends, if one does.
    fn sending(&self, sender: Sender) -> Option<&Identity> {
        self.identity().filter(|_| sender == Sender::Agent)
    }

    fn peer(&self, outgoing: &Outgoing, way: &Way) -> Peer {
        let mine = self.sending(outgoing.sender);
        match way {
            Way::Agent(way) => way.peer(mine),
            Way::Person(way) => way.peer(mine),
        }
    }
}

impl Plan {
    fn is_sealed(&self) -> bool {
        !matches!(self.seal, Seal::Nothing)
    }
}

/// Which of the files were folders, for who can unpack them: as many as there is room to say.
fn say_folders(said: &mut Said, sources: &[Source]) {
    let folders = sources.iter().filter(|it| it.is_folder());
    let mut names: Vec<_> = folders.map(|it| it.name.as_str()).collect();
    while !names.is_empty() {
        let metadata = serde_json::json!({ "agentdrop": { "folders": names } }).to_string();
        if metadata.len() <= MAX_METADATA_BYTES {
            said.add("metadata", metadata);
            return;
        }
        names.pop();
    }
}

/// It is shown to whoever sends, and must not say of plaintext that it is sealed.
fn check_sealed(transfer: &Transfer, is_sealed: bool) -> Result<()> {
    if transfer.is_encrypted == is_sealed {
        return Ok(());
    }
    let contradiction = "it says otherwise of how the files are encrypted than they are";
    Err(Error::Answer(contradiction.to_owned()))
}

impl Outgoing {
    fn deletes(&self) -> bool {
        self.once_delivered == OnceDelivered::Delete
    }

    /// How long it lives, and how often it can be had.
    fn say_terms(&self, said: &mut Said) {
        said.add("auto_delete", if self.deletes() { "true" } else { "false" });
        if let Some(lifetime) = self.expires_in {
            said.add("expires_in", lifetime.to_string());
        }
        if let Some(downloads) = self.max_downloads {
            said.add("max_downloads", downloads.to_string());
        }
    }

    fn say_message(&self, said: &mut Said) {
        if let Some(message) = &self.message {
            said.add("message", message.as_str());
        }
    }
}
