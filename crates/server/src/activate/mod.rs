//! What waits for people is encrypted for them, once they have a key.
//!
//! The row is the job: whatever waits for somebody who has a key by now is found again, however
//! often a server stops on the way. One claims it for a while, and says now and then that they are
//! still at it; what fails is tried again after ever longer pauses. Bytes are written under names
//! first that only this try has; the row is switched to them, and the key that the server could read
//! the old ones with destroyed, in one unit of work. Small files, which are kept beside the row, are
//! replaced in that unit too. What a stop leaves behind is bytes that no row
//! names, which are deleted as orphans. Should two be at it, for one slept through its claim, one
//! switches the row, and the other one finds it changed.

mod claim;
mod seal;
mod switch;

use std::time::Duration;

use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_protocol::PartTag;
use agentdrop_protocol::limits::MAX_PARTS;
use agentdrop_store::Tx;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::claim::attempt;
use self::seal::seal;
use self::switch::{Switched, still_waits};
use crate::api::error::Result;
use crate::app::App;
use crate::blob::BlobKey;

/// How often it looks without being told to.
const EVERY: Duration = Duration::from_secs(30);
/// How many transfers are looked up at a time.
const BATCH: u32 = 100;

/// Activates whenever there may be something to, until it is told to stop.
pub(crate) async fn run(app: &App, stop: &CancellationToken) {
    if app.blobs.was_alone() {
        // Nobody is left of those who were at it, and what kept them from it may be mended.
        let forget = async |tx: &mut Tx| tx.forget_activation_claims().await;
        if let Err(error) = app.store.write(forget).await {
            tracing::warn!(%error, "what was being activated has to wait");
        }
    }
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(once(app)).await {
            tracing::warn!(%error, "what waits for people was not activated to the last");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.activate.notified() => {}
            () = sleep(EVERY) => {}
        }
    }
}

/// Activates what waits for somebody who has a key.
pub(crate) async fn once(app: &App) -> agentdrop_store::Result<()> {
    // Whoever asks for it here finds it done, and not somebody else at it.
    let _alone = app.activating.lock().await;
    let mut after = None;
    loop {
        let now = app.clock.now();
        let mut reader = app.store.read().await?;
        let found = reader.transfers_to_activate(now, after, BATCH).await?;
        drop(reader);
        let Some(last) = found.last().map(|it| it.id) else {
            return Ok(());
        };
        after = Some(last);
        for transfer in found {
            attempt(app, transfer).await?;
        }
    }
}

/// Encrypts a transfer for its recipient, should they have a key, and clears away what that leaves
/// behind.
async fn activate(app: &App, transfer: Transfer, number: u32) -> Result<()> {
    let Some(person) = transfer.recipient.account() else {
        return Ok(());
    };
    let mut reader = app.store.read().await?;
    let password = reader.receive_password_of(person).await?;
    drop(reader);
    let Some(key) = password.map(|it| it.public_key) else {
        return Ok(());
    };
    let (id, old) = (transfer.id, transfer.blobs());
    let parts = parts(app, &transfer).await?;
    let (sealed, staged) = seal(app, &transfer, number, person, key).await?;
    let new: Vec<_> = File::blobs(&sealed.files).collect();
    // An earlier try whose end nobody was told of, for the database went away in its commit, has
    // ended once this has the row. Else its bytes could become the transfer's behind these, which
    // are put in their place.
    if !still_waits(app, &transfer).await? {
        return Ok(());
    }
    if let Err(error) = app.blobs.put(staged).await {
        // A disk that filled up is not to keep the part of it that was put there.
        for position in new {
            app.blobs.remove(BlobKey::file(id, position)).await?;
        }
        return Err(error.into());
    }
    let (unit, of) = (app.clone(), transfer.clone());
    let switch = async move |tx: &mut Tx| sealed.switch(tx, &unit, &of, person, key).await;
    let switched = app.store.write(switch).await;
    match &switched {
        Ok(Switched::Active) => app.mailer.wake.notify_one(),
        Ok(Switched::Ended) => app.sweep.notify_one(),
        Ok(Switched::Not) => {}
        // It may be written down all the same; which bytes are the transfer's is known once that
        // has ended.
        Err(_) => drop(still_waits(app, &transfer).await?),
    }
    for position in old.into_iter().chain(new) {
        let mut reader = app.store.read().await?;
        if !reader.needs_blob(id, position).await? {
            drop(reader);
            app.blobs.remove(BlobKey::file(id, position)).await?;
        }
    }
    for part in parts {
        let mut reader = app.store.read().await?;
        if !reader.needs_part(id, part).await? {
            drop(reader);
            app.blobs.remove(BlobKey::part(id, part)).await?;
        }
    }
    switched.map(drop)
}

/// The parts that have bytes of a transfer.
async fn parts(app: &App, transfer: &Transfer) -> Result<Vec<PartTag>> {
    let mut parts = Vec::new();
    let mut reader = app.store.read().await?;
    for file in transfer.files.iter().filter(|it| it.upload.is_some()) {
        let of_file = reader.parts(transfer.id, file.id, 1, MAX_PARTS).await?;
        parts.extend(of_file.iter().map(|it| it.tag));
    }
    Ok(parts)
}
