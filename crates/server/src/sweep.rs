//! What is no longer needed goes: bytes, and what was remembered for a while.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_protocol::limits::{IDEMPOTENCY_WINDOW, INVITE_WINDOW, STRANGER_WINDOW};
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_store::Tx;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use crate::activate;
use crate::api::allowance::uncount;
use crate::app::App;
use crate::blob::{BlobName, Bucket};

/// How often it looks without being told to.
const EVERY: Duration = Duration::from_secs(30);
/// How often it looks for blobs that belong to no transfer.
const ORPHANS_EVERY: Duration = Duration::from_hours(6);
/// How many transfers go in one unit of work.
const BATCH: u32 = 100;

/// Sweeps whenever there may be something to, until it is told to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    tokio::join!(
        orphans(&app, &stop),
        activate::run(&app, &stop),
        repeat(&app, &stop)
    );
}

/// Looks for blobs without a transfer, at the start and again and again: another server may have died,
/// and to a bucket something can come behind our backs, as long as an address for it works.
async fn orphans(app: &App, stop: &CancellationToken) {
    let mut at_start = true;
    while !stop.is_cancelled() {
        let looking = async {
            let since = app.blobs.settled(at_start, app.limits.orphan_age).await?;
            delete_orphans(app, since).await
        };
        if let Some(Err(error)) = stop.run_until_cancelled(looking).await {
            tracing::warn!(%error, "blobs without a transfer were not looked for to the end");
        }
        at_start = false;
        stop.run_until_cancelled(sleep(ORPHANS_EVERY)).await;
    }
}

async fn repeat(app: &App, stop: &CancellationToken) {
    // Keeps its time whatever comes between, so that nobody keeps it from forgetting.
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(once(app)).await {
            tracing::warn!(%error, "what has expired was not swept to the end");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.sweep.notified() => {}
            _ = ticks.tick() => app.requests.forget(),
        }
    }
}

/// Sweeps what is due.
pub(crate) async fn once(app: &App) -> agentdrop_store::Result<()> {
    loop {
        let now = app.clock.now();
        let take = async move |tx: &mut Tx| take_due(tx, now).await;
        let due = app.store.write(take).await?;
        app.metrics.swept.inc_by(due.len() as u64);
        for (transfer, files) in &due {
            // Written down as gone already: what stays is found as an orphan at the next start.
            if let Err(error) = app.blobs.delete(*transfer, *files).await {
                tracing::warn!(%error, %transfer, "the bytes of a transfer are still there");
            }
        }
        let counted = now.minus(INVITE_WINDOW);
        let strangers = now.minus(STRANGER_WINDOW);
        let expired = async move |tx: &mut Tx| {
            tx.delete_strangers_before(strangers).await?;
            tx.delete_invites_before(counted).await?;
            tx.delete_expired_sessions(now).await?;
            tx.delete_expired_mailed_links(now).await?;
            tx.delete_expired_connection_tokens(now).await
        };
        app.store.write(expired).await?;
        // In a unit of their own: a request that comes again waits for these rows, before it holds
        // anything else.
        let answered = now.minus(IDEMPOTENCY_WINDOW);
        let forget = async move |tx: &mut Tx| tx.delete_answers_until(answered).await;
        app.store.write(forget).await?;
        let attempts = async move |tx: &mut Tx| tx.delete_attempts_until(now).await;
        app.store.write(attempts).await?;
        let prekeys = async move |tx: &mut Tx| tx.delete_prekeys_until(now).await;
        app.store.write(prekeys).await?;
        app.lockout.forget();
        if due.len() < BATCH as usize {
            return Ok(());
        }
    }
}

async fn take_due(tx: &mut Tx, now: Timestamp) -> agentdrop_store::Result<Vec<(TransferId, u32)>> {
    let (mut due, mut told) = (Vec::new(), Vec::new());
    for transfer in tx.hold_transfers_to_sweep(now, BATCH).await? {
        let (id, files) = (transfer.id, File::blob_count(&transfer.files));
        // One that was deleted before gave its place back then.
        let never_came = transfer
            .is_coming()
            .then_some((transfer.sender.account, transfer.created_at));
        if let Some(swept) = transfer.sweep(now) {
            tx.update_transfer(&swept).await?;
            tx.delete_parts(id).await?;
            tx.delete_small_bodies(id).await?;
            if let Some((owner, announced_at)) = never_came {
                uncount(tx, owner, announced_at).await?;
            }
            tx.delete_transfer_links_of(id).await?;
            due.push((id, files));
            told.extend(expired(&swept, now));
        }
    }
    tx.append_audit(told).await?;
    Ok(due)
}

/// For the logs of its sender and its recipient, that a transfer has expired, if it has.
fn expired(swept: &Transfer, now: Timestamp) -> Vec<NewEntry> {
    if swept.status != TransferStatus::Expired {
        return vec![];
    }
    let sides = [Some(swept.sender.account), swept.told()];
    let sides: BTreeSet<_> = sides.into_iter().flatten().collect();
    let told = |account| NewEntry {
        account,
        at: now,
        action: Action::TransferExpired,
        who: Who::Server,
        address: None,
        request_id: None,
        subject: Subject::of(&swept.id),
    };
    sides.into_iter().map(told).collect()
}

/// Deletes the blobs from before `since` that no transfer needs, and none can come to need: their
/// upload was cut off before it was acknowledged, or their deletion was.
pub(crate) async fn delete_orphans(app: &App, since: SystemTime) -> Result<(), crate::Error> {
    let mut deleted = 0_u64;
    if let Some(bucket) = app.blobs.bucket() {
        deleted += delete_uploads(app, bucket, since).await?;
    }
    for shard in 0..=u8::MAX {
        for found in app.blobs.in_shard(shard).await? {
            let blob = found.key;
            if found.put_at >= since {
                continue;
            }
            let mut reader = app.store.read().await?;
            let is_needed = match blob.name {
                BlobName::Part(tag) => reader.needs_part(blob.transfer, tag).await?,
                BlobName::Position(at) => reader.needs_blob(blob.transfer, at).await?,
            };
            if !is_needed {
                drop(reader);
                app.blobs.remove(blob).await?;
                deleted += 1;
            }
        }
    }
    if deleted > 0 {
        tracing::info!(deleted, "deleted blobs that belong to no transfer");
    }
    Ok(())
}

/// Gives up the uploads in parts that no transfer waits for.
async fn delete_uploads(
    app: &App,
    bucket: &Bucket,
    since: SystemTime,
) -> Result<u64, crate::Error> {
    let since = since
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let since = Timestamp::from_millis(0).plus(since);
    let mut deleted = 0;
    for (blob, upload) in bucket.uploads_before(since).await? {
        let mut reader = app.store.read().await?;
        let transfer = reader.announced_transfer(blob.transfer).await?;
        if !transfer.is_some_and(|it| it.is_coming() && it.awaits(&upload)) {
            drop(reader);
            bucket.abort_upload(blob, &upload).await?;
            deleted += 1;
        }
    }
    Ok(deleted)
}
