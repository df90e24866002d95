//! The parts of a file: listed, put together, given up.

use agentdrop_domain::Actor;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::transfers::Transfer;
use agentdrop_domain::uploads::NamedPart;
use agentdrop_protocol::limits::MAX_PARTS;
use agentdrop_protocol::wire::uploads::{AbortUpload, CompleteUpload, Part, Parts, Upload};
use agentdrop_protocol::{FileId, TransferId, UploadId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::announce::part_urls;
use super::{in_parts, sent_by};
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
    let parts = reader.parts(id, file_id, 1, MAX_PARTS).await?;
    // Where nothing can come any more there is no address.
    let now = app.clock.now();
    let until = transfer
        .bytes_until
        .filter(|_| wants_urls && !upload.is_complete && transfer.require_announced(now).is_ok());
    // Of all of them: who did not see a part acknowledged sends it again.
    let part_urls = until.map(|until| part_urls(&app, id, file, until));
    let parts = parts.into_iter().map(|it| Part {
        part_number: it.number,
        etag: it.tag.to_string(),
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
    let complete = async move |tx: &mut Tx| -> Result<_> {
        let upload_id = body.upload_id;
        let (transfer, size) = hold(tx, &caller.actor, (id, file_id), upload_id).await?;
        if body.parts.len() > MAX_PARTS as usize {
            let message = format!("must be at most {MAX_PARTS}");
            return Err(ApiError::invalid("parts", message));
        }
        let stored = tx.parts(id, file_id, 1, MAX_PARTS).await?;
        let named = body.parts.iter().map(|it| NamedPart {
            number: it.part_number,
            etag: it.etag.as_str(),
        });
        let named: Vec<_> = named.collect();
        let completed = transfer.complete_file(file_id, &named, &stored, now)?;
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
