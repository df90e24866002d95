//! Accounts that an account wants nothing to do with.

use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::blocks::Block;
use agentdrop_protocol::wire::blocks::{
    self as wire, BlockedAccount, BlockedParty, Blocks, UnblockedAccount,
};
use agentdrop_protocol::{BlockId, ConnectionId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::connections::{end, hold, revocation};
use super::error::{ApiError, Result};
use super::extract::{Nothing, Path};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::random;

/// Blocks the account on the other side of a connection or an invitation: what there is between
/// the two ends, and neither can invite the other.
#[utoipa::path(
    post, path = "/v1/connections/{connection_id}/block", tag = "connections",
    operation_id = "blocks_create",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id"), Once),
    responses((status = 200, body = BlockedAccount), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
    Repeating(Nothing, once): Repeating<Nothing>,
) -> Result<Answered> {
    caller.actor.require_account()?;
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let block_id = BlockId::new(now, random()?);
    let blocked = once
        .write(&app, By::from(&caller), async move |tx: &mut Tx| {
            let (mine, connection) = hold(tx, owner, id).await?;
            let block = Block::of(block_id, &connection, &mine, now)?;
            let block = tx.insert_or_find_block(&block).await?;
            let mut seen = Vec::new();
            if block.id == block_id {
                // Whoever is blocked is not told that, only what ended with it.
                let whom = Subject::of(&block.blocked).and(&id);
                seen.extend(caller.witness.saw(Action::AccountBlocked, whom));
            }
            let mut blocked = BlockedAccount {
                blocked_account_id: block.blocked,
                pairings_revoked: 0,
                connection_revoked: false,
            };
            // Not only this one: it may be over, and another have taken its place.
            while let Some(it) = tx.connection_between(owner, block.blocked).await? {
                let Some(it) = tx.hold_connection_of(owner, it.id).await? else {
                    break;
                };
                let revoked = it.revoke(&mine, now)?;
                seen.extend(revocation(&caller, &revoked));
                blocked.pairings_revoked += end(tx, &revoked, now).await?;
                blocked.connection_revoked = true;
            }
            // To a person anybody sends, connected or not, so that it does not end with that.
            for it in tx
                .hold_live_transfers_between_people(owner, block.blocked)
                .await?
            {
                tx.update_transfer(&it.delete(now)?).await?;
            }
            tx.append_audit(seen).await?;
            Ok((StatusCode::OK, blocked))
        })
        .await?;
    app.sweep.notify_one();
    Ok(blocked)
}

/// The accounts that the account has blocked.
#[utoipa::path(
    get, path = "/v1/blocked", tag = "connections", operation_id = "blocks_list",
    responses((status = 200, body = Blocks), Errors)
)]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Blocks>> {
    caller.actor.require_account()?;
    let mut reader = app.store.read().await?;
    let found = reader.blocks_of(caller.actor.account).await?;
    let blocked = found.into_iter().map(|it| wire::Block {
        id: it.block.id,
        account: BlockedParty {
            id: it.account.id,
            name: it.account.name,
            email: it.account.email,
        },
        blocked_at: it.block.created_at,
    });
    Ok(Json(Blocks {
        blocked: blocked.collect(),
    }))
}

/// Takes a block back; what ended with it stays over.
#[utoipa::path(
    delete, path = "/v1/blocked/{block_id}", tag = "connections", operation_id = "blocks_delete",
    params(("block_id" = BlockId, Path, description = "The id of the block, as the list has it")),
    responses((status = 200, body = UnblockedAccount), Errors)
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BlockId>,
) -> Result<Json<UnblockedAccount>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    app.store
        .write(async move |tx| -> Result<_> {
            let block = tx.take_block_of(owner, id).await?;
            let block = block.ok_or(ApiError::NotFound)?;
            let whom = Subject::of(&block.blocked);
            tx.append_audit(caller.witness.saw(Action::AccountUnblocked, whom))
                .await?;
            Ok(Json(UnblockedAccount {
                unblocked_account_id: block.blocked,
                message: "Account unblocked. Connect again to exchange files.".to_owned(),
            }))
        })
        .await
}
