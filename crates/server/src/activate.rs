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

use std::convert::Infallible;
use std::time::Duration;

use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_domain::transfers::{AtRest, File, Sealing, Transfer};
use agentdrop_protocol::limits::MAX_PARTS;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{
    AccountId, EncryptionPublicKey, FileId, FileName, LinkToken, PartTag, TransferId,
};
use agentdrop_store::Tx;
use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::error::{ApiError, Failure, Result};
use crate::api::mailed_links::new_token;
use crate::app::App;
use crate::at_rest::{Details, FileDetails, ForPerson};
use crate::auth::digest_of;
use crate::blob::{BlobKey, Body, Staged};
use crate::clock::random;
use crate::mail::Stamp;
use crate::mail::kinds::{Files, Step, files_for_you};
use crate::metrics::ActivationOutcome;
use crate::stored::StoredFile;

/// How often it looks without being told to.
const EVERY: Duration = Duration::from_secs(30);
/// Whoever has not said for so long that they are still at it has failed, and another may try.
const LEASE: Duration = Duration::from_secs(30);
/// How often they say so.
const RENEW: Duration = Duration::from_secs(10);
/// How long one that failed waits the first time; after each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// How long it waits at most.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
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

/// Activates a transfer, unless somebody else does.
async fn attempt(app: &App, transfer: Transfer) -> agentdrop_store::Result<()> {
    let (id, now) = (transfer.id, app.clock.now());
    let claim = async move |tx: &mut Tx| tx.claim_activation(id, now, now.plus(LEASE)).await;
    let Some(number) = app.store.write(claim).await? else {
        return Ok(());
    };
    let activating = Box::pin(activate(app, transfer, number));
    let activated = tokio::select! {
        activated = activating => activated,
        never = keep_claim(app, id, number) => match never {},
    };
    // One that cannot be, a disk lost its bytes, keeps nobody else's from being activated.
    app.metrics.activation(match &activated {
        Ok(()) => ActivationOutcome::Done,
        Err(_) => ActivationOutcome::Failed,
    });
    let wait = match activated {
        Ok(()) => Duration::ZERO,
        Err(error) => {
            let (reason, wait) = (Failure::of(error).0, wait_after(number));
            let seconds = wait.as_secs();
            tracing::warn!(reason, seconds, transfer = %id, "a transfer was not activated");
            wait
        }
    };
    let due = app.clock.now().plus(wait);
    let put_off = async move |tx: &mut Tx| tx.put_activation_off(id, number, due).await;
    app.store.write(put_off).await.map(drop)
}

/// Says again and again that this server is still at it.
async fn keep_claim(app: &App, id: TransferId, number: u32) -> Infallible {
    loop {
        sleep(RENEW).await;
        let until = app.clock.now().plus(LEASE);
        let renew = async move |tx: &mut Tx| tx.put_activation_off(id, number, until).await;
        // That another one took it over is found where the row is switched.
        if let Err(error) = app.store.write(renew).await {
            tracing::warn!(%error, transfer = %id, "a claim was not renewed");
        }
    }
}

fn wait_after(tries: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT)
}

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

/// Whether a transfer still waits, as it was read; whoever was about to change it is waited for.
async fn still_waits(app: &App, transfer: &Transfer) -> Result<bool> {
    let (owner, id) = (transfer.sender.account, transfer.id);
    let hold = async move |tx: &mut Tx| -> Result<_> { Ok(tx.hold_transfer_of(owner, id).await?) };
    let found = app.store.write(hold).await?;
    Ok(found.is_some_and(|it| {
        it.status == TransferStatus::PendingRecipient && it.wrapped_key == transfer.wrapped_key
    }))
}

/// What became of a row that was to be switched.
enum Switched {
    /// Its recipient has it.
    Active,
    /// It waited for somebody who wants nothing of its sender, and is over.
    Ended,
    /// It is another by now, or for another.
    Not,
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

/// A transfer as it is to be, encrypted for its recipient.
struct Sealed {
    files: Vec<File>,
    /// The bytes of those that are kept beside the row, by their names.
    small: Vec<(u32, Vec<u8>)>,
    sealing: Sealing,
    wrapped_key: Vec<u8>,
    details: Vec<u8>,
    said: Details,
    stamp: Stamp,
    /// For the link in the mail.
    token: LinkToken,
}

/// Encrypts the files of a transfer for `key`, under new names.
async fn seal(
    app: &App,
    transfer: &Transfer,
    number: u32,
    person: AccountId,
    key: EncryptionPublicKey,
) -> Result<(Sealed, Vec<(BlobKey, Staged)>)> {
    let (id, now) = (transfer.id, app.clock.now());
    let old_key = app.server_key.transfer_key(id, &transfer.wrapped_key)?;
    let said = Details::open(&old_key, &transfer.details)?;
    let mut made = ForPerson::new(id, &key)?;
    let first = first_name(transfer, number);
    let place = |n: usize| first.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
    let (mut files, mut bodies) = (Vec::new(), Vec::new());
    for (n, (file, said)) in transfer.files.iter().zip(&said.files).enumerate() {
        let to = place(n + 1);
        let (size, body) = seal_file(app, transfer, (n, to), said, &mut made).await?;
        files.push(sealed_file(file.id, size, to, &body));
        bodies.push((to, body));
    }
    let sealing = made.sealing(key);
    let envelope = made.envelope(transfer, person, &key, said.message.clone(), now, random()?)?;
    let mut staging = app.blobs.stage(BlobKey::file(id, place(0)))?;
    let size = envelope.len() as u64;
    staging.write(Bytes::from(envelope)).await?;
    let body = staging.finish_body().await?;
    let first = FileId::new(now, random()?);
    files.insert(0, sealed_file(first, size, place(0), &body));
    bodies.push((place(0), body));
    let (mut small, mut staged) = (Vec::new(), Vec::new());
    for (name, body) in bodies {
        match body {
            Body::Small(bytes) => small.push((name, bytes)),
            Body::Blob(blob) => staged.push((BlobKey::file(id, name), blob)),
        }
    }
    let mut shown = said.clone();
    shown.files.insert(0, envelope_details());
    let (new_key, wrapped_key) = app.server_key.new_transfer_key(id)?;
    let sealed = Sealed {
        files,
        small,
        sealing,
        wrapped_key,
        details: shown.seal(&new_key)?,
        said,
        stamp: Stamp::new(now)?,
        token: new_token()?,
    };
    Ok((sealed, staged))
}

/// A file that was encrypted for its recipient.
const fn sealed_file(id: FileId, size: u64, name: u32, body: &Body) -> File {
    File {
        id,
        size,
        at_rest: AtRest::Sender,
        nonce: None,
        blob: Some(name),
        in_database: matches!(body, Body::Small(_)),
        upload: None,
        direct: None,
    }
}

/// The first of the names that one try has for the files and the envelope: behind those that there
/// are, and those of the tries before, so that two servers never write under one name.
fn first_name(transfer: &Transfer, number: u32) -> u32 {
    let names = (0..)
        .zip(&transfer.files)
        .map(|(place, it)| it.blob_at(place));
    let taken = names.max().map_or(0, |it| it + 1);
    let each = u32::try_from(transfer.files.len() + 1).unwrap_or(u32::MAX);
    taken.saturating_add(each.saturating_mul(number.saturating_sub(1)))
}

/// Encrypts one file anew, piece by piece; answers how many bytes came of it.
async fn seal_file(
    app: &App,
    transfer: &Transfer,
    (position, to): (usize, u32),
    said: &FileDetails,
    made: &mut ForPerson,
) -> Result<(u64, Body)> {
    let file = transfer.files.get(position).ok_or(ApiError::NotFound)?;
    let mut stored = StoredFile::open(app, transfer, position, &(0..file.size)).await?;
    let mut staging = app.blobs.stage(BlobKey::file(transfer.id, to))?;
    let place = u32::try_from(position).unwrap_or(u32::MAX);
    let (mut sealer, begin) = made.begin_file(place + 1)?;
    staging.write(Bytes::from(begin)).await?;
    let mut read = 0;
    while read < file.size {
        let plain = stored.read(read..file.size).await?;
        read += plain.len() as u64;
        staging.write(Bytes::from(sealer.update(&plain)?)).await?;
    }
    let (end, sealed_size) = made.end_file(sealer, file.size, said)?;
    staging.write(Bytes::from(end)).await?;
    Ok((sealed_size, staging.finish_body().await?))
}

impl Sealed {
    /// Switches the row to the new bytes, unless it is none any more that waits, or for another key.
    async fn switch(
        self,
        tx: &mut Tx,
        app: &App,
        transfer: &Transfer,
        person: AccountId,
        key: EncryptionPublicKey,
    ) -> Result<Switched> {
        let (id, sender, now) = (transfer.id, transfer.sender.account, app.clock.now());
        let held = tx.hold_accounts(sender, person).await?;
        let password = tx.receive_password_of(person).await?;
        let waiting = tx.hold_transfer_of(sender, id).await?;
        let (Some(waiting), Some(from)) = (waiting, held.iter().find(|it| it.id == sender)) else {
            return Ok(Switched::Not);
        };
        let is_theirs = waiting.recipient.account() == Some(person);
        if !is_theirs || password.is_none_or(|it| it.public_key != key) {
            return Ok(Switched::Not);
        }
        // Blocked while the address did not count as theirs yet, or it would have ended then.
        if person != sender && tx.is_blocked(sender, person).await? {
            let Ok(ended) = waiting.delete(now) else {
                return Ok(Switched::Not);
            };
            tx.update_transfer(&ended).await?;
            return Ok(Switched::Ended);
        }
        // Of what it was made of, it is another one now.
        if waiting.wrapped_key != transfer.wrapped_key {
            return Ok(Switched::Not);
        }
        let Ok(active) = waiting.activate(self.sealing, self.files, now) else {
            return Ok(Switched::Not);
        };
        let active = Transfer {
            wrapped_key: self.wrapped_key,
            details: self.details,
            ..active
        };
        tx.update_transfer_contents(&active).await?;
        tx.delete_parts(id).await?;
        tx.delete_small_bodies(id).await?;
        tx.insert_small_bodies(id, &self.small).await?;
        let sizes = transfer.files.iter().map(|it| it.size);
        let sent = Files {
            from,
            transfer: id,
            token: &self.token,
            is_from_agent: active.sender.agent.is_some(),
            sender: &active.sender.label,
            named: self
                .said
                .files
                .iter()
                .map(|it| &it.name)
                .zip(sizes)
                .collect(),
            message: self.said.message.as_ref(),
            expires_at: active.expires_at,
        };
        let to: Email = active
            .recipient
            .label()
            .parse()
            .map_err(|_| ApiError::NotFound)?;
        // Nobody is written to in the name of an address that may be somebody else's; what waits was
        // sent before that was refused.
        if app.is_verified(from) && app.lockout.may_mail_of_ready_files(sender, &to) {
            let letter = files_for_you(app, to, &sent, Step::Open);
            tx.insert_transfer_link(&digest_of(self.token.as_key()), id, now)
                .await?;
            let mail = self.stamp.seal(&app.server_key, sender, &letter);
            tx.enqueue_mail(&mail).await?;
        }
        // Told now, and not when it was sent, which would have taken time that tells of an account.
        let told = |account, action, by| NewEntry {
            account,
            at: now,
            action,
            who: Who::Account(by),
            address: None,
            request_id: None,
            subject: Subject::of(&id),
        };
        let activated = told(sender, Action::TransferActivated, person);
        let received = told(person, Action::TransferReceived, sender);
        let received = (person != sender).then_some(received);
        tx.append_audit([activated].into_iter().chain(received))
            .await?;
        Ok(Switched::Active)
    }
}

fn envelope_details() -> FileDetails {
    FileDetails {
        name: "envelope".parse::<FileName>().expect("it is a name"),
        content_type: agentdrop_protocol::text::ContentType::octet_stream(),
    }
}
