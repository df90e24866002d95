//! Transfers: shown, listed, deleted.

use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::downloads::Download;
use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_protocol::limits::DEFAULT_PAGE;
use agentdrop_protocol::text::Label;
use agentdrop_protocol::wire::transfers::{
    self as wire, DeletedTransfer, Delivery, TransferFile, TransferMode, TransferStatus, Transfers,
};
use agentdrop_protocol::{AccountId, Cursor, Timestamp, TransferId};
use agentdrop_store::TransferFilter;
use axum::Json;
use axum::extract::State;

use super::allowance::uncount;
use super::error::{ApiError, Result};
use super::extract::{Path, Query};
use super::openapi::Errors;
use super::pages::Page;
use crate::app::App;
use crate::at_rest::Details;
use crate::audit::Witness;
use crate::auth::Caller;

/// What the account sent, or the agent whose key it is; newest first.
#[utoipa::path(
    get, path = "/v1/transfers", tag = "transfers", operation_id = "transfers_list",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many, from 1 to 100; 20 by default"),
        ("offset" = Option<u32>, Query, maximum = 2_147_483_647, description = "After passing over so many"),
        ("cursor" = Option<Cursor>, Query, description = "Behind the page that answered this as `next_cursor`; in place of `offset`"),
        ("status" = Option<TransferStatus>, Query, description = "Only those that stand here"),
        ("mode" = Option<TransferMode>, Query, description = "Only those of this mode"),
        ("sender" = Option<Label>, Query, description = "Only those of this sender"),
        ("recipient" = Option<Label>, Query, description = "Only those to this recipient"),
        ("since" = Option<Timestamp>, Query, description = "Only those created then or later"),
    ),
    responses((status = 200, body = Transfers), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<Transfers>> {
    let now = app.clock.now();
    let page = Page::of(&mut query, DEFAULT_PAGE);
    let mut filter = TransferFilter {
        agent: None,
        status: query.optional("status"),
        mode: query.optional("mode"),
        sender: query.optional("sender"),
        recipient: query.optional("recipient"),
        since: query.optional("since"),
        now,
    };
    query.check()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    filter.agent = caller.agent(&mut reader).await?.map(|it| it.id);
    let asked = reader.sent_transfers_of(owner, &filter, stored(&page));
    let mut found = asked.await?;
    let next_cursor = page.cut(&mut found, |it| it.id);
    let total = reader.sent_transfer_count_of(owner, &filter).await?;
    Ok(Json(Transfers {
        has_more: next_cursor.is_some(),
        next_cursor,
        transfers: shown_all(&app, found, now)?,
        total,
        limit: page.limit,
        offset: page.offset,
    }))
}

/// A transfer, with how its deliveries ended.
#[utoipa::path(
    get, path = "/v1/transfers/{transfer_id}", tag = "transfers", operation_id = "transfers_show",
    params(("transfer_id" = TransferId, Path, description = "The transfer's id")),
    responses((status = 200, body = wire::Transfer), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TransferId>,
) -> Result<Json<wire::Transfer>> {
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let transfer = reader.transfer_of(owner, id).await?;
    let transfer = transfer.filter(|it| it.is_visible_to(&caller.actor));
    let transfer = transfer.ok_or(ApiError::NotFound)?;
    let ended = reader.ended_downloads_of(owner, id).await?;
    let mut shown = shown(&app, transfer, app.clock.now())?;
    shown.deliveries = ended.into_iter().filter_map(delivery).collect();
    Ok(Json(shown))
}

/// Takes a transfer back, or throws it away: its bytes go at once, its record stays.
#[utoipa::path(
    delete, path = "/v1/transfers/{transfer_id}", tag = "transfers",
    operation_id = "transfers_delete",
    params(("transfer_id" = TransferId, Path, description = "The transfer's id")),
    responses((status = 200, body = DeletedTransfer), Errors)
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TransferId>,
) -> Result<Json<DeletedTransfer>> {
    let now = app.clock.now();
    let deleted = app
        .store
        .write(async move |tx| -> Result<_> {
            let transfer = tx.hold_transfer_of(caller.actor.account, id).await?;
            let transfer = transfer.filter(|it| it.is_visible_to(&caller.actor));
            let transfer = transfer.ok_or(ApiError::NotFound)?;
            let was_coming = transfer.is_coming();
            // The contract has an already deleted one as not found.
            let deleted = transfer.delete(now).map_err(|_| ApiError::NotFound)?;
            tx.update_transfer(&deleted).await?;
            if was_coming {
                uncount(tx, deleted.sender.account, deleted.created_at).await?;
            }
            let gone = Subject::of(&id);
            let witness = &caller.witness;
            tx.append_audit(logged(witness, Action::TransferDeleted, &deleted, &gone))
                .await?;
            Ok(DeletedTransfer {
                id,
                status: deleted.status,
                deleted_at: now,
            })
        })
        .await?;
    app.sweep.notify_one();
    Ok(Json(deleted))
}

/// What was done to a transfer, for the logs of both sides.
pub(super) fn logged(
    witness: &Witness,
    action: Action,
    transfer: &Transfer,
    subject: &Subject,
) -> Vec<NewEntry> {
    let sides = [Some(transfer.sender.account), transfer.told()];
    let sides = sides.into_iter().flatten();
    witness.both(sides, action, subject)
}

/// The page to ask the store for: one more than is shown, to know whether there are more.
pub(super) fn stored(page: &Page<TransferId>) -> agentdrop_store::Page {
    agentdrop_store::Page {
        limit: page.limit + 1,
        offset: page.offset,
        behind: page.behind,
    }
}

/// Transfers, as their sender and their recipient see them.
pub(super) fn shown_all(
    app: &App,
    transfers: Vec<Transfer>,
    now: Timestamp,
) -> Result<Vec<wire::Transfer>> {
    transfers
        .into_iter()
        .map(|it| shown(app, it, now))
        .collect()
}

/// A transfer, as its sender and its recipient see it.
pub(crate) fn shown(app: &App, transfer: Transfer, now: Timestamp) -> Result<wire::Transfer> {
    let details = details(app, &transfer)?;
    let files = transfer
        .files
        .iter()
        .zip(details.files)
        .map(|(file, said)| TransferFile {
            file_id: file.id,
            name: said.name,
            size: file.size,
            media_type: said.content_type.clone(),
            content_type: said.content_type,
        });
    let files: Vec<_> = files.collect();
    let api_url = app.url(&format!("/v1/transfers/{}/download", transfer.id));
    let total_size = transfer.total_size();
    let is_encrypted = transfer.sealing.is_some();
    let sealing = transfer.sealing.clone().unwrap_or_default();
    Ok(wire::Transfer {
        id: transfer.id,
        url: app.url(&format!("/t/{}", transfer.id)),
        download_url: api_url.clone(),
        api_url,
        status: transfer.status_at(now),
        pending_reason: pending_reason(transfer.status_at(now)),
        mode: transfer.mode,
        sender: transfer.sender.label,
        sender_agent_id: transfer.sender.agent,
        sender_account_id: transfer.sender.account,
        recipient_agent_id: transfer.recipient.agent(),
        recipient_account_id: agents_account(&transfer.recipient),
        recipient: transfer.recipient.label().to_owned(),
        file_count: u32::try_from(files.len()).unwrap_or(u32::MAX),
        files,
        total_size,
        max_downloads: transfer.max_downloads,
        downloads: transfer.downloads,
        download_count: transfer.downloads,
        message: details.message,
        metadata: details.metadata,
        auto_delete: transfer.auto_delete,
        is_encrypted,
        encrypted: true,
        encryption_algorithm: sealing.algorithm,
        channel_id: sealing.channel,
        encryption_salt: sealing.salt,
        deliveries: vec![],
        created_at: transfer.created_at,
        expires_at: transfer.expires_at,
    })
}

/// What the recipient has to do first: the same whether they have an account or not, for which of
/// the two it is is nobody's to ask.
fn pending_reason(status: TransferStatus) -> Option<String> {
    let reason = "The recipient has no AgentDrop account with this address yet, or has not set a \
                  receive password. They were told by e-mail; the transfer activates once they \
                  have both.";
    (status == TransferStatus::PendingRecipient).then(|| reason.to_owned())
}

/// The account of an agent. Of a person it is not told: whether an address has one is nobody's to
/// ask.
const fn agents_account(recipient: &Recipient) -> Option<AccountId> {
    match recipient {
        Recipient::Agent { account, .. } => Some(*account),
        Recipient::Person { .. } => None,
    }
}

/// What a transfer says in words.
pub(super) fn details(app: &App, transfer: &Transfer) -> Result<Details> {
    let key = app
        .server_key
        .transfer_key(transfer.id, &transfer.wrapped_key)?;
    Ok(Details::open(&key, &transfer.details)?)
}

fn delivery(download: Download) -> Option<Delivery> {
    let outcome = download.outcome?;
    Some(Delivery {
        download_id: download.id,
        status: outcome.status,
        reason: outcome.reason,
        at: outcome.at,
        receipt: outcome.receipt,
    })
}
