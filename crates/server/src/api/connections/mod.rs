//! Connections between accounts, from the invitation on.

pub(crate) mod invite;
pub(crate) mod listed;

use agentdrop_domain::accounts::Account;
use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::connections::Connection;
use agentdrop_domain::plans::Limits;
use agentdrop_protocol::wire::connections::{
    AcceptedConnection, ConnectionState, RejectedConnection, RevokedConnection,
};
use agentdrop_protocol::{AccountId, ConnectionId, ErrorCode, Timestamp};
use agentdrop_store::{Reader, Tx};
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::Path;
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

/// Whether the plan of an account, which is held, allows another connection.
async fn require_room(reader: &mut Reader, mine: &Account) -> Result<()> {
    let counts = reader.connection_counts_of(mine.id).await?;
    Ok(Limits::of(mine.plan).require_connection(counts.own())?)
}

pub(super) async fn require_unblocked(
    reader: &mut Reader,
    one: AccountId,
    other: AccountId,
) -> Result<()> {
    if reader.is_blocked(one, other).await? {
        let message = "one of the two accounts has blocked the other";
        return Err(ApiError::refused(ErrorCode::Blocked, message));
    }
    Ok(())
}

/// Takes an invitation up.
#[utoipa::path(
    post, path = "/v1/connections/{connection_id}/accept", tag = "connections",
    operation_id = "connections_accept",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id")),
    responses((status = 200, body = AcceptedConnection), Errors)
)]
pub(crate) async fn accept(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
) -> Result<Json<AcceptedConnection>> {
    caller.actor.require_account()?;
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let accepted = app
        .store
        .write(async move |tx| -> Result<_> {
            let (mine, connection) = hold(tx, owner, id).await?;
            let inviter = connection.inviter;
            let accepted = connection.accept(&mine, now)?;
            require_unblocked(tx, owner, inviter).await?;
            require_room(tx, &mine).await?;
            tx.update_connection(&accepted).await?;
            let witness = &caller.witness;
            tx.append_audit(witness.both([inviter], Action::ConnectionAccepted, &Subject::of(&id)))
                .await?;
            Ok(accepted)
        })
        .await?;
    Ok(Json(AcceptedConnection {
        id,
        status: accepted.state(),
        message: "Connection established.".to_owned(),
    }))
}

/// Turns an invitation down; nothing of it is left, and whoever sent it is not told.
#[utoipa::path(
    post, path = "/v1/connections/{connection_id}/reject", tag = "connections",
    operation_id = "connections_reject",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id")),
    responses((status = 200, body = RejectedConnection), Errors)
)]
pub(crate) async fn reject(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
) -> Result<Json<RejectedConnection>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    app.store
        .write(async move |tx| -> Result<_> {
            let (mine, connection) = hold(tx, owner, id).await?;
            tx.delete_connection(&connection.reject(&mine)?).await?;
            let turned_down = Subject::of(&id);
            tx.append_audit(caller.witness.saw(Action::ConnectionRejected, turned_down))
                .await?;
            Ok(Json(RejectedConnection {
                id,
                status: ConnectionState::Rejected,
            }))
        })
        .await
}

/// Ends a connection, or takes an invitation back.
///
/// With it end its pairings, the channels between the two accounts, and what was sent and not
/// fetched yet.
#[utoipa::path(
    delete, path = "/v1/connections/{connection_id}", tag = "connections",
    operation_id = "connections_revoke",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id")),
    responses((status = 200, body = RevokedConnection), Errors)
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
) -> Result<Json<RevokedConnection>> {
    caller.actor.require_account()?;
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let (status, pairings_revoked) = app
        .store
        .write(async move |tx| -> Result<_> {
            let (mine, connection) = hold(tx, owner, id).await?;
            let revoked = connection.revoke(&mine, now)?;
            let pairings_revoked = end(tx, &revoked, now).await?;
            tx.append_audit(revocation(&caller, &revoked)).await?;
            Ok((revoked.state(), pairings_revoked))
        })
        .await?;
    app.sweep.notify_one();
    Ok(Json(RevokedConnection {
        id,
        status,
        pairings_revoked,
    }))
}

/// The account `owner`, and a connection that it has a part in; both accounts and the connection
/// are held.
pub(super) async fn hold(
    tx: &mut Tx,
    owner: AccountId,
    id: ConnectionId,
) -> Result<(Account, Connection)> {
    let connection = tx.connection_of(owner, id).await?;
    let connection = connection.ok_or(ApiError::NotFound)?;
    // Whoever waits for an account, or was invited as one without, is on the inviter's other side.
    let other = connection.other(owner).unwrap_or(connection.inviter);
    let held = tx.hold_accounts(owner, other).await?;
    let mine = held.into_iter().find(|it| it.id == owner);
    let connection = tx.hold_connection_of(owner, id).await?;
    mine.zip(connection).ok_or(ApiError::NotFound)
}

/// Writes down that a connection is over, and ends at once all that stands on it; answers how many
/// pairings that were.
pub(super) async fn end(tx: &mut Tx, revoked: &Connection, now: Timestamp) -> Result<u64> {
    tx.update_connection(revoked).await?;
    let pairings = tx.revoke_pairings_of_connection(revoked.id, now).await?;
    if let Some(invitee) = revoked.invitee {
        let inviter = revoked.inviter;
        let transfers = tx
            .hold_live_transfers_between_accounts(inviter, invitee)
            .await?;
        for transfer in transfers {
            tx.update_transfer(&transfer.delete(now)?).await?;
        }
        tx.revoke_channels_between_accounts(inviter, invitee, now)
            .await?;
    }
    Ok(pairings.len() as u64)
}

/// That a connection is over, for the logs of both sides; of an invitation that nobody accepted,
/// for the caller's alone.
pub(super) fn revocation(caller: &Caller, revoked: &Connection) -> Vec<NewEntry> {
    let accepted = revoked.accepted_at.is_some();
    let other = revoked.other(caller.actor.account).filter(|_| accepted);
    let over = Subject::of(&revoked.id);
    caller.witness.both(other, Action::ConnectionRevoked, &over)
}
