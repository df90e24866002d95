//! A transfer on its way in: what agents, people and holders of links have in common.
//!
//! Whatever ends this process, the next one fetches only what is missing, and checks everything: what
//! is on disk is never believed. Between agents files are opened as they come, see [`arriving`]. All
//! others are fetched first, and stay sealed on disk until they are placed; where the disk has no room
//! for both, a file is opened where it lies, and fetched again if that is cut short.

mod arriving;
mod finish;
mod inspection;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{EncryptionPublicKey, FileName, LinkToken};
use agentdrop_seal::OpenError;
use http::HeaderValue;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) use self::finish::placed_earlier;
pub(super) use self::inspection::tell_of_quarantined;
use super::fetch::Fetch;
use super::grant::{check, granted, is_no_more, is_sealed_alike};
use super::incoming::Folders;
use super::journal::Journal;
use super::landing::Landing;
use super::opening::{Seal, Watched};
use super::settling::Settling;
use super::sink::Sink;
use super::staging::{opened, part};
use super::{Incoming, Security, blocking};
use crate::client::Client;
use crate::error::{Error, Result, TrustError};
use crate::identity::Identity;
use crate::peers::KnownBy;
use crate::progress::{Phase, Watcher};
use crate::shield::{Policy, Quarantine, Shield};

/// Room for what is written down, twice: the next takes the place of the last.
const STATE_BYTES: u64 = 256 * 1024;

pub(super) struct Reception<'a> {
    client: &'a Client,
    link: Option<&'a LinkToken>,
    listed: &'a Transfer,
    max_files: usize,
    journal: Journal,
    watcher: Watcher,
    spare_bytes: u64,
    sink: Option<Sink>,
    unpacks: bool,
    shield: Shield,
    quarantine: Option<Quarantine>,
    stop: CancellationToken,
    /// A thread that opens a file ends soon after this was dropped.
    _stop_with_us: DropGuard,
    /// The grant under which files are fetched.
    pub(super) grant: Download,
    /// Whether its addresses may have expired: it is not from this process, or was of use already.
    is_worn: bool,
    /// How much of each file an earlier process left.
    left_bytes: Vec<u64>,
}

/// What was received, beside the files.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) security: Security,
    pub(super) message: Option<Message>,
    pub(super) sender_key: Option<EncryptionPublicKey>,
    /// By what the sender is known, if it is an agent.
    pub(super) peer: Option<KnownBy>,
    /// What is left to do when it is placed.
    pub(super) settling: Option<Settling>,
}

/// A file that was opened, and waits to be placed.
#[derive(Debug)]
pub(super) struct Opened {
    /// Which file of the grant it is.
    pub(super) n: usize,
    pub(super) source: String,
    pub(super) name: FileName,
    pub(super) bytes: u64,
    /// Whether an envelope says that it is a folder, packed.
    pub(super) is_folder: bool,
}

impl<'a> Reception<'a> {
    /// Goes on where an earlier process ended, or takes one of the downloads.
    pub(super) async fn begin(
        client: &'a Client,
        link: Option<&'a LinkToken>,
        listed: &'a Transfer,
        max_files: usize,
        journal: &Journal,
        incoming: &Incoming,
    ) -> Result<Self> {
        let left = journal.grant();
        let had_any = left.is_some();
        let left = left.filter(|it| check(it, listed, max_files).is_ok());
        let is_worn = left.is_some();
        let grant = if let Some(grant) = left {
            grant
        } else {
            if !had_any {
                // Neither the files nor the grant would stay, and it may be the last one.
                let bytes = listed.files.iter().map(|it| it.size);
                let bytes = bytes.fold(STATE_BYTES, u64::saturating_add);
                journal.on_disk(move |it| it.require_room(bytes)).await?;
            }
            granted(client, link, listed, max_files).await?
        };
        if !is_worn {
            journal.set_grant(grant.clone()).await?;
        }
        let mut left_bytes = vec![0; grant.files.len()];
        if had_any {
            for (n, left) in left_bytes.iter_mut().enumerate() {
                if !journal.known(n).is_overwritten {
                    *left = journal.part(n).await?.1;
                }
            }
        }
        let stop = CancellationToken::new();
        let shield = match &incoming.shield {
            Some(shield) => shield.clone(),
            None => Shield::in_process(Policy::default())?,
        };
        Ok(Self {
            shield,
            quarantine: quarantine(client, incoming),
            client,
            link,
            listed,
            max_files,
            journal: journal.clone(),
            watcher: incoming.watcher.clone(),
            spare_bytes: incoming.spare_bytes,
            sink: incoming.sink.clone(),
            unpacks: incoming.folders == Folders::Unpacked && incoming.sink.is_none(),
            _stop_with_us: stop.clone().drop_guard(),
            stop,
            left_bytes,
            grant,
            is_worn,
        })
    }

    /// Fetches file `n`, as far as it is not here.
    pub(super) async fn fetch(&mut self, n: usize) -> Result<()> {
        loop {
            let Err(error) = self.fetch_under_grant(n).await else {
                return Ok(());
            };
            if !(self.is_worn && is_no_more(&error)) {
                return Err(error);
            }
            self.renew().await?;
        }
    }

    async fn fetch_under_grant(&mut self, n: usize) -> Result<()> {
        let changed = || Error::from(TrustError::Changed(self.listed.id));
        let file = self.grant.files.get(n).ok_or_else(changed)?;
        let known = self.journal.known(n);
        let etag = known.etag.and_then(|it| HeaderValue::try_from(it).ok());
        let (mut into, mut have) = self.journal.part(n).await?;
        let is_whole = have == file.size && !known.is_overwritten;
        let goes_on = have < file.size && !known.is_overwritten && etag.is_some();
        if have > 0 && !is_whole && !goes_on {
            self.journal.empty_part(n).await?;
            (into, have) = self.journal.part(n).await?;
        }
        let (before, total) = (self.bytes_before(n), self.total_bytes());
        // Of later files it is counted when they come: until then it is not done.
        let (watcher, resumed) = (&self.watcher, self.left_bytes.iter().take(n + 1).sum());
        let report = |done| watcher.report_resumed(Phase::Fetching, before + done, total, resumed);
        if is_whole {
            report(have);
            return Ok(());
        }
        let transport = self.client.transport();
        let url = transport.server.file(&file.download_url)?;
        let landing = Landing::disk(into, &self.journal, n);
        let mut fetch = Fetch::new(transport, url, file.size, landing);
        if let Some(etag) = etag.filter(|_| have > 0) {
            fetch = fetch.behind(have, etag);
        }
        let fetched = fetch.run(report).await;
        self.is_worn |= fetch.moved();
        fetched
    }

    /// Takes another download, for the addresses of the last one are no more. It has to be of the same
    /// files, sealed with the same key.
    async fn renew(&mut self) -> Result<()> {
        let next = granted(self.client, self.link, self.listed, self.max_files).await?;
        if !is_sealed_alike(&next, &self.grant) {
            return Err(TrustError::Changed(self.listed.id).into());
        }
        self.journal.set_grant(next.clone()).await?;
        self.grant = next;
        self.is_worn = false;
        Ok(())
    }

    /// Opens file `n`, which was fetched.
    ///
    /// Of what an earlier process left, it fetches a file that does not open once more: a disk that
    /// lost its power may have kept less than it said.
    pub(super) async fn open(&mut self, n: usize, name: &FileName, seal: &Seal) -> Result<Opened> {
        match self.open_fetched(n, name, seal).await {
            Err(Error::Open { .. }) if self.fetch_again(n).await? => {
                self.open_fetched(n, name, seal).await
            }
            opened => opened,
        }
    }

    /// Fetches file `n` from its beginning, if a part of it was left by an earlier process.
    pub(super) async fn fetch_again(&mut self, n: usize) -> Result<bool> {
        let had = self.forget_left(n).await?;
        if had {
            self.fetch(n).await?;
        }
        Ok(had)
    }

    /// Throws away what an earlier process left of file `n`, if anything.
    async fn forget_left(&mut self, n: usize) -> Result<bool> {
        let left = self.left_bytes.get_mut(n).map(std::mem::take);
        if left.is_none_or(|it| it == 0) {
            return Ok(false);
        }
        self.journal.empty_part(n).await?;
        Ok(true)
    }

    async fn open_fetched(&self, n: usize, name: &FileName, seal: &Seal) -> Result<Opened> {
        let (sealed, size) = self.journal.part(n).await?;
        let sealed = self.watched(n, sealed, seal.passes());
        let room = self.journal.room().await?;
        let (source, bytes) =
            if seal.opens_in_place() && room < size.saturating_add(self.spare_bytes) {
                self.journal.overwrite_part(n).await?;
                let (seal, name) = (seal.clone(), name.clone());
                let open = move || seal.open_in_place(sealed).map_err(|it| refused(it, &name));
                (part(n), blocking(open).await?)
            } else {
                let (seal, name) = (seal.clone(), name.clone());
                let into = self.journal.opened(n).await?;
                let open = move || {
                    let bytes = seal
                        .open_to(sealed, &into)
                        .map_err(|it| refused(it, &name))?;
                    let synced = into.sync_all();
                    synced.map_err(Error::io("write", name.as_str()))?;
                    Ok(bytes)
                };
                (opened(n), blocking(open).await?)
            };
        Ok(Opened {
            n,
            source,
            name: name.clone(),
            bytes,
            is_folder: false,
        })
    }

    /// Takes file `n` as it is: nobody sealed it.
    pub(super) async fn take_plain(&self, n: usize, name: &FileName) -> Result<Opened> {
        let (file, bytes) = self.journal.part(n).await?;
        blocking(move || file.sync_all().map_err(Error::io("write", "the file"))).await?;
        Ok(Opened {
            n,
            source: part(n),
            name: name.clone(),
            bytes,
            is_folder: false,
        })
    }

    /// All bytes of file `n`, which is a small one.
    pub(super) async fn read(&self, n: usize, max_bytes: u64) -> Result<Vec<u8>> {
        let (mut file, _) = self.journal.part(n).await?;
        blocking(move || {
            let mut content = Vec::new();
            let read = file.seek(SeekFrom::Start(0));
            let read = read.and_then(|_| file.take(max_bytes).read_to_end(&mut content));
            read.map_err(Error::io("read", "the envelope"))?;
            Ok(content)
        })
        .await
    }

    fn watched(&self, n: usize, file: File, passes: u64) -> Watched {
        Watched {
            file,
            watcher: self.watcher.clone(),
            stop: self.stop.clone(),
            passes,
            done_bytes: passes * self.bytes_before(n),
            total_bytes: self.total_bytes(),
        }
    }

    fn bytes_before(&self, n: usize) -> u64 {
        self.grant.files.iter().take(n).map(|it| it.size).sum()
    }

    fn total_bytes(&self) -> u64 {
        self.bytes_before(usize::MAX)
    }
}

/// Where what is kept from the agent goes.
pub(super) fn quarantine(client: &Client, incoming: &Incoming) -> Option<Quarantine> {
    let of_identity = || client.identity().map(Identity::folder);
    let folder = incoming.quarantine.as_deref().or_else(of_identity);
    folder.map(Quarantine::beside)
}

pub(super) fn refused(error: OpenError, name: &FileName) -> Error {
    match error {
        OpenError::Io(source) => Error::io("open", name.as_str())(source),
        _ => Error::Open { file: name.clone() },
    }
}
