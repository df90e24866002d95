//! Receiving: fetch, check, open, and only then place.
//!
//! The server is not believed. A transfer that was announced as encrypted never yields plaintext; no
//! byte of a file is released before the tag over all of it was checked; names are data. Everything
//! happens in a private folder inside the target, so that placing is a rename, and no file of a
//! transfer is placed before all of them are good. What was fetched stays there, sealed, until all are
//! placed, so that the next process goes on where one ended, under the same grant.
//!
//! What the compatible formats cannot show is not shown: neither a name, nor the order, nor the
//! transfer is bound to the bytes, and the sender's key is the server's word.

mod fetch;
mod journal;
mod leftovers;
mod opening;
mod person;
mod place;
mod quarantine;
mod reception;
mod sink;
mod state;
mod unlock;
mod unpack;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentdrop_protocol::limits::{MAX_FILES, MAX_SEALED_BYTES};
use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::wire::downloads::{Download, DownloadFile};
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{EncryptionPublicKey, FileName, LinkToken, TransferId};
use agentdrop_seal::SecretKey;
use serde::{Deserialize, Serialize};

use self::journal::Journal;
use self::opening::Seal;
use self::person::ForPerson;
pub(crate) use self::quarantine::PREFIX as INCOMING;
use self::reception::{Opened, Outcome, Reception, placed_earlier};
use self::sink::Sink;
use crate::client::Client;
use crate::error::{Error, Result, TrustError, shown};
use crate::identity::Identity;
use crate::progress::{Progress, Watcher};

/// Room on the disk that is left to others, if nothing else is said.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;

/// Where a transfer is received, and on which terms.
#[derive(Debug)]
#[must_use]
pub struct Incoming {
    folder: PathBuf,
    listed: Option<Transfer>,
    plaintext: Plaintext,
    beginning: Beginning,
    spare_bytes: u64,
    sink: Option<Sink>,
    folders: Folders,
    watcher: Watcher,
}

/// What becomes of folders that their sender packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Folders {
    Packed,
    #[default]
    Unpacked,
}

/// Whether to go on where an earlier process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Beginning {
    Fresh,
    #[default]
    Resumed,
}

/// Whether files may come that the server could read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Plaintext {
    Accept,
    #[default]
    Refuse,
}

/// What was received.
#[derive(Debug)]
pub struct Received {
    /// The transfer.
    pub id: TransferId,
    /// Between whom it went.
    pub mode: TransferMode,
    /// Who sent it, in the sender's words.
    pub sender: Label,
    /// The message beside the files.
    pub message: Option<Message>,
    /// How it was protected on its way.
    pub security: Security,
    /// The sender's key that the files open with, by the server's word; none if they were not sealed.
    pub sender_key: Option<EncryptionPublicKey>,
    /// The files, in the sender's order.
    pub files: Vec<ReceivedFile>,
    /// How many bytes of them, as they were sealed, an earlier process had fetched.
    pub resumed_bytes: u64,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
    /// Why the server does not know that the files arrived, if it does not.
    pub unacknowledged: Option<Error>,
}

/// A file that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFile {
    /// Where it is. Its name there may be another than `name`, which was taken or not safe.
    pub path: PathBuf,
    /// What the sender called it.
    pub name: FileName,
    /// How many bytes it has, or had when it was packed.
    pub bytes: u64,
    /// Whether it is a folder, which came packed.
    pub is_folder: bool,
}

/// Something worth knowing beside what was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// What looked as if it was left by an earlier process was not used.
    LeftoverIgnored {
        /// Where it was.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// What should be a folder was left packed.
    NotUnpacked {
        /// What its sender called it.
        name: FileName,
        /// Why.
        reason: String,
    },
}

/// How a transfer was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Security {
    /// Sealed in a format of the published clients: secret, and whole. Names are not bound to it.
    Compatible,
    /// Sealed in our own format: names, order and number of the files are bound to it, too. Who sent it
    /// is the server's word.
    Sealed,
    /// Not sealed: the server could read it and change it.
    Plaintext,
}

impl Security {
    /// The word for it, in output that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Sealed => "sealed",
            Self::Plaintext => "plaintext",
        }
    }
}

impl Incoming {
    /// Receives into this folder, which is made if there is none.
    pub fn into_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            listed: None,
            plaintext: Plaintext::default(),
            beginning: Beginning::default(),
            spare_bytes: SPARE_BYTES,
            sink: None,
            folders: Folders::default(),
            watcher: Watcher::default(),
        }
    }

    /// Holds the server to what it announced in its list. Else it is asked first.
    pub fn listed(mut self, transfer: Transfer) -> Self {
        self.listed = Some(transfer);
        self
    }

    /// Takes files too that were not sealed, which the server could read and change.
    pub fn accept_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Accept;
        self
    }

    /// Throws away what an earlier process left of it, in place of going on there.
    pub fn afresh(mut self) -> Self {
        self.beginning = Beginning::Fresh;
        self
    }

    /// Leaves this much room on the disk. A file is opened beside the sealed one only where that leaves
    /// as much; else it is opened where it lies, and fetched again if that is cut short.
    pub fn spare_bytes(mut self, bytes: u64) -> Self {
        self.spare_bytes = bytes;
        self
    }

    /// Places the tars of folders as they came, in place of unpacking them.
    pub fn keep_packed(mut self) -> Self {
        self.folders = Folders::Packed;
        self
    }

    /// Writes the one file that it is there, in place of placing it: when all of it was checked. What is
    /// needed on the way is in the folder, and nothing is there when it was done.
    pub fn write_to(mut self, sink: impl Write + Send + 'static) -> Self {
        self.sink = Some(Sink::new(sink));
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }
}

/// What a folder was called that its sender packed as this file, if it is one.
pub fn folder_name<'a>(transfer: &Transfer, file: &'a FileName) -> Option<&'a str> {
    if !reception::is_folder(transfer, file) {
        return None;
    }
    file.as_str().strip_suffix(".tar")
}

/// How many bytes of a transfer wait in a folder for whoever goes on receiving it there.
pub fn half_received(folder: &Path, id: TransferId) -> Option<u64> {
    leftovers::bytes(folder, id)
}

/// Who receives it, and with what it opens.
enum Recipient<'a> {
    /// This agent.
    Agent,
    /// A person.
    Person(ForPerson<'a>),
}

impl Client {
    /// Receives a transfer: all of its files, or none.
    ///
    /// No file replaces another: one whose name is taken gets a number. If the returned future is
    /// dropped, or fails, no file was placed; what was fetched waits in a hidden folder for a week, and
    /// whoever receives the transfer into the same folder goes on there.
    pub async fn receive(&self, id: TransferId, incoming: Incoming) -> Result<Received> {
        let listed = match &incoming.listed {
            Some(listed) => listed.clone(),
            None => self.transfer(id).await?,
        };
        if listed.id != id {
            return Err(TrustError::Changed(id).into());
        }
        if !self.may_be_for_us(&listed) {
            return Err(Error::NotTheRecipient(id, shown(&listed.recipient)));
        }
        if !listed.is_encrypted && incoming.plaintext == Plaintext::Refuse {
            return Err(TrustError::Plaintext(id).into());
        }
        self.take_in(Recipient::Agent, None, &listed, &incoming)
            .await
    }

    /// Whether nothing says that it is for another. The server would hand it out to its sender too, who
    /// could not open it; that must cost neither a download nor what is here of it.
    fn may_be_for_us(&self, listed: &Transfer) -> bool {
        let Some(mine) = self.identity() else {
            return true;
        };
        let is_another = match (listed.recipient_agent_id, mine.agent_uuid()) {
            (Some(theirs), Some(mine)) => theirs != mine,
            (None, _) => listed.mode == TransferMode::AgentToHuman,
            (Some(_), None) => false,
        };
        !is_another || listed.recipient == mine.agent_id().as_str()
    }

    /// The transfers of which an earlier process of this agent left something in a folder, to be gone
    /// on with. What others left there is none of its business: it could not open it, and may well be
    /// who sent it.
    pub async fn unfinished(&self, folder: impl Into<PathBuf>) -> Result<Vec<TransferId>> {
        let Some(mine) = self.identity() else {
            return Ok(Vec::new());
        };
        journal::left_in(folder.into(), self.server(), mine.secret().notes_key()).await
    }

    async fn take_in(
        &self,
        recipient: Recipient<'_>,
        link: Option<&LinkToken>,
        listed: &Transfer,
        incoming: &Incoming,
    ) -> Result<Received> {
        let envelopes = match &recipient {
            Recipient::Person(it) => it.envelopes(),
            Recipient::Agent => 0,
        };
        let files = listed.files.len().saturating_sub(envelopes);
        if incoming.sink.is_some() && files != 1 {
            return Err(Error::NotOneFile(files));
        }
        let secret = match &recipient {
            Recipient::Person(it) => Some(it.secret()),
            Recipient::Agent => self.identity().map(Identity::secret),
        };
        // Of what nobody sealed, nothing would show that it is still what was fetched.
        let key = secret.filter(|_| listed.is_encrypted);
        let key = key.map(SecretKey::notes_key);
        let (folder, server) = (incoming.folder.clone(), self.server());
        // Before the grant: a folder that cannot be written to must not cost a download.
        let journal = Journal::begin(folder, server, listed.id, key, incoming.beginning).await?;
        let taken = self.take_into(&journal, recipient, link, listed, incoming);
        let received = taken.await;
        let is_untold = |it: &Error| !it.is_refusal() && !is_unknown(it) && journal.is_placed();
        match &received {
            // The next process tells the server, and does not get the files once more.
            Ok(it) if it.unacknowledged.as_ref().is_some_and(is_untold) => {
                journal.keep_what_was_placed().await;
            }
            Err(error) if !is_over(error) => {}
            _ => journal.discard(),
        }
        received
    }

    async fn take_into(
        &self,
        journal: &Journal,
        recipient: Recipient<'_>,
        link: Option<&LinkToken>,
        listed: &Transfer,
        incoming: &Incoming,
    ) -> Result<Received> {
        if let Some(received) = placed_earlier(self, link, listed, journal).await? {
            return Ok(received);
        }
        let max_files = match &recipient {
            Recipient::Agent => MAX_FILES,
            Recipient::Person(it) => MAX_FILES + it.envelopes(),
        };
        let mut reception =
            Reception::begin(self, link, listed, max_files, journal, incoming).await?;
        let (opened, outcome) = match recipient {
            Recipient::Agent => self.open_for_agent(&mut reception).await?,
            Recipient::Person(it) => it.open(&mut reception, listed).await?,
        };
        reception.finish(opened, outcome).await
    }

    async fn open_for_agent(
        &self,
        reception: &mut Reception<'_>,
    ) -> Result<(Vec<Opened>, Outcome)> {
        let grant = reception.grant.clone();
        let unlocked = if grant.is_encrypted {
            Some(self.unlock(&grant).await?)
        } else {
            None
        };
        for n in 0..grant.files.len() {
            reception.fetch(n).await?;
        }
        let sender_key = unlocked.as_ref().map(|it| it.sender_key);
        let mut opened = Vec::new();
        let security = if let Some(unlock::Unlocked { key, nonces, .. }) = unlocked {
            let key = Arc::new(key);
            for (n, (file, nonce)) in grant.files.iter().zip(nonces).enumerate() {
                let seal = Seal::Message(Arc::clone(&key), nonce);
                opened.push(reception.open(n, &file.name, &seal).await?);
            }
            Security::Compatible
        } else {
            for (n, file) in grant.files.iter().enumerate() {
                opened.push(reception.take_plain(n, &file.name).await?);
            }
            Security::Plaintext
        };
        let outcome = Outcome {
            security,
            message: grant.message,
            sender_key,
        };
        Ok((opened, outcome))
    }
}

/// Whether nothing would be gained by going on after this: what is here is of no use, or there is no
/// more to be had. Whatever answers in the server's place, on the way, cannot say that.
fn is_over(error: &Error) -> bool {
    match error {
        Error::Api(it) => it.is_gone(),
        Error::Open { .. } | Error::Person(_) | Error::Trust(_) => true,
        _ => false,
    }
}

/// Whether a server knows no acknowledgements: it will know none the next time.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Api(it) if matches!(it.status, 404 | 405))
}

/// Refuses a grant that is not of what was announced.
fn check(grant: &Download, listed: &Transfer, max_files: usize) -> Result<(), TrustError> {
    let claims_seal = grant.encryption_algorithm.is_some() || grant.encrypted_key.is_some();
    if !grant.is_encrypted && (listed.is_encrypted || claims_seal) {
        return Err(TrustError::Downgrade(listed.id));
    }
    let ids: HashSet<_> = grant.files.iter().map(|it| it.file_id).collect();
    let as_announced = |file: &DownloadFile| {
        let announced = listed.files.iter().find(|it| it.file_id == file.file_id);
        announced.is_some_and(|it| it.size == file.size && it.name == file.name)
            && file.file_name == file.name
            && file.size <= MAX_SEALED_BYTES
    };
    let same_files = grant.files.len() == listed.files.len()
        && ids.len() == grant.files.len()
        && (1..=max_files).contains(&grant.files.len())
        && grant.files.iter().all(as_announced);
    if grant.id != listed.id || !same_files {
        return Err(TrustError::Changed(listed.id));
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("working on files does not panic")
}
