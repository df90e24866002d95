//! Whether every row has its blobs, and every blob its row, also while a server runs.
//!
//! What the server encrypted is decrypted to its end, which shows every byte that was changed. What
//! its sender encrypted is measured only: nobody here has the key.

use std::io;
use std::time::Duration;

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::TransferId;

use super::inventory::{self, Needed};
use super::place::{self, Place, broken};
use crate::Error;
use crate::at_rest::{Details, FileOpener, SEALED_CHUNK, ServerKey, TransferKey};
use crate::audit::verify::{self, Verified};
use crate::blob::{Blob, BlobKey, BlobName, Found};
use crate::clock::Clock;
use crate::config::Config;

/// How many findings, and how many orphans, are named.
const MAX_NAMED: usize = 1_000;
/// Chunks that are read at a time.
const CHUNKS: u64 = 16;

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Transfers whose bytes are there.
    pub transfers: u64,
    /// Blobs that have them, and small files beside their rows.
    pub blobs: u64,
    /// Bytes that were decrypted to their end.
    pub decrypted: u64,
    /// Bytes that their sender encrypted, which are measured only.
    pub measured: u64,
    /// How much is wrong.
    pub wrong: u64,
    /// What is wrong; a thousand things at most.
    pub findings: Vec<Finding>,
    /// Blobs that belong to no transfer.
    pub orphans: Orphans,
    /// What came of following the audit logs.
    pub audit: Verified,
}

/// Something that is wrong with a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The transfer.
    pub transfer: TransferId,
    /// The place of the file among its files, from 0; of what it says in words, none.
    pub file: Option<u32>,
    /// The number of the part, if the file is in parts.
    pub part: Option<u32>,
    /// What is wrong.
    pub fault: BlobFault,
}

/// What may be wrong with stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobFault {
    /// They are not what was written.
    #[error("the bytes were changed, for they cannot be decrypted")]
    Changed,
    /// Names and message cannot be decrypted.
    #[error("its names and its message cannot be decrypted")]
    Details,
    /// There are more or fewer.
    #[error("there are more or fewer bytes than were stored")]
    Length,
    /// They are gone.
    #[error("the bytes are missing")]
    Missing,
    /// Others are in their place.
    #[error("other bytes were put in the place of those that were confirmed")]
    Replaced,
    /// The disk does not give them.
    #[error("the bytes cannot be read")]
    Unreadable,
}

impl BlobFault {
    /// What it is called on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Details => "details",
            Self::Length => "length",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Blobs that belong to no transfer. The server deletes them once they are a day old.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Those younger than a day: they may be about to belong to one.
    pub young: u64,
    /// Those that are older.
    pub old: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// What they are called; a thousand at most.
    pub named: Vec<String>,
}

impl Checked {
    /// Whether nothing is wrong; what belongs to nobody is in nobody's way.
    pub const fn is_well(&self) -> bool {
        self.wrong == 0 && self.audit.broken.is_empty()
    }
}

/// Checks everything.
pub async fn check(config: &Config) -> Result<Checked, Error> {
    let place = Place::look(config).await?;
    let key = place::key(&place.store, &place::key_path(config)).await?;
    let mut check = Check {
        place: &place,
        key: key.as_ref(),
        checked: Checked::default(),
    };
    check.rows().await?;
    check.blobs(config.limits.orphan_age).await?;
    check.checked.audit = verify::all(&place.store).await?;
    Ok(check.checked)
}

struct Check<'a> {
    place: &'a Place,
    key: Option<&'a ServerKey>,
    checked: Checked,
}

impl Check<'_> {
    /// Every row against its blobs.
    async fn rows(&mut self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let transfers = inventory::transfers(&self.place.store, after).await?;
            let Some(last) = transfers.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for transfer in transfers {
                self.transfer(&transfer).await?;
            }
        }
    }

    async fn transfer(&mut self, transfer: &Transfer) -> Result<(), Error> {
        self.checked.transfers += 1;
        let key = self.transfer_key(transfer);
        if key.is_none() && self.still(transfer).await? {
            self.found(transfer.id, None, None, BlobFault::Details);
        }
        for (place, file) in (0..).zip(&transfer.files) {
            let inventory = inventory::of_file(&self.place.store, transfer, (place, file)).await?;
            if let Some(part) = inventory.missing_part
                && self.still(transfer).await?
            {
                self.found(transfer.id, Some(place), Some(part), BlobFault::Missing);
            }
            for needed in &inventory.needed {
                let Some(fault) = self.blob(needed, key.as_ref()).await? else {
                    continue;
                };
                // Whatever was deleted, or came again, while we looked.
                let is_coming = needed.is_coming && fault != BlobFault::Changed;
                if !is_coming && needed.is_still(&self.place.store).await? {
                    self.found(transfer.id, Some(place), needed.part, fault);
                }
            }
        }
        Ok(())
    }

    /// The transfer's key, if what it says in words can be read with it.
    fn transfer_key(&self, transfer: &Transfer) -> Option<TransferKey> {
        let key = self.key?.transfer_key(transfer.id, &transfer.wrapped_key);
        let key = key.ok()?;
        Details::open(&key, &transfer.details).ok()?;
        Some(key)
    }

    /// What is wrong with a blob.
    async fn blob(
        &mut self,
        needed: &Needed,
        key: Option<&TransferKey>,
    ) -> Result<Option<BlobFault>, Error> {
        let opened = if needed.in_database {
            let bytes = needed.small(&self.place.store).await?;
            let bytes = bytes.ok_or_else(|| io::ErrorKind::NotFound.into());
            bytes.map(|it| Blob::Small(it.into()))
        } else {
            needed.open(&self.place.blobs).await
        };
        let blob = match opened {
            Ok(blob) => blob,
            Err(error) => return self.fault(error).map(Some),
        };
        let length = match blob.len() {
            Ok(length) => length,
            Err(error) => return self.fault(error).map(Some),
        };
        if length != needed.stored_len() {
            return Ok(Some(BlobFault::Length));
        }
        self.checked.blobs += 1;
        let Some(opener) = key.and_then(|it| needed.opener(it)) else {
            self.checked.measured += length;
            return Ok(None);
        };
        match decrypts(&blob, length, &opener).await {
            Ok(true) => {
                self.checked.decrypted += needed.plain_len();
                Ok(None)
            }
            Ok(false) => Ok(Some(BlobFault::Changed)),
            Err(error) => self.fault(error).map(Some),
        }
    }

    /// What it means that a blob was not read; a bucket that is away says nothing about blobs.
    fn fault(&self, error: io::Error) -> Result<BlobFault, Error> {
        match error.kind() {
            io::ErrorKind::HostUnreachable => Err(broken(&self.place.blobs, error)),
            io::ErrorKind::NotFound => Ok(BlobFault::Missing),
            io::ErrorKind::StaleNetworkFileHandle => Ok(BlobFault::Replaced),
            _ => Ok(BlobFault::Unreadable),
        }
    }

    /// Whether a transfer is what it was.
    async fn still(&self, transfer: &Transfer) -> Result<bool, Error> {
        let mut reader = self.place.store.read().await?;
        let now = reader.announced_transfer(transfer.id).await?;
        Ok(
            now.is_some_and(|it| {
                it.bytes_until.is_some() && it.wrapped_key == transfer.wrapped_key
            }),
        )
    }

    /// Whether a transfer stands on a blob, as things are now.
    async fn is_needed(&self, blob: BlobKey) -> Result<bool, Error> {
        let mut reader = self.place.store.read().await?;
        Ok(match blob.name {
            BlobName::Part(tag) => reader.needs_part(blob.transfer, tag).await?,
            BlobName::Position(at) => reader.needs_blob(blob.transfer, at).await?,
        })
    }

    fn found(
        &mut self,
        transfer: TransferId,
        file: Option<u32>,
        part: Option<u32>,
        fault: BlobFault,
    ) {
        self.checked.wrong += 1;
        if self.checked.findings.len() < MAX_NAMED {
            self.checked.findings.push(Finding {
                transfer,
                file,
                part,
                fault,
            });
        }
    }

    /// Every blob against its row.
    async fn blobs(&mut self, age: Duration) -> Result<(), Error> {
        let now = Duration::from_millis(
            u64::try_from(Clock::system().now().as_millis()).unwrap_or_default(),
        );
        let old = std::time::SystemTime::UNIX_EPOCH + now.saturating_sub(age);
        for shard in 0..=u8::MAX {
            let found = match self.place.blobs.in_shard(shard).await {
                // No server has run on it yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(|it| broken(&self.place.blobs, it))?,
            };
            for Found { key, put_at, bytes } in found {
                if self.is_needed(key).await? || !self.is_there(key).await {
                    continue;
                }
                let orphans = &mut self.checked.orphans;
                let count = if put_at < old {
                    &mut orphans.old
                } else {
                    &mut orphans.young
                };
                *count += 1;
                orphans.bytes += bytes;
                if orphans.named.len() < MAX_NAMED {
                    orphans.named.push(key.to_string());
                }
            }
        }
        Ok(())
    }

    /// Whether it was not deleted with its transfer while we looked.
    async fn is_there(&self, blob: BlobKey) -> bool {
        let read = self.place.blobs.read(blob, None).await;
        !read.is_err_and(|it| it.kind() == io::ErrorKind::NotFound)
    }
}

/// Whether a blob can be decrypted to its end.
async fn decrypts(blob: &Blob, length: u64, opener: &FileOpener) -> io::Result<bool> {
    let step = CHUNKS * SEALED_CHUNK as u64;
    let (mut at, mut chunk) = (0, 0);
    while at < length {
        let wanted = usize::try_from(step.min(length - at)).unwrap_or(usize::MAX);
        let mut bytes = blob.read_at(at, wanted).await?;
        if bytes.len() != wanted {
            return Ok(false);
        }
        for sealed in bytes.chunks_mut(SEALED_CHUNK) {
            if opener.open(chunk, sealed).is_err() {
                return Ok(false);
            }
            chunk += 1;
        }
        at += wanted as u64;
    }
    Ok(true)
}
