//! Large files: announced, sent in parts, confirmed; and gone on with, where an earlier run stopped.
//!
//! Files are sealed from their beginning to their end by one thread, each time anew: the tag at the end
//! takes all of them. Parts that are there are sealed and compared, and not sent. A part counts as there
//! if the server lists it as it acknowledged it to us: what it says to have without that is sent again.

mod calls;
mod cut;
mod put;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agentdrop_protocol::limits::{MAX_PARTS, UPLOAD_LIFETIME};
use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::transfers::{Transfer, TransferStatus};
use agentdrop_protocol::{ErrorCode, Timestamp, TransferId};
use serde_json::json;

use self::calls::Standing;
use super::kept::{Found, Head, Kept, Shelf};
use super::notice::{Anew, Notice};
use super::person::shared;
use super::plan::{Peer, Plan};
use super::source::Source;
use super::{Begins, Outgoing, Passes, Sent, Sources, Way, check_sealed};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, Result};

/// How many parts are sent at once where the caller says nothing: with the one that is sealed, and what
/// a process has anyway, less than 40 MB.
pub const DEFAULT_PARALLEL: usize = 2;
/// How many parts may be sent at once.
pub const MAX_PARALLEL: usize = 8;
/// Bytes in a part, but for the last: little to send twice, much for one request.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// Larger parts are so many times this.
const PART_STEP: u64 = 1024 * 1024;
/// How often addresses are asked for anew that are over before the day is.
const MAX_ROUNDS: u32 = 3;

/// An upload that runs.
struct Upload<'a> {
    client: &'a Client,
    outgoing: &'a Outgoing,
    kept: Arc<Kept>,
    plan: Arc<Plan>,
    sources: Sources,
    progress: Done,
}

/// How far it is.
#[derive(Default)]
struct Done {
    there_bytes: AtomicU64,
    sent_bytes: AtomicU64,
}

/// Why it does not go on.
enum Stop {
    /// It cannot; a new one may.
    Over(Anew, Error),
    /// The addresses are over, and there are others.
    AddressesOver(Error),
    /// Not now.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    fn into_error(self) -> Error {
        match self {
            Self::Over(_, error) | Self::AddressesOver(error) | Self::Failed(error) => error,
        }
    }
}

impl Client {
    pub(super) async fn send_in_parts(
        &self,
        outgoing: &Outgoing,
        way: &Way,
        sources: Vec<Source>,
    ) -> Result<Sent> {
        let peer = self.peer(outgoing, way);
        let shelf = self.shelf(outgoing, &peer, &sources)?;
        let stamps: Vec<_> = sources.iter().map(|it| it.stamp().to_owned()).collect();
        let sources = shared(sources);
        let found = match &shelf {
            Some(shelf) => self.find(outgoing, way, shelf, (&peer, &stamps)).await?,
            None => None,
        };
        if let Some((kept, plan)) = found {
            let upload = Upload {
                client: self,
                outgoing,
                kept: Arc::new(kept),
                plan: Arc::new(plan),
                sources: Arc::clone(&sources),
                progress: Done::default(),
            };
            match upload.run(true).await {
                Err(Stop::Over(why, _)) => {
                    outgoing.teller.tell(Notice::BeginsAnew(why));
                    self.give_up(&upload.kept).await?;
                }
                ended => return ended.map_err(Stop::into_error),
            }
        }
        let plan = self.plan(outgoing, way, &sources, Passes::One).await?;
        let part_bytes = part_bytes(&plan);
        let head = Head::new(&plan, peer, stamps, part_bytes, now())?;
        let upload = Upload {
            client: self,
            outgoing,
            kept: Arc::new(Kept::begin(head, shelf.as_ref(), &outgoing.teller)),
            plan: Arc::new(plan),
            sources,
            progress: Done::default(),
        };
        let ended = upload.run(false).await;
        if let Err(Stop::Over(..)) = &ended {
            self.give_up(&upload.kept).await?;
        }
        ended.map_err(Stop::into_error)
    }

    /// Where uploads of the same to the same are kept; nowhere, where they could not be read again.
    fn shelf(&self, outgoing: &Outgoing, peer: &Peer, sources: &[Source]) -> Result<Option<Shelf>> {
        let Some(folder) = &outgoing.kept_in else {
            return Ok(None);
        };
        let mut paths = Vec::new();
        for source in sources {
            let Some(path) = source.canonical()? else {
                return Ok(None);
            };
            paths.push((path, source.name.as_str()));
        }
        let sender = peer.sender.as_ref().map(|it| &it.0);
        let what = json!({
            "server": self.server(), "recipient": peer.recipient, "sender": sender,
            "account": outgoing.account, "files": paths,
            "message": outgoing.message.as_ref().map(Message::as_str),
            "expires_in": outgoing.expires_in.map(|it| it.to_string()),
            "max_downloads": outgoing.max_downloads, "deletes": outgoing.deletes(),
        });
        Ok(Some(Shelf::new(folder, &what)))
    }

    /// An earlier upload that can go on.
    async fn find(
        &self,
        outgoing: &Outgoing,
        way: &Way,
        shelf: &Shelf,
        (peer, stamps): (&Peer, &[String]),
    ) -> Result<Option<(Kept, Plan)>> {
        let now = now();
        let (kept, why) = match shelf.find(now, &outgoing.teller) {
            Found::Nothing => return Ok(None),
            Found::TooOld => {
                outgoing.teller.tell(Notice::BeginsAnew(Anew::TooOld));
                return Ok(None);
            }
            Found::Kept(kept) if outgoing.begins == Begins::Anew => (kept, None),
            Found::Kept(kept) => {
                let head = &kept.head;
                let why = if head.stamps != stamps {
                    Anew::FilesChanged
                } else if head.peer != *peer {
                    Anew::KeyChanged
                } else if now.since(head.created) > UPLOAD_LIFETIME {
                    Anew::TooOld
                } else if let Some(plan) = self.plan_again(outgoing, way, head, now) {
                    return Ok(Some((*kept, plan)));
                } else {
                    Anew::Gone
                };
                (kept, Some(why))
            }
        };
        if let Some(why) = why {
            outgoing.teller.tell(Notice::BeginsAnew(why));
        }
        self.give_up(&kept).await?;
        Ok(None)
    }

    /// What was kept, and what makes its envelope, where that is made last; nothing, if it makes no sense
    /// any more.
    fn plan_again(
        &self,
        outgoing: &Outgoing,
        way: &Way,
        head: &Head,
        now: Timestamp,
    ) -> Option<Plan> {
        let mut plan = head.plan()?;
        if let Some(letter) = &head.letter {
            let mine = self.sending(outgoing.sender)?;
            plan.writer = Some(way.writer(mine, letter.clone(), &plan.seal, now)?);
        }
        Some(plan)
    }

    /// Forgets an upload, here and, as well as may be, at the server.
    async fn give_up(&self, kept: &Kept) -> Result<()> {
        // First of all, so that nothing is ever sealed with its keys again.
        kept.forget()?;
        if let Some(announced) = kept.announced() {
            // Refused of what was confirmed: that stays. Else it goes by itself within a day.
            self.abort(&announced).await.ok();
        }
        Ok(())
    }
}

impl Upload<'_> {
    /// Brings it to its end. It is forgotten then, and else stays as it is, to go on with.
    async fn run(&self, resumed: bool) -> Result<Sent, Stop> {
        let transfer = self.bring(resumed).await?;
        self.kept.forget()?;
        check_sealed(&transfer, self.plan.is_sealed())?;
        let bytes_sent = self.progress.sent_bytes.load(Ordering::Relaxed);
        Ok(Sent::of(transfer, resumed, bytes_sent))
    }

    async fn bring(&self, resumed: bool) -> Result<Transfer, Stop> {
        let (announced, mut standing) = match self.kept.announced() {
            Some(announced) => {
                if let Some(confirmed) = self.look(announced.transfer).await? {
                    return Ok(confirmed);
                }
                let standing = self.standing(&announced).await?;
                (announced, standing)
            }
            None => self.announce().await?,
        };
        for round in 1.. {
            self.tell(resumed && round == 1, &standing);
            match self.pass(standing).await {
                Ok(()) => break,
                Err(Stop::AddressesOver(_)) if round < MAX_ROUNDS => {
                    standing = self.standing(&announced).await?;
                }
                Err(stop) => return Err(stop),
            }
        }
        self.kept.settle()?;
        for (n, file) in announced.files.iter().enumerate() {
            self.complete(&announced, n, file).await?;
        }
        let transfer = self.confirm(&announced).await?;
        Ok(transfer)
    }

    /// Looks whether it still comes; answers it if it was confirmed, and the answer was lost.
    async fn look(&self, id: TransferId) -> Result<Option<Transfer>, Stop> {
        let transfer = self.client.transfer(id).await;
        let transfer = transfer.map_err(gone_if_missing)?;
        match transfer.status {
            TransferStatus::Pending => Ok(None),
            TransferStatus::Expired | TransferStatus::Deleted if transfer.downloads == 0 => {
                Err(Stop::Over(Anew::Gone, Error::UploadEnded(id)))
            }
            _ => Ok(Some(transfer)),
        }
    }

    fn tell(&self, resumed: bool, standing: &Standing) {
        let done = &self.progress;
        // What was sent in an earlier round is there as well.
        let sent_bytes = done.sent_bytes.load(Ordering::Relaxed);
        let there_bytes = standing.there_bytes.saturating_sub(sent_bytes);
        done.there_bytes.store(there_bytes, Ordering::Relaxed);
        self.report(sent_bytes);
        if resumed {
            self.outgoing.teller.tell(Notice::Resumes {
                there_bytes,
                total_bytes: self.plan.sealed_bytes(),
            });
        }
    }
}

/// Bytes in each part but the last: as few as there may be parts for.
fn part_bytes(plan: &Plan) -> u64 {
    let parts = u64::from(MAX_PARTS) - plan.objects.len() as u64;
    let least = plan.sealed_bytes().div_ceil(parts);
    PART_BYTES.max(least.next_multiple_of(PART_STEP))
}

fn gone_if_missing(error: Error) -> Stop {
    match &error {
        Error::Api(it) if it.is_gone() || it.code == ErrorCode::Gone => {
            Stop::Over(Anew::Gone, error)
        }
        _ => Stop::Failed(error),
    }
}
