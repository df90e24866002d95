//! Receiving: fetch, check, open, and only then place.
//!
//! The server is not believed. A transfer that was announced as encrypted never yields plaintext; no
//! byte of a file is released before the tag over it was checked; names are data. Everything happens in
//! a private folder inside the target, so that placing is a rename, and no file of a transfer is placed
//! before all of them are good. What was fetched stays there until all are placed, opened where agents
//! verify each other and sealed else, so that the next process goes on where one ended, under the same
//! grant.
//!
//! What the compatible formats cannot show is not shown: neither a name, nor the order, nor the
//! transfer is bound to the bytes, and the sender's key is the server's word.

mod arriving;
mod fetch;
mod grant;
mod incoming;
mod journal;
mod landing;
mod leftovers;
mod native;
mod opening;
mod packed;
mod person;
mod place;
mod received;
mod reception;
mod released;
mod settling;
mod sink;
mod staging;
mod state;
mod unlock;
mod unpack;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{AgentId, EncryptionPublicKey, LinkToken, TransferId};
use agentdrop_seal::SecretKey;

pub use self::incoming::Incoming;
use self::incoming::{Beginning, Plaintext};
use self::journal::Journal;
use self::native::{ForPeer, is_native};
use self::opening::Seal;
pub(crate) use self::packed::FOLDER;
pub use self::packed::folder_name;
use self::person::ForPerson;
pub use self::received::{Note, Received, ReceivedFile, Security};
use self::reception::{
    Opened, Outcome, Reception, placed_earlier, quarantine, tell_of_quarantined,
};
pub(crate) use self::staging::{PREFIX as INCOMING, lock, open_folder, open_target};
use crate::blocking::blocking;
use crate::client::Client;
use crate::error::{Error, PeerError, Result, ShieldError, TrustError, shown};
use crate::identity::Identity;
use crate::peers::KnownBy;
use crate::trust::Known;

/// How many bytes of a transfer wait in a folder for whoever goes on receiving it there.
pub fn half_received(folder: &Path, id: TransferId) -> Option<u64> {
    leftovers::bytes(folder, id)
}

/// Who receives it, and with what it opens.
enum Recipient<'a> {
    /// This agent.
    Agent,
    /// This agent, from another that it can verify.
    Peer(Box<ForPeer>),
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
        let recipient = if is_native(&listed) {
            Recipient::Peer(Box::new(ForPeer::of(self, &listed)?))
        } else {
            self.expect_weaker(&listed)?;
            Recipient::Agent
        };
        // Large, and moved by whoever awaits it.
        Box::pin(self.take_in(recipient, None, &listed, &incoming)).await
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
            Recipient::Peer(_) => ForPeer::ENVELOPES,
            Recipient::Agent => 0,
        };
        let files = listed.files.len().saturating_sub(envelopes);
        if incoming.sink.is_some() && files != 1 {
            return Err(Error::NotOneFile(files));
        }
        let secret = match &recipient {
            Recipient::Person(it) => Some(it.secret()),
            Recipient::Agent | Recipient::Peer(_) => self.identity().map(Identity::secret),
        };
        // Of what nobody sealed, nothing would show that it is still what was fetched.
        let key = secret.filter(|_| listed.is_encrypted);
        let key = key.map(SecretKey::notes_key);
        let (folder, server) = (incoming.folder.clone(), self.server());
        if let Some(quarantine) = quarantine(self, incoming) {
            let is_new = quarantine.untold(listed.id)?.is_some();
            tell_of_quarantined(self, link, &quarantine, listed.id).await?;
            if quarantine.has(listed.id) {
                // It is all there: what an earlier process left of it here is of no more use.
                if let Ok(it) =
                    Journal::begin(folder, server, listed.id, key, incoming.beginning).await
                {
                    it.discard();
                }
                return Err(if is_new {
                    ShieldError::Blocked(Box::new(quarantine.look_up(listed.id)?)).into()
                } else {
                    ShieldError::InQuarantine(listed.id).into()
                });
            }
        }
        // Before the grant: a folder that cannot be written to must not cost a download.
        let journal = Journal::begin(folder, server, listed.id, key, incoming.beginning).await?;
        let taken = self.take_into(&journal, recipient, link, listed, incoming);
        let received = taken.await;
        let is_untold = |it: &Error| is_untold(it) && journal.is_placed();
        // What the server has no more may be a channel or somebody's keys: those can come back, and of the
        // files nothing else has to.
        let is_all_here = match &received {
            Err(Error::Api(_)) => journal.is_all_here().await,
            _ => false,
        };
        match &received {
            // The next process tells the server, and does not get the files once more.
            Ok(it) if it.unacknowledged.as_ref().is_some_and(is_untold) => {
                journal.keep_what_was_placed().await;
            }
            Err(error) if is_all_here || !is_over(error) => {}
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
            Recipient::Peer(_) => MAX_FILES + ForPeer::ENVELOPES,
            Recipient::Person(it) => MAX_FILES + it.envelopes(),
        };
        if let Recipient::Peer(it) = &recipient {
            it.expect_new(self, listed)?;
        }
        let mut reception =
            Reception::begin(self, link, listed, max_files, journal, incoming).await?;
        let (opened, outcome) = match recipient {
            Recipient::Agent => self.open_for_agent(&mut reception, listed).await?,
            Recipient::Peer(it) => it.open(self, &mut reception, listed).await?,
            Recipient::Person(it) => it.open(&mut reception, listed).await?,
        };
        reception.finish(opened, outcome).await
    }

    async fn open_for_agent(
        &self,
        reception: &mut Reception<'_>,
        listed: &Transfer,
    ) -> Result<(Vec<Opened>, Outcome)> {
        let grant = reception.grant.clone();
        let unlocked = if grant.is_encrypted {
            Some(self.unlock(&grant).await?)
        } else {
            None
        };
        let sender_key = unlocked.as_ref().map(|it| it.sender_key);
        let peer = self.known_sender(listed, sender_key).await?;
        for n in 0..grant.files.len() {
            reception.fetch(n).await?;
        }
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
            peer,
            settling: None,
        };
        Ok((opened, outcome))
    }
}

impl Client {
    /// An error, if the sender is known to sign what it sends, or a person has to decide about it first:
    /// before it costs a download.
    fn expect_weaker(&self, listed: &Transfer) -> Result<()> {
        let Some(known) = self.known_agents()? else {
            return Ok(());
        };
        if let Some(sender) = listed.sender_agent_id {
            return known.expect_not_native(sender);
        }
        // Who is left out cannot be looked up, and would be shown by the name that they go by.
        let named =
            |it: &(AgentId, Known)| it.1.native.is_some() && it.1.label() == listed.sender.as_str();
        if listed.mode == TransferMode::AgentToAgent && known.list()?.iter().any(named) {
            return Err(TrustError::SenderUnverified(listed.id).into());
        }
        Ok(())
    }

    /// By what the sender of something is known that nobody signed. Who is known to sign is refused,
    /// and so is who is known by another key.
    async fn known_sender(
        &self,
        listed: &Transfer,
        key: Option<EncryptionPublicKey>,
    ) -> Result<Option<KnownBy>> {
        let Some(sender) = listed.sender_agent_id else {
            return Ok(None);
        };
        if let Some(mine) = self.identity().filter(|it| it.agent_uuid() == Some(sender)) {
            // What one sends to oneself is sealed with one's own key alone.
            return match key {
                Some(key) if key != mine.public_key() => Err(TrustError::OwnKeyDiffers.into()),
                _ => Ok(None),
            };
        }
        let Some(known) = self.known_agents()? else {
            return Ok(None);
        };
        let label = listed.sender.as_str();
        if let Some(key) = key {
            let met = self.meet_compatible(sender, label, key).await?;
            return self.known_by(sender, met);
        }
        known.expect_not_native(sender)?;
        Ok(None)
    }
}

/// Whether nothing would be gained by going on after this: what is here is of no use, or there is no
/// more to be had. Whatever answers in the server's place, on the way, cannot say that.
fn is_over(error: &Error) -> bool {
    match error {
        Error::Api(it) => it.is_gone(),
        Error::Open { .. } | Error::Person(_) => true,
        Error::Shield(it) => matches!(it, ShieldError::Blocked(_)),
        // What a person decides about, or another key or time mends, must cost no second download.
        Error::Peer(it) => matches!(it, PeerError::Replayed(_) | PeerError::SequenceTooOld(_)),
        Error::Trust(it) => !matches!(it, TrustError::Expired(_) | TrustError::SenderUnverified(_)),
        _ => false,
    }
}

/// Whether the server may be told another time.
fn is_untold(error: &Error) -> bool {
    !error.is_refusal() && !is_unknown(error)
}

/// Whether a server knows no acknowledgements: it will know none the next time.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Api(it) if matches!(it.status, 404 | 405))
}
