//! Grants to download, and how downloads end.

use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::downloads::{Download, Outcome, grant_until};
use agentdrop_domain::transfers::{AtRest, Transfer};
use agentdrop_protocol::limits::UPLOAD_LIFETIME;
use agentdrop_protocol::wire::downloads::{self as wire, DownloadFile};
use agentdrop_protocol::wire::transfers::{Acknowledge, Delivery, DeliveryStatus};
use agentdrop_protocol::{
    AccountId, AgentId, AgentRef, DownloadId, ErrorCode, Timestamp, TransferId,
};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::openapi::Errors;
use super::prekeys;
use super::receipts;
use super::transfers::{details, logged};
use crate::app::App;
use crate::audit::Witness;
use crate::auth::Caller;
use crate::blob::BlobKey;
use crate::clock::random;

/// Takes one of the downloads that a transfer allows: answers where its files are.
#[utoipa::path(
    get, path = "/v1/transfers/{transfer_id}/download", tag = "transfers",
    operation_id = "downloads_create",
    params(
        ("transfer_id" = TransferId, Path, description = "The transfer's id"),
        ("X-AgentDrop-Agent" = Option<AgentRef>, Header, description = "The acting agent, by slug or id"),
    ),
    responses((status = 200, body = wire::Download), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TransferId>,
) -> Result<Json<wire::Download>> {
    let now = app.clock.now();
    let download_id = DownloadId::new(now, random()?);
    let (transfer, download) = app
        .store
        .write(async move |tx| -> Result<_> {
            let account = caller.actor.account;
            let transfer = tx.hold_transfer_of(account, id).await?;
            let transfer = transfer.filter(|it| it.is_visible_to(&caller.actor));
            let transfer = transfer.ok_or(ApiError::NotFound)?;
            let by = Holder {
                account,
                agent: caller.agent(tx).await?.map(|it| it.id),
                witness: caller.witness,
                unused: None,
            };
            take(tx, transfer, by, download_id, now).await
        })
        .await?;
    Ok(Json(granted(&app, transfer, &download).await?))
}

/// Refuses HEAD: whoever only looks must not use a download up.
pub(crate) async fn refuse_head() -> impl IntoResponse {
    let message = "a download is taken with GET alone";
    let refused = ApiError::refused(ErrorCode::MethodNotAllowed, message);
    ([(header::ALLOW, "GET")], refused)
}

/// Says how a download ended; the sender sees it.
#[utoipa::path(
    post, path = "/v1/transfers/{transfer_id}/ack", tag = "transfers",
    operation_id = "downloads_acknowledge",
    params(("transfer_id" = TransferId, Path, description = "The transfer's id")),
    request_body = Acknowledge, responses((status = 200, body = Delivery), Errors)
)]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TransferId>,
    Body(body): Body<Acknowledge>,
) -> Result<Json<Delivery>> {
    let now = app.clock.now();
    let unit = app.clone();
    let delivery = app
        .store
        .write(async move |tx| -> Result<_> {
            let account = caller.actor.account;
            let transfer = tx.hold_transfer_of(account, id).await?;
            // Only who receives it can say that it arrived.
            let transfer = transfer.filter(|it| it.is_received_by(&caller.actor));
            let transfer = transfer.ok_or(ApiError::NotFound)?;
            let by = Holder {
                account,
                agent: None,
                witness: caller.witness,
                unused: prekeys::unused_by(&unit, &transfer),
            };
            end(tx, transfer, &by, body, now).await
        })
        .await?;
    app.sweep.notify_one();
    Ok(Json(delivery))
}

/// Who takes a download, or says how it ended.
pub(super) struct Holder {
    /// The account.
    pub(super) account: AccountId,
    /// The agent, if one asks as itself.
    pub(super) agent: Option<AgentId>,
    /// Tells the audit logs.
    pub(super) witness: Witness,
    /// What is counted of prekeys that the sender was given and did not use.
    pub(super) unused: Option<[u8; 32]>,
}

/// Takes one of the downloads of a transfer, which is held.
pub(super) async fn take(
    tx: &mut Tx,
    transfer: Transfer,
    by: Holder,
    id: DownloadId,
    now: Timestamp,
) -> Result<(Transfer, Download)> {
    let claimed = transfer.claim_download(now)?;
    let download = Download {
        id,
        transfer: claimed.id,
        account: by.account,
        agent: by.agent,
        granted_at: now,
        expires_at: grant_until(now, claimed.expires_at),
        outcome: None,
    };
    tx.update_transfer(&claimed).await?;
    tx.insert_download(&download).await?;
    let (action, taken) = (
        Action::TransferDownloaded,
        Subject::of(&claimed.id).and(&id),
    );
    tx.append_audit(logged(&by.witness, action, &claimed, &taken))
        .await?;
    Ok((claimed, download))
}

/// Writes down how a download of a transfer ended, which is held.
pub(super) async fn end(
    tx: &mut Tx,
    transfer: Transfer,
    by: &Holder,
    said: Acknowledge,
    now: Timestamp,
) -> Result<Delivery> {
    let (id, download_id) = (transfer.id, said.download_id);
    let download = tx.hold_download_of(by.account, id, download_id).await?;
    let download = download.ok_or(ApiError::NotFound)?;
    if download.outcome.is_none() {
        receipts::require(tx, &transfer, &said).await?;
    }
    let outcome = match download.outcome.clone() {
        // What was said first stands, however often it is said again.
        Some(outcome) => outcome,
        None => Outcome {
            status: said.status,
            reason: said.reason,
            at: now,
            receipt: said.receipt,
        },
    };
    if download.outcome.is_none() {
        let acknowledged = transfer.acknowledge(outcome.status, now);
        tx.update_transfer(&acknowledged).await?;
        let ended = Download {
            outcome: Some(outcome.clone()),
            ..download
        };
        tx.update_download(&ended).await?;
        if let (Some(unused), Some(_)) = (&by.unused, &outcome.receipt) {
            prekeys::count_used(tx, unused).await?;
        }
        let action = match outcome.status {
            DeliveryStatus::Received => Action::TransferDelivered,
            DeliveryStatus::Rejected => Action::TransferRejected,
        };
        let told = Subject::of(&id).and(&download_id);
        tx.append_audit(logged(&by.witness, action, &acknowledged, &told))
            .await?;
    }
    Ok(Delivery {
        download_id,
        status: outcome.status,
        reason: outcome.reason,
        at: outcome.at,
        receipt: outcome.receipt,
    })
}

/// A grant, as its holder sees it.
pub(super) async fn granted(
    app: &App,
    transfer: Transfer,
    download: &Download,
) -> Result<wire::Download> {
    let details = details(app, &transfer)?;
    let direct = direct_urls(app, &transfer, download).await?;
    let files =
        transfer
            .files
            .iter()
            .zip(details.files)
            .zip(direct)
            .map(|((file, said), direct)| DownloadFile {
                file_id: file.id,
                file_name: said.name.clone(),
                name: said.name,
                download_url: direct
                    .unwrap_or_else(|| app.file_url(download.id, file.id, download.expires_at)),
                size: file.size,
                content_type: said.content_type,
                encryption_iv: file.nonce.clone(),
            });
    let files = files.collect();
    let is_encrypted = transfer.sealing.is_some();
    let sealing = transfer.sealing.unwrap_or_default();
    Ok(wire::Download {
        id: transfer.id,
        download_id: download.id,
        download_expires_at: download.expires_at,
        sender: transfer.sender.label,
        files,
        downloads: transfer.downloads,
        downloads_remaining: transfer.max_downloads - transfer.downloads,
        expires_at: transfer.expires_at,
        auto_delete: transfer.auto_delete,
        message: details.message,
        is_encrypted,
        encryption_algorithm: sealing.algorithm,
        encrypted_key: sealing.encrypted_key,
        channel_id: sealing.channel,
        encryption_salt: sealing.salt,
        sender_public_key: sealing.sender_key,
        recipient_public_key: sealing.recipient_key,
        recipient_key_version: sealing.recipient_key_version,
        sender_signature: sealing.signature,
    })
}

/// Where in the bucket the holder of a grant fetches each file; nothing for what goes through us.
///
/// What we encrypted does, and what is deleted after its delivery: of what others send we do not see
/// whether it came to its end.
async fn direct_urls(
    app: &App,
    transfer: &Transfer,
    download: &Download,
) -> Result<Vec<Option<String>>> {
    let now = app.clock.now();
    let lifetime = download.expires_at.since(now);
    let bucket = app.blobs.bucket();
    let bucket = bucket.filter(|it| it.has_direct_downloads() && !transfer.auto_delete);
    let mut urls = Vec::new();
    for (file, place) in transfer.files.iter().zip(0..) {
        let is_direct = file.at_rest == AtRest::Sender && file.is_one_blob();
        let Some(bucket) = bucket.filter(|_| is_direct) else {
            urls.push(None);
            continue;
        };
        let key = BlobKey::file(transfer.id, file.blob_at(place));
        // Its sender may still have an address that works, and have put others in their place.
        let may_change = transfer.created_at.plus(UPLOAD_LIFETIME) > now;
        let etag = file.direct.as_ref().and_then(|it| it.etag.as_ref());
        let is_same = match etag.filter(|_| may_change) {
            Some(etag) => bucket
                .came(key)
                .await?
                .is_some_and(|it| it.1.as_ref() == Some(etag)),
            None => true,
        };
        urls.push(is_same.then(|| bucket.get_url(key, lifetime)));
    }
    Ok(urls)
}
