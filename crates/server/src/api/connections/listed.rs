//! What an account sees of its connections.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::connections::Connection;
use agentdrop_domain::pairings::PairingError;
use agentdrop_protocol::ConnectionId;
use agentdrop_protocol::wire::connections::{
    self as wire, ConnectionAgent, ConnectionAgents, ConnectionFilter, Connections, IncomingInvite,
    OtherAccount, OutgoingInvite,
};
use agentdrop_store::ListedConnection;
use axum::Json;
use axum::extract::State;

use crate::api::bundles::key_fingerprint;
use crate::api::error::{ApiError, Result};
use crate::api::extract::{Path, Query};
use crate::api::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

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
