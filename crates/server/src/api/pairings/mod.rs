//! Pairings: which agents of connected accounts exchange files, and which way.

pub(crate) mod confirm;
pub(crate) mod revoke;
pub(crate) mod terms;

use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::channels::Party;
use agentdrop_domain::pairings::Pairing;
use agentdrop_protocol::wire::pairings::{self as wire, PairedAgent, Pairings};
use agentdrop_protocol::{AccountId, ConnectionId, PairingId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::bundles::key_fingerprint;
use super::error::{ApiError, Result};
use super::extract::Path;
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

/// The pairings under a connection, wherever they stand; with the key of an agent, its own.
#[utoipa::path(
    get, path = "/v1/connections/{connection_id}/pairings", tag = "pairings",
    operation_id = "pairings_list",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id")),
    responses((status = 200, body = Pairings), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(connection): Path<ConnectionId>,
) -> Result<Json<Pairings>> {
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let found = reader.connection_of(owner, connection).await?;
    found.ok_or(ApiError::NotFound)?;
    let pairings = reader.pairings_of(owner, connection).await?;
    let agents = reader.agents_of_pairings_of(owner, connection).await?;
    let visible = pairings.iter().filter(|it| is_visible(it, &caller));
    Ok(Json(Pairings {
        pairings: visible.filter_map(|it| shown(it, owner, &agents)).collect(),
    }))
}

/// The pairing that the path names, held for a change.
async fn hold(tx: &mut Tx, caller: &Caller, id: PairingId) -> Result<Pairing> {
    let pairing = tx.hold_pairing_of(caller.actor.account, id).await?;
    let pairing = pairing.filter(|it| is_visible(it, caller));
    pairing.ok_or(ApiError::NotFound)
}

/// What was done to a pairing, for the logs of both sides.
fn logged(caller: &Caller, action: Action, pairing: &Pairing) -> Vec<NewEntry> {
    let sides = [pairing.a, pairing.b].map(|it| it.account);
    caller
        .witness
        .both(sides, action, &Subject::of(&pairing.id))
}

fn is_visible(pairing: &Pairing, caller: &Caller) -> bool {
    let side = pairing.side_of(caller.actor.account);
    side.is_some_and(|it| caller.actor.acts_as(Some(it.agent)))
}

/// A pairing, as `viewer` sees it. An agent that was deleted meanwhile took it along.
fn shown(pairing: &Pairing, viewer: AccountId, agents: &[Agent]) -> Option<wire::Pairing> {
    let find = |of: Party| agents.iter().find(|it| it.id == of.agent);
    let (a, b) = (find(pairing.a)?, find(pairing.b)?);
    // What is over tells no more of the other's agent than what was there to see before.
    let known = |it: &Agent| it.account == viewer || pairing.revoked_at.is_none();
    let key = |it: &Agent| {
        let key = it.keys().filter(|_| known(it)).map(|it| it.encryption);
        (key, if known(it) { it.key_version } else { 0 })
    };
    let named = |it: &Agent| {
        let agent = paired_agent(it);
        let key_fingerprint = agent.key_fingerprint.filter(|_| known(it));
        PairedAgent {
            key_fingerprint,
            ..agent
        }
    };
    let ((a_key, a_version), (b_key, b_version)) = (key(a), key(b));
    Some(wire::Pairing {
        id: pairing.id,
        connection_id: pairing.connection,
        agent_a: named(a),
        agent_b: named(b),
        status: pairing.status(),
        permission: pairing.permission_for(viewer),
        raw_permission: pairing.permission,
        proposed_by: pairing.proposed_by,
        terms_by: pairing.terms_by,
        agent_a_public_key: a_key,
        agent_a_key_version: a_version,
        agent_b_public_key: b_key,
        agent_b_key_version: b_version,
        created_at: pairing.created_at,
        confirmed_at: pairing.confirmed_at,
        revoked_at: pairing.revoked_at,
    })
}

fn paired_agent(agent: &Agent) -> PairedAgent {
    PairedAgent {
        id: agent.id,
        agent_id: agent.slug.clone(),
        name: agent.name.clone(),
        account_id: agent.account,
        key_fingerprint: key_fingerprint(agent),
    }
}
