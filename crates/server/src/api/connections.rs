//! Connections between accounts, from the invitation on.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::connections::Connection;
use agentdrop_domain::pairings::PairingError;
use agentdrop_domain::plans::Limits;
use agentdrop_protocol::limits::{INVITE_WINDOW, MAX_INVITES};
use agentdrop_protocol::wire::connections::{
    self as wire, AcceptedConnection, ConnectionAgent, ConnectionAgents, ConnectionFilter,
    ConnectionState, Connections, CreateConnection, CreatedConnection, IncomingInvite,
    OtherAccount, OutgoingInvite, RejectedConnection, RevokedConnection,
};
use agentdrop_protocol::{AccountId, ConnectionId, ErrorCode, Timestamp};
use agentdrop_store::{ListedConnection, Reader, Tx};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::bundles::key_fingerprint;
use super::error::{ApiError, Result};
use super::extract::{Body, Path, Query};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::random;
use crate::mail::Stamp;
use crate::mail::kinds::invite;

/// Invites an account to be connected.
///
/// Whether there is an account with this address, the answer does not tell: an invitation waits
/// for one.
#[utoipa::path(
    post, path = "/v1/connections", tag = "connections", operation_id = "connections_create",
    params(Once), request_body = CreateConnection, responses((status = 201, body = CreatedConnection), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Repeating(Body(body), once): Repeating<Body<CreateConnection>>,
) -> Result<Answered> {
    caller.actor.require_account()?;
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let id = ConnectionId::new(now, random()?);
    let (stamp, unit) = (Stamp::new(now)?, app.clone());
    let created = once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let invitee = tx.account_by_email(&body.email).await?;
        // An account that only says that the address is its own is as good as none.
        let invitee = invitee.filter(|it| it.email_verified_at.is_some());
        let other = invitee.map_or(owner, |it| it.id);
        let held = tx.hold_accounts(owner, other).await?;
        let mine = held.iter().find(|it| it.id == owner);
        let mine = mine.ok_or(ApiError::NotFound)?;
        let invitee = held.iter().find(|it| it.id == other && other != owner);
        // Of nobody it is asked as well, as if they were the sender, who has blocked nobody so: how
        // long it takes does not tell whether there is somebody.
        require_unblocked(tx, owner, other).await?;
        let existing = match invitee {
            Some(invitee) => tx.connection_between(owner, invitee.id).await?,
            None => tx.invitation_of(owner, &body.email).await?,
        };
        let invited = Connection::invite(
            id,
            mine,
            invitee,
            body.email,
            body.message,
            existing.as_ref(),
            now,
        )?;
        require_room(tx, mine).await?;
        require_few_invites(tx, owner, now).await?;
        tx.insert_connection(&invited).await?;
        // To the address, whether somebody has an account with it or not; but not in the name of one
        // that may be somebody else's.
        if mine.email_verified_at.is_some() {
            let letter = invite(&unit, mine, &invited);
            let mail = stamp.seal(&unit.server_key, owner, &letter);
            tx.enqueue_mail(&mail).await?;
        }
        // Not for the other's log: writing it would take time that tells of an account.
        let sent = Subject::of(&id);
        tx.append_audit(caller.witness.saw(Action::ConnectionInvited, sent))
            .await?;
        let shown = CreatedConnection {
            id,
            status: invited.state(),
            invited_email: invited.email,
            message: invited.message,
            created_at: invited.created_at,
        };
        Ok((StatusCode::CREATED, shown))
    });
    let created = created.await?;
    app.mailer.wake.notify_one();
    Ok(created)
}

/// Whether the plan of an account, which is held, allows another connection.
async fn require_room(reader: &mut Reader, mine: &Account) -> Result<()> {
    let counts = reader.connection_counts_of(mine.id).await?;
    Ok(Limits::of(mine.plan).require_connection(counts.own())?)
}

/// Each invitation may become an e-mail to somebody who did not ask for it.
async fn require_few_invites(reader: &mut Reader, owner: AccountId, now: Timestamp) -> Result<()> {
    let sent = reader.invites_of(owner, now.minus(INVITE_WINDOW)).await?;
    // Once this one no longer counts, there is room for another.
    let Some(oldest) = sent.iter().rev().nth(MAX_INVITES as usize - 1) else {
        return Ok(());
    };
    let wait = oldest.plus(INVITE_WINDOW).since(now);
    let message = format!("an account may send {MAX_INVITES} invitations an hour");
    Err(ApiError::Limited(wait, message.into()))
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

/// The connections of the account, and the invitations that it sent and was sent.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", operation_id = "connections_list",
    params(("status" = Option<ConnectionFilter>, Query, description = "Only these; `all` by default, which leaves out what is over")),
    responses((status = 200, body = Connections), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<Connections>> {
    caller.actor.require_account()?;
    let filter = query.optional("status").unwrap_or(ConnectionFilter::All);
    query.check()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    // All of them, whatever is shown: what waits is counted over all.
    let found = reader.connections_of(owner, ConnectionFilter::All).await?;
    let waiting = found.iter().map(|it| it.pending_pairing_count).sum();
    let (mut active, mut incoming, mut outgoing) = (vec![], vec![], vec![]);
    for it in found {
        if it.connection.is_active() {
            active.extend(connection(it));
        } else if it.connection.inviter == owner {
            outgoing.push(outgoing_invite(it.connection));
        } else {
            incoming.extend(incoming_invite(it));
        }
    }
    match filter {
        ConnectionFilter::All => {}
        ConnectionFilter::Active => {
            incoming.clear();
            outgoing.clear();
        }
        ConnectionFilter::Pending => active.clear(),
    }
    Ok(Json(Connections {
        active: active.clone(),
        connections: active,
        pending_incoming: incoming,
        pending_outgoing: outgoing,
        pending_pairings_count: waiting,
    }))
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

/// The agents of the other account that may be paired.
#[utoipa::path(
    get, path = "/v1/connections/{connection_id}/agents", tag = "connections",
    operation_id = "connections_list_agents",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id")),
    responses((status = 200, body = ConnectionAgents), Errors)
)]
pub(crate) async fn agents(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
) -> Result<Json<ConnectionAgents>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let connection = reader.connection_of(owner, id).await?;
    let connection = connection.ok_or(ApiError::NotFound)?;
    if !connection.is_active() {
        return Err(PairingError::ConnectionNotActive.into());
    }
    let found = reader.available_agents_of(owner, id).await?;
    Ok(Json(ConnectionAgents {
        agents: found.into_iter().map(connection_agent).collect(),
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

fn connection(listed: ListedConnection) -> Option<wire::Connection> {
    let it = listed.connection;
    Some(wire::Connection {
        id: it.id,
        status: it.state(),
        other_account: other_account(listed.other?),
        invited_by: it.inviter,
        message: it.message,
        created_at: it.created_at,
        accepted_at: it.accepted_at,
        pairing_count: listed.pairing_count,
        pending_pairing_count: listed.pending_pairing_count,
    })
}

fn incoming_invite(listed: ListedConnection) -> Option<IncomingInvite> {
    Some(IncomingInvite {
        id: listed.connection.id,
        from: other_account(listed.other?),
        message: listed.connection.message,
        created_at: listed.connection.created_at,
    })
}

/// Nothing of the account, if there is one: whoever sends an invitation is not to learn that.
fn outgoing_invite(connection: Connection) -> OutgoingInvite {
    OutgoingInvite {
        id: connection.id,
        to_email: connection.email,
        message: connection.message,
        created_at: connection.created_at,
    }
}

fn other_account(account: Account) -> OtherAccount {
    OtherAccount {
        id: account.id,
        name: account.name,
        email: account.email,
        avatar_url: None,
    }
}

fn connection_agent(agent: Agent) -> ConnectionAgent {
    ConnectionAgent {
        key_fingerprint: key_fingerprint(&agent),
        id: agent.id,
        agent_id: agent.slug,
        name: agent.name,
        description: agent.description,
        agent_type: agent.agent_type,
    }
}
