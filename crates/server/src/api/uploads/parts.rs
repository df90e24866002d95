//! The parts of a file: listed, put together, given up.

use agentdrop_domain::Actor;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::transfers::Transfer;
use agentdrop_domain::uploads::{Came, NamedPart, StoredPart, UploadError};
use agentdrop_protocol::limits::MAX_PARTS;
use agentdrop_protocol::wire::uploads::{AbortUpload, CompleteUpload, Part, Parts, Upload};
use agentdrop_protocol::{FileId, Timestamp, TransferId, UploadId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::announce::part_urls;
use super::{direct, in_parts, sent_by};
use crate::api::allowance::uncount;
use crate::api::error::{ApiError, Result};
use crate::api::extract::{Body, Path, Query};
use crate::api::openapi::Errors;
use crate::api::transfers::logged;
use crate::app::App;
use crate::auth::Caller;

/// The parts of a file that have come, for whoever goes on with it; and, asked for with `urls`,
/// where all of them are sent to, while they can be.
#[utoipa::path(
    get, path = "/v1/transfers/{transfer_id}/files/{file_id}/parts", tag = "transfers",
    operation_id = "uploads_list_parts",
    params(
        ("transfer_id" = TransferId, Path, description = "The transfer's id"),
        ("file_id" = FileId, Path, description = "The file's id"),
        ("upload_id" = Option<UploadId>, Query, description = "What the coming of the file is called, to be sure"),
        ("urls" = Option<bool>, Query, description = "Whether to say where its parts are sent to"),
    ),
    responses((status = 200, body = Parts), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path((id, file_id)): Path<(TransferId, FileId)>,
    Query(mut query): Query,
) -> Result<Json<Parts>> {
    let mut reader = app.store.read().await?;
    let transfer = reader.transfer_of(caller.actor.account, id).await?;
    let transfer = sent_by(transfer, &caller.actor)?;
    let (file, upload, upload_id) = in_parts(&transfer, file_id)?;
    let named: Option<UploadId> = query.optional("upload_id");
    let wants_urls = query.flag("urls").unwrap_or(false);
    query.check()?;
    if named.is_some_and(|it| it != upload_id) {
        return Err(ApiError::NotFound);
    }
    // Where nothing can come any more there is no address.
    let now = app.clock.now();
    let until = transfer
        .bytes_until
        .filter(|_| wants_urls && !upload.is_complete && transfer.require_announced(now).is_ok());
    // Of all of them: who did not see a part acknowledged sends it again.
    let part_urls = until.map(|until| {
        let direct = direct::part_urls(&app, &transfer, file_id, until.since(now));
        direct.unwrap_or_else(|| part_urls(&app, id, file, until))
    });
    let stored = match direct::parts(&app, &transfer, file_id).await? {
        direct::Parts::Here => {
            let parts = reader.parts(id, file_id, 1, MAX_PARTS).await?;
            parts.into_iter().map(StoredPart::from).collect()
        }
        direct::Parts::InBucket(parts) => parts,
        // The bucket knows no more of which they were.
        direct::Parts::Together => vec![],
    };
    let parts = stored.into_iter().map(|it| Part {
        part_number: it.number,
        etag: it.etag.trim_matches('"').to_owned(),
        size: it.bytes,
    });
    Ok(Json(Parts {
        id,
        file_id,
        upload_id,
        size: file.size,
        part_size: upload.part_bytes,
        part_count: u32::try_from(upload.part_count(file.size)).unwrap_or(u32::MAX),
        is_complete: upload.is_complete,
        parts: parts.collect(),
        part_urls,
        upload_expires_at: until,
    }))
}

/// Puts the parts of a file together. No byte is moved; none can come any more.
#[utoipa::path(
    post, path = "/v1/transfers/{transfer_id}/files/{file_id}/complete-multipart",
    tag = "transfers", operation_id = "uploads_complete",
    params(
        ("transfer_id" = TransferId, Path, description = "The transfer's id"),
        ("file_id" = FileId, Path, description = "The file's id"),
    ),
    request_body = CompleteUpload, responses((status = 200, body = Upload), Errors)
)]
pub(crate) async fn complete(
    State(app): State<App>,
    caller: Caller,
    Path((id, file_id)): Path<(TransferId, FileId)>,
    Body(body): Body<CompleteUpload>,
) -> Result<Json<Upload>> {
    let now = app.clock.now();
    let came = in_bucket(&app, &caller.actor, (id, file_id), &body, now).await?;
    let complete = async move |tx: &mut Tx| -> Result<_> {
        let upload_id = body.upload_id;
        let (transfer, size) = hold(tx, &caller.actor, (id, file_id), upload_id).await?;
        require_few(&body)?;
        let completed = if let Some(came) = came {
            transfer.complete_direct(&came, now)?
        } else {
            let stored = tx.parts(id, file_id, 1, MAX_PARTS).await?;
            let stored: Vec<_> = stored.into_iter().map(StoredPart::from).collect();
            transfer.complete_file(file_id, &named(&body), &stored, now)?
        };
        tx.update_transfer_contents(&completed).await?;
        Ok(Json(Upload {
            id,
            status: completed.status,
            file_id,
            upload_id,
            size,
        }))
    };
    app.store.write(complete).await
}

/// Puts the parts together in the bucket, if that is where they are; answers what the file is then.
///
/// Before it is written down: asked again after a crash between the two, the bucket says that it is
/// done.
async fn in_bucket(
    app: &App,
    actor: &Actor,
    (id, file_id): (TransferId, FileId),
    body: &CompleteUpload,
    now: Timestamp,
) -> Result<Option<Came>> {
    if app.blobs.bucket().is_none() {
        return Ok(None);
    }
    let mut reader = app.store.read().await?;
    let transfer = sent_by(reader.transfer_of(actor.account, id).await?, actor)?;
    drop(reader);
    let (_, _, upload_id) = in_parts(&transfer, file_id)?;
    if upload_id != body.upload_id {
        return Err(ApiError::NotFound);
    }
    require_few(body)?;
    transfer.require_announced(now)?;
    let came = match direct::parts(app, &transfer, file_id).await? {
        direct::Parts::Here => return Ok(None),
        direct::Parts::InBucket(stored) => {
            let checked = transfer.clone();
            checked.complete_file(file_id, &named(body), &stored, now)?;
            let etags = stored.into_iter().map(|it| it.etag).collect();
            direct::put_together(app, &transfer, file_id, etags).await?
        }
        direct::Parts::Together => direct::put_together_before(app, &transfer, file_id).await?,
    };
    // The bucket has forgotten the parts.
    Ok(Some(came.ok_or(UploadError::PartsMissing(1))?))
}

fn require_few(body: &CompleteUpload) -> Result<()> {
    if body.parts.len() > MAX_PARTS as usize {
        let message = format!("must be at most {MAX_PARTS}");
        return Err(ApiError::invalid("parts", message));
    }
    Ok(())
}

fn named(body: &CompleteUpload) -> Vec<NamedPart<'_>> {
    let named = body.parts.iter().map(|it| NamedPart {
        number: it.part_number,
        etag: it.etag.as_str(),
    });
    named.collect()
}

/// Gives up a file that comes in parts, and with it the transfer, which would never be whole: its
/// bytes go at once, and the room it took is given back.
#[utoipa::path(
    post, path = "/v1/transfers/{transfer_id}/files/{file_id}/abort-multipart",
    tag = "transfers", operation_id = "uploads_abort",
    params(
        ("transfer_id" = TransferId, Path, description = "The transfer's id"),
        ("file_id" = FileId, Path, description = "The file's id"),
    ),
    request_body = AbortUpload, responses((status = 200, body = Upload), Errors)
)]
pub(crate) async fn abort(
    State(app): State<App>,
    caller: Caller,
    Path((id, file_id)): Path<(TransferId, FileId)>,
    Body(body): Body<AbortUpload>,
) -> Result<Json<Upload>> {
    let now = app.clock.now();
    let abort = async move |tx: &mut Tx| -> Result<_> {
        let upload_id = body.upload_id;
        let (transfer, size) = hold(tx, &caller.actor, (id, file_id), upload_id).await?;
        transfer.require_announced(now)?;
        let deleted = transfer.delete(now)?;
        tx.update_transfer(&deleted).await?;
        uncount(tx, deleted.sender.account, deleted.created_at).await?;
        let gone = Subject::of(&id);
        let witness = &caller.witness;
        tx.append_audit(logged(witness, Action::TransferDeleted, &deleted, &gone))
            .await?;
        Ok(Json(Upload {
            id,
            status: deleted.status,
            file_id,
            upload_id,
            size,
        }))
    };
    let aborted = app.store.write(abort).await?;
    app.sweep.notify_one();
    Ok(aborted)
}

/// The transfer of a file that comes in parts under this name, held, and how large the file is to
/// be.
async fn hold(
    tx: &mut Tx,
    actor: &Actor,
    (id, file): (TransferId, FileId),
    named: UploadId,
) -> Result<(Transfer, u64)> {
    let held = tx.hold_transfer_of(actor.account, id).await?;
    let transfer = sent_by(held, actor)?;
    let (file, _, upload_id) = in_parts(&transfer, file)?;
    let size = file.size;
    if upload_id != named {
        return Err(ApiError::NotFound);
    }
    Ok((transfer, size))
}
