//! Brings blobs from one place to another: folder or bucket.

use std::io;

use agentdrop_domain::transfers::{Direct, Transfer};
use agentdrop_protocol::TransferId;
use agentdrop_store::{Store, Tx};
use bytes::Bytes;

use super::inventory::{self, Needed};
use super::place::broken;
use crate::Error;
use crate::blob::Blobs;

/// Bytes that are read at a time.
const READ: usize = 1024 * 1024;

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Transfers whose bytes are there.
    pub transfers: u64,
    /// Blobs that have them, and small files beside their rows.
    pub blobs: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// Transfers that were on their way straight to a bucket, and are deleted: their senders have to
    /// send them again.
    pub given_up: u64,
}

/// Where a blob was looked for.
pub(super) enum Brought {
    /// It is where it was to go.
    Whole(u64),
    /// It is not there, or other bytes are in its place.
    Gone,
    /// It is there, and has another length than its row says.
    OtherLength,
}

/// Brings one blob; what is in the database in the place of one comes with the rows, and is there.
pub(super) async fn bring(
    needed: &Needed,
    rows: &Store,
    from: &Blobs,
    to: &Blobs,
) -> Result<Brought, Error> {
    use io::ErrorKind::{NotFound, StaleNetworkFileHandle};
    if needed.in_database {
        let length = needed.small(rows).await?.map(|it| it.len() as u64);
        return Ok(match length {
            None => Brought::Gone,
            Some(length) if length == needed.stored_len() => Brought::Whole(length),
            Some(_) => Brought::OtherLength,
        });
    }
    let blob = match needed.open(from).await {
        Err(error) if matches!(error.kind(), NotFound | StaleNetworkFileHandle) => {
            return Ok(Brought::Gone);
        }
        opened => opened.map_err(|it| broken(from, it))?,
    };
    let length = needed.stored_len();
    if blob.len().map_err(|it| broken(from, it))? != length {
        return Ok(Brought::OtherLength);
    }
    match to.link(from, needed.key).await {
        Err(error) if error.kind() == NotFound => return Ok(Brought::Gone),
        Ok(true) => return Ok(Brought::Whole(length)),
        linked => linked.map_err(|it| broken(to, it))?,
    };
    let put = |it| broken(to, it);
    let mut staging = to.stage(needed.key).map_err(put)?;
    let mut at = 0;
    while at < length {
        let read = blob.read_at(at, READ).await;
        let read = read.map_err(|it| broken(from, it))?;
        if read.is_empty() {
            return Ok(Brought::OtherLength);
        }
        at += read.len() as u64;
        staging.write(Bytes::from(read)).await.map_err(put)?;
    }
    if at != length {
        return Ok(Brought::OtherLength);
    }
    let staged = staging.finish().await.map_err(put)?;
    to.put(vec![(needed.key, staged)]).await.map_err(put)?;
    Ok(Brought::Whole(length))
}

/// Brings all blobs that the rows of `store`, which is nobody else's, stand on, and writes down there
/// what is other in the new place.
pub(super) async fn bring_all(store: &Store, from: &Blobs, to: &Blobs) -> Result<Carried, Error> {
    let (mut carried, mut after) = (Carried::default(), None);
    loop {
        let transfers = inventory::transfers(store, after).await?;
        let Some(last) = transfers.last() else {
            to.sync().await.map_err(|it| broken(to, it))?;
            return Ok(carried);
        };
        after = Some(last.id);
        for transfer in transfers {
            bring_transfer(store, transfer, from, to, &mut carried).await?;
        }
    }
}

async fn bring_transfer(
    store: &Store,
    mut transfer: Transfer,
    from: &Blobs,
    to: &Blobs,
    carried: &mut Carried,
) -> Result<(), Error> {
    // What the old bucket has of it, and the addresses that lead there, are of no use in another one.
    if transfer.announced && transfer.files.iter().any(|it| it.direct.is_some()) {
        carried.given_up += 1;
        return forget(store, transfer).await;
    }
    let mut has_changed = false;
    for (place, file) in (0..).zip(transfer.files.clone()) {
        let inventory = inventory::of_file(store, &transfer, (place, &file)).await?;
        if inventory.missing_part.is_some() {
            return Err(lost(transfer.id, place, "lacks a part"));
        }
        for needed in &inventory.needed {
            match bring(needed, store, from, to).await? {
                Brought::Whole(bytes) => {
                    carried.blobs += 1;
                    carried.bytes += bytes;
                }
                Brought::Gone if needed.is_coming => {}
                Brought::Gone => return Err(lost(transfer.id, place, "has lost its bytes")),
                Brought::OtherLength => return Err(lost(transfer.id, place, OTHER_LENGTH)),
            }
            if file.direct.is_some() {
                let etag = to.read(needed.key, None).await;
                let etag = etag.map_err(|it| broken(to, it))?;
                let etag = etag.etag().map(str::to_owned);
                if let Some(file) = transfer.files.get_mut(place as usize) {
                    file.direct = Some(Direct { upload: None, etag });
                }
                has_changed = true;
            }
        }
    }
    carried.transfers += 1;
    if has_changed {
        let write = async move |tx: &mut Tx| tx.update_transfer_contents(&transfer).await;
        store.write(write).await?;
    }
    Ok(())
}

pub(super) const OTHER_LENGTH: &str = "has more or fewer bytes than were stored";

/// Writes down that a transfer's bytes are gone.
pub(super) async fn forget(store: &Store, transfer: Transfer) -> Result<(), Error> {
    let now = crate::clock::Clock::system().now();
    let id = transfer.id;
    // That it is deleted already is no matter.
    let deleted = transfer.clone().delete(now).unwrap_or(transfer);
    let gone = Transfer {
        bytes_until: None,
        ..deleted
    };
    let write = async move |tx: &mut Tx| -> agentdrop_store::Result<()> {
        tx.update_transfer(&gone).await?;
        tx.delete_parts(id).await?;
        tx.delete_small_bodies(id).await?;
        tx.delete_transfer_links_of(id).await?;
        Ok(())
    };
    Ok(store.write(write).await?)
}

pub(super) fn lost(transfer: TransferId, file: u32, what: &'static str) -> Error {
    Error::Lost {
        transfer,
        file,
        what,
    }
}
