//! Creating a transfer.

pub(in crate::api) mod asked;
pub(in crate::api) mod native;
pub(in crate::api) mod person;
pub(in crate::api) mod sealing;

use std::io::ErrorKind;

use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::plans::Sent;
use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_protocol::wire::transfers as wire;
use agentdrop_protocol::{ErrorCode, FileId, LinkToken, Timestamp, TransferId};
use agentdrop_store::Tx;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tracing::Instrument as _;

use self::asked::{Asked, To};
use crate::api::allowance::Allowance;
use crate::api::error::{ApiError, Result, transfer_exists};
use crate::api::form::{self, Digests};
use crate::api::mailed_links::new_token;
use crate::api::once::{Answered, Begun, By, Once};
use crate::api::openapi::{Errors, TransferForm};
use crate::api::transfers::shown;
use crate::app::App;
use crate::at_rest::Details;
use crate::auth::{Caller, count_transfer, digest_of};
use crate::blob::{BlobKey, Body};
use crate::clock::random;
use crate::mail::Stamp;

/// Takes files in for an agent, or for a person; from an agent, or, in the mode `human-to-agent`,
/// from a person who signed in.
///
/// Whoever can should encrypt them first, as every client does. What is not encrypted by its
/// sender is encrypted by the server before it is stored.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "transfers", operation_id = "transfers_create",
    params(Once),
    request_body(content = TransferForm, content_type = "multipart/form-data"),
    responses((status = 201, body = wire::Transfer), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Answered> {
    let (parts, body) = request.into_parts();
    // A second one is refused before its files come.
    let mut once = Once::of(&parts)?.begin(&app, By::from(&caller))?;
    let request = Request::from_parts(parts, body);
    let digests = if once.is_named() {
        Digests::Wanted
    } else {
        Digests::Unwanted
    };
    let id = TransferId::new(app.clock.now(), random()?);
    let (key, wrapped_key) = app.server_key.new_transfer_key(id)?;
    // Before a body is asked for that is to be thrown away; what others send meanwhile is counted
    // where the transfer is written down.
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let allowance = Allowance::of(&mut reader, owner, app.clock.now()).await?;
    let from = reader.account(owner).await?.ok_or(ApiError::NotFound)?;
    drop(reader);
    let is_answered = once.is_answered(&app).await?;
    let allowance = if is_answered {
        allowance.unused()
    } else {
        allowance
    };
    allowance.require_transfer()?;
    let may = form::May {
        allowance,
        to_people: is_answered || app.is_verified(&from),
    };
    let form = form::read(&app, (id, &key), &may, request, digests).await?;
    form.tell(&mut once);
    let now = app.clock.now();
    let asked = Asked::read(form.fields, form.files.len(), now)?;
    asked.require_sender(&caller.actor)?;
    // What was answered before has its bytes under the chosen id; these are thrown away.
    let (id, wrapped_key) = match asked.id.filter(|_| !is_answered) {
        Some(chosen) => {
            require_free(&app, chosen).await?;
            let wrapped_key = app.server_key.wrap_transfer_key(chosen, &key)?;
            (chosen, wrapped_key)
        }
        None => (id, wrapped_key),
    };

    let mut files = Vec::with_capacity(form.files.len());
    let (mut staged, mut small, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for (place, file) in (0..).zip(form.files) {
        files.push(File {
            id: FileId::new(now, random()?),
            size: file.size,
            at_rest: file.at_rest,
            nonce: asked.nonces.get(files.len()).cloned().flatten(),
            blob: file.body.place(),
            in_database: matches!(file.body, Body::Small(_)),
            upload: None,
            direct: None,
        });
        said.push(file.details);
        match file.body {
            Body::Small(bytes) => small.push((place, bytes)),
            Body::Blob(blob) => staged.push((place, blob)),
        }
    }
    let details = Details {
        message: asked.message.clone(),
        metadata: asked.metadata.clone(),
        files: said,
    };
    native::require_files(&asked, &details, &files)?;
    let sealed = details.seal(&key)?;

    let new = New {
        id,
        wrapped_key,
        sealed,
        details,
        files,
        small,
        stamp: Stamp::new(now)?,
        token: new_token()?,
        now,
    };
    // In a task of its own, which comes to its end even if the caller goes away: left off between
    // the two steps it would leave bytes that nobody knows of.
    let keeping = {
        let app = app.clone();
        async move {
            let kept = app.blobs.keep(id, staged).await;
            let blobs = kept.map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => transfer_exists(),
                _ => error.into(),
            })?;
            let answered = keep(&app, caller, asked, new, once).await;
            // Where the database went away during the commit, the transfer may be kept all the same;
            // if it is not, the next start finds bytes without a transfer.
            let in_doubt = matches!(&answered, Err(ApiError::Broken(ErrorCode::Unavailable, _)));
            // Where an earlier request had the effect, these bytes are there a second time.
            let kept = answered.as_ref().is_ok_and(|it| !it.replayed);
            if !kept && !in_doubt {
                discard(&app, blobs).await;
            }
            answered
        }
    };
    let answered = tokio::spawn(keeping.in_current_span()).await;
    answered.map_err(|error| ApiError::Internal(error.into()))?
}

/// Deletes the bytes of a transfer that was refused.
async fn discard(app: &App, blobs: Vec<BlobKey>) {
    for blob in blobs {
        if let Err(error) = app.blobs.remove(blob).await {
            let transfer = blob.transfer;
            tracing::warn!(%error, %transfer, "the bytes of a refused transfer are still there");
        }
    }
}

/// What the server adds to a form.
struct New {
    id: TransferId,
    wrapped_key: Vec<u8>,
    /// What is said, encrypted.
    sealed: Vec<u8>,
    details: Details,
    files: Vec<File>,
    /// The bytes of those that are kept beside the row, by their places.
    small: Vec<(u32, Vec<u8>)>,
    /// For the mail to a person.
    stamp: Stamp,
    /// For the link in it.
    token: LinkToken,
    now: Timestamp,
}

/// Refuses an id that a transfer has, whoever's it is.
///
/// Of two that come with one id at once, the bytes of the second find those of the first in their
/// place.
async fn require_free(app: &App, chosen: TransferId) -> Result<()> {
    let mut reader = app.store.read().await?;
    if reader.is_transfer(chosen).await? {
        return Err(transfer_exists());
    }
    Ok(())
}

/// Writes the transfer down whose files are where they are read.
///
/// A crash between the two leaves blobs without a row, which the next start deletes.
async fn keep(app: &App, caller: Caller, asked: Asked, new: New, once: Begun) -> Result<Answered> {
    let of = app.clone();
    let is_to_person = matches!(asked.recipient, To::Person(_));
    let record = async move |tx: &mut Tx| -> Result<(StatusCode, wire::Transfer)> {
        let owner = caller.actor.account;
        let person = match &asked.recipient {
            To::Agent(_) => None,
            To::Person(email) => Some(person::hold(tx, &of, owner, email).await?),
        };
        let allowance = Allowance::hold(tx, owner, new.now).await?;
        let sent = match asked.sealing {
            Some(_) => Sent::Sealed,
            None => Sent::Plain,
        };
        allowance.require_all(&new.files, sent, asked.lifetime)?;
        let resolved = asked.resolve(tx, &caller, person).await?;
        let expires_at = new.now.plus(asked.lifetime.as_duration());
        let transfer = Transfer {
            id: new.id,
            mode: asked.mode,
            sender: resolved.sender,
            recipient: resolved.recipient,
            sealing: resolved.sealing,
            wrapped_key: new.wrapped_key,
            details: new.sealed,
            files: new.files,
            auto_delete: asked.auto_delete,
            max_downloads: asked.max_downloads,
            downloads: 0,
            status: resolved.status,
            bytes_until: Some(expires_at),
            created_at: new.now,
            announced: false,
            expires_at,
            deleted_at: None,
        };
        tx.insert_transfer(&transfer).await?;
        tx.insert_small_bodies(transfer.id, &new.small).await?;
        count_transfer(tx, &caller.actor, new.now).await?;
        allowance.count(tx).await?;
        if let Some((standing, _)) = person {
            person::count(tx, owner, transfer.id, standing, new.now).await?;
            let from = tx.account(owner).await?.ok_or(ApiError::NotFound)?;
            let (details, token) = (&new.details, &new.token);
            let letter = person::letter(&of, &from, &transfer, details, standing, token);
            if let Some(letter) = letter {
                tx.insert_transfer_link(&digest_of(token.as_key()), transfer.id, new.now)
                    .await?;
                let mail = new.stamp.seal(&of.server_key, owner, &letter);
                tx.enqueue_mail(&mail).await?;
            }
        }
        let (witness, sent) = (caller.witness.at(new.now), Subject::of(&new.id));
        let received = transfer.told().and_then(|it| {
            let received = Action::TransferReceived;
            witness.told(it, received, sent.clone())
        });
        let seen = witness.saw(Action::TransferCreated, sent);
        tx.append_audit(seen.into_iter().chain(received)).await?;
        Ok((StatusCode::CREATED, shown(&of, transfer, new.now)?))
    };
    let answered = once.write(app, record).await?;
    if is_to_person {
        app.mailer.wake.notify_one();
        // Their key may have come while the files did.
        app.activate.notify_one();
    }
    Ok(answered)
}
