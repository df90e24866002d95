//! Sending: seal while uploading, and never in plaintext unless the caller says so.
//!
//! One thread reads, seals in place and hands on a few pieces ahead of the network, so memory does not
//! grow with the files. Every file has its own nonce, by index and not by name. What is small goes as
//! one form: if anything goes wrong it breaks off before its end, and the server keeps nothing. What is
//! large goes in parts, and goes on where it stopped; see [`parts`].

mod agent;
mod chunks;
mod kept;
mod letter;
mod native;
mod notice;
mod outgoing;
mod parts;
mod person;
mod plan;
mod pump;
mod source;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use agentdrop_protocol::limits::MAX_METADATA_BYTES;
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{ErrorCode, Timestamp};

use self::agent::ToAgent;
pub(crate) use self::agent::sealing_key;
use self::letter::{Letter, Writer};
use self::native::ToPeer;
pub use self::notice::{Anew, Notice};
use self::outgoing::{Begins, Sender, To};
pub use self::outgoing::{Outgoing, Unenrolled};
pub use self::parts::{DEFAULT_PARALLEL, MAX_PARALLEL};
use self::person::{ToPerson, shared};
use self::plan::{Peer, Plan, Said, Seal};
use self::source::{Source, open_all};
use crate::client::Client;
use crate::clock::now;
use crate::error::{ConfigError, Error, Result};
use crate::identity::Identity;
use crate::peers::KnownBy;
use crate::receive::Security;

/// From so many bytes on files go in parts.
const PARTS_FROM: u64 = 32 * 1024 * 1024;

/// The files, for whichever thread reads them; never two at a time.
type Sources = Arc<Mutex<Vec<Source>>>;

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
    /// How it is protected on its way.
    pub security: Security,
    /// By what the recipient is known, if it is an agent, and one sent.
    pub peer: Option<KnownBy>,
}

/// How often files are read that are sealed in chunks for an agent: an envelope that goes first has to
/// know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passes {
    One,
    Two,
}

/// The way to whom files are for.
enum Way {
    /// By a key that it signed.
    Peer(Box<ToPeer>),
    /// By a key that the server vouches for, in a format of the published clients.
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
        // Large, and moved by whoever awaits it.
        match Box::pin(self.send_once(&outgoing, outgoing.unenrolled)).await {
            // They have set another key since it was asked for: once more, for that one. If there is
            // none now it is refused, whatever was said before: there was one a moment ago, so that
            // whoever agreed did not know what is true now.
            Err(Error::Api(it))
                if it.code == ErrorCode::KeyChanged
                    && matches!(outgoing.recipient, To::Person(_)) =>
            {
                Box::pin(self.send_once(&outgoing, Unenrolled::Refuse)).await
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
                self.way_to_agent(mine, agent, account).await?
            }
            To::Person(email) => {
                let way = self.way_to_person(email, outgoing, unenrolled).await?;
                Way::Person(Box::new(way))
            }
        };
        let (security, peer) = (way.security(), way.known_by(self)?);
        let sent = self.send_along(outgoing, &way, sources).await?;
        Ok(Sent {
            security,
            // By what it went to: that can be another key than a moment ago. What went is not said to
            // have failed because that cannot be read.
            peer: way.known_by(self).unwrap_or(peer),
            ..sent
        })
    }

    async fn send_along(
        &self,
        outgoing: &Outgoing,
        way: &Way,
        sources: Vec<Source>,
    ) -> Result<Sent> {
        let bytes: u64 = sources.iter().map(|it| it.bytes).sum();
        if bytes >= PARTS_FROM {
            return self.send_in_parts(outgoing, way, sources).await;
        }
        if let Some(folder) = &outgoing.kept_in {
            kept::sweep(folder, now());
        }
        let sources = shared(sources);
        let plan = self.plan(outgoing, way, &sources, Passes::Two).await?;
        let (is_sealed, bytes_sent) = (plan.is_sealed(), plan.sealed_bytes());
        let watcher = outgoing.watcher.clone();
        let transfer = self.upload(plan, sources, watcher).await?;
        if matches!(way, Way::Person(_)) {
            check_sealed(&transfer, is_sealed)?;
        }
        Ok(Sent::of(transfer, false, bytes_sent))
    }

    /// Draws keys, and says what is sent with them.
    async fn plan(
        &self,
        outgoing: &Outgoing,
        way: &Way,
        sources: &Sources,
        passes: Passes,
    ) -> Result<Plan> {
        let mine = self.sending(outgoing.sender);
        match (way, mine) {
            (Way::Peer(way), Some(mine)) => way.plan(self, mine, outgoing, sources, passes).await,
            (Way::Peer(_), None) => Err(ConfigError::NoIdentity.into()),
            (Way::Agent(way), mine) => {
                let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                way.plan(mine, outgoing, &sources)
            }
            (Way::Person(way), mine) => way.plan(mine, outgoing, sources).await,
        }
    }

    /// The agent that sends, if one does.
    fn sending(&self, sender: Sender) -> Option<&Identity> {
        self.identity().filter(|_| sender == Sender::Agent)
    }

    fn peer(&self, outgoing: &Outgoing, way: &Way) -> Peer {
        let mine = self.sending(outgoing.sender);
        match way {
            Way::Peer(way) => way.peer(mine),
            Way::Agent(way) => way.peer(mine),
            Way::Person(way) => way.peer(mine),
        }
    }
}

impl Way {
    /// What makes the envelope of an upload that was kept; nothing, if that cannot be any more.
    fn writer(
        &self,
        mine: &Identity,
        letter: Letter,
        seal: &Seal,
        now: Timestamp,
    ) -> Option<Writer> {
        match (self, seal) {
            (Self::Peer(way), Seal::Chunks(keys)) => way.writer(mine, letter, keys, now).ok(),
            _ => None,
        }
    }

    fn security(&self) -> Security {
        match self {
            Self::Peer(_) => Security::Verified,
            Self::Agent(_) => Security::Compatible,
            Self::Person(way) if way.is_sealed() => Security::Sealed,
            Self::Person(_) => Security::Plaintext,
        }
    }

    fn known_by(&self, client: &Client) -> Result<Option<KnownBy>> {
        match self {
            Self::Peer(way) => way.known_by(client),
            Self::Agent(way) => way.known_by(client),
            Self::Person(_) => Ok(None),
        }
    }
}

impl Sent {
    /// What the way adds is not known here yet.
    const fn of(transfer: Transfer, resumed: bool, bytes_sent: u64) -> Self {
        Self {
            transfer,
            resumed,
            bytes_sent,
            left_out: Vec::new(),
            security: Security::Plaintext,
            peer: None,
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
