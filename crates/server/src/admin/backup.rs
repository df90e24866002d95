//! All of an installation in a folder, also while a server runs on it.
//!
//! The rows are those of one moment; then come the blobs that they stand on. What was deleted
//! meanwhile is written down as deleted in the backup, too. What says that it is whole is written
//! last.

use std::fs;
use std::path::Path;

use agentdrop_domain::transfers::Transfer;
use agentdrop_store::Store;
use zeroize::Zeroizing;

use super::carry::{Brought, OTHER_LENGTH, bring, forget, lost};
use super::inventory::{self, Needed};
use super::manifest::{self, Manifest};
use super::place::{self, Place};
use super::scratch::Scratch;
use crate::blob::Blobs;
use crate::clock::Clock;
use crate::config::Config;
use crate::{Error, data_dir};

/// How often it begins anew before it gives up.
const TRIES: u32 = 5;

/// Makes a backup in a folder, which has to be missing or empty; without the server key, if so asked.
pub async fn backup(config: &Config, into: &Path, with_key: bool) -> Result<Manifest, Error> {
    place::require_empty(into)?;
    let source = Place::look(config).await?;
    let key_path = place::key_path(config);
    let has_key = with_key && place::key(&source.store, &key_path).await?.is_some();
    let unusable = |it| Error::Folder(into.to_owned(), it);
    data_dir::make(into).map_err(unusable)?;
    // Of a folder that was there before, too.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(into, mode).map_err(unusable)?;
    let target = into.join("blobs");
    let target = Blobs::in_folder(&target).map_err(unusable)?;
    for _ in 0..TRIES {
        let scratch = Scratch::open(&into.join("coming.db")).await?;
        let mut manifest = Manifest::new(Clock::system().now(), 0, has_key);
        manifest.rows = source.store.copy_into(&scratch.store).await?;
        let copy = Copy {
            source: &source,
            rows: &scratch.store,
            target: &target,
        };
        if !copy.blobs(&mut manifest).await? {
            continue;
        }
        target.sync().await.map_err(unusable)?;
        scratch.store.save_as(&into.join("agentdrop.db"))?;
        drop(scratch);
        if has_key {
            let unreadable = |it| Error::ServerKey(key_path.clone(), it);
            let key = Zeroizing::new(fs::read(&key_path).map_err(unreadable)?);
            manifest::write_new(&into.join("server.key"), &key).map_err(unusable)?;
        }
        manifest.write(into).map_err(unusable)?;
        return Ok(manifest);
    }
    Err(Error::Changing)
}

struct Copy<'a> {
    source: &'a Place,
    /// As they were at one moment.
    rows: &'a Store,
    target: &'a Blobs,
}

/// What became of a transfer while it was copied.
enum Fate {
    /// It was deleted.
    Gone,
    /// Its bytes are elsewhere now.
    Moved,
    /// It should be there.
    Lost,
}

impl Copy<'_> {
    /// Copies all blobs; answers whether the rows still fit to them.
    async fn blobs(&self, manifest: &mut Manifest) -> Result<bool, Error> {
        let mut after = None;
        loop {
            let transfers = inventory::transfers(self.rows, after).await?;
            let Some(last) = transfers.last() else {
                return Ok(true);
            };
            after = Some(last.id);
            for transfer in transfers {
                if !self.transfer(transfer, manifest).await? {
                    return Ok(false);
                }
            }
        }
    }

    async fn transfer(&self, transfer: Transfer, manifest: &mut Manifest) -> Result<bool, Error> {
        let (mut blobs, mut bytes) = (0, 0);
        for (place, file) in (0..).zip(&transfer.files) {
            let inventory = inventory::of_file(self.rows, &transfer, (place, file)).await?;
            if inventory.missing_part.is_some() {
                return Err(lost(transfer.id, place, "lacks a part"));
            }
            for needed in &inventory.needed {
                let what = match bring(needed, self.rows, &self.source.blobs, self.target).await? {
                    Brought::Whole(length) => {
                        blobs += 1;
                        bytes += length;
                        continue;
                    }
                    _ if needed.is_coming => continue,
                    Brought::Gone => "has lost its bytes",
                    Brought::OtherLength => OTHER_LENGTH,
                };
                match self.fate(needed).await? {
                    Fate::Gone => return forget(self.rows, transfer).await.map(|()| true),
                    Fate::Moved => return Ok(false),
                    Fate::Lost => return Err(lost(transfer.id, place, what)),
                }
            }
        }
        manifest.transfers += 1;
        manifest.blobs += blobs;
        manifest.bytes += bytes;
        Ok(true)
    }

    async fn fate(&self, needed: &Needed) -> Result<Fate, Error> {
        if needed.is_still(&self.source.store).await? {
            return Ok(Fate::Lost);
        }
        let mut reader = self.source.store.read().await?;
        let now = reader.announced_transfer(needed.key.transfer).await?;
        let is_there = now.is_some_and(|it| it.bytes_until.is_some());
        Ok(if is_there { Fate::Moved } else { Fate::Gone })
    }
}
