//! Pairings: which agents of connected accounts exchange files, and which way.

use agentdrop_domain::Scope;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::channels::Party;
use agentdrop_domain::pairings::{Pairing, PairingError, Permission};
use agentdrop_domain::policy::may_person_send;
use agentdrop_envelope::identity::Fingerprint;
use agentdrop_protocol::wire::pairings::{
    self as wire, ConfirmPairing, ConfirmedPairing, CreatePairing, CreatedPairing, PairedAgent,
    Pairings, RevokedPairing, UpdatePairing, UpdatedPairing,
};
use agentdrop_protocol::{AccountId, AgentRef, ConnectionId, ErrorCode, PairingId, Timestamp};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::allowance::hold_limits;
use super::bundles::key_fingerprint;
use super::error::{ApiError, Result};
use super::extract::{Body, OptionalBody, Path};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::random;
use crate::mail::kinds::pairing_proposed;
use crate::mail::{Letter, Stamp};

/// Proposes to pair an own agent with one of the connected account, which has to confirm it.
#[utoipa::path(
    post, path = "/v1/connections/{connection_id}/pairings", tag = "pairings",
    operation_id = "pairings_create",
    params(("connection_id" = ConnectionId, Path, description = "The connection's id"), Once),
    request_body = CreatePairing, responses((status = 201, body = CreatedPairing), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(connection): Path<ConnectionId>,
    Repeating(Body(body), once): Repeating<Body<CreatePairing>>,
) -> Result<Answered> {
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let id = PairingId::new(now, random()?);
    let permission = body.permission.unwrap_or(Permission::Both);
    let (stamp, unit) = (Stamp::new(now)?, app.clone());
    let created = once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let limits = hold_limits(tx, owner).await?;
        let found = tx.connection_of(owner, connection).await?;
        let found = found.ok_or(ApiError::NotFound)?;
        // The agents are kept ahead of the connection, as everywhere.
        let mine = tx.keep_agent_of(owner, &body.my_agent_id).await?;
        if let Some(mine) = &mine {
            caller.actor.require_agent(mine)?;
        } else if let Scope::Agent(_) = caller.actor.scope {
            return Err(another_agent());
        }
        let other = found.other(owner).filter(|_| found.is_active());
        let other = other.ok_or(PairingError::ConnectionNotActive)?;
        let mine = mine.ok_or(PairingError::AgentNotFound)?;
        let theirs = tx.keep_agent_of(other, &body.their_agent_id).await?;
        let theirs = theirs.ok_or(PairingError::AgentNotFound)?;
        let held = tx.hold_connection_of(owner, connection).await?;
        let held = held.ok_or(ApiError::NotFound)?;
        let pairing = Pairing::propose(id, &held, &mine, &theirs, permission, now)?;
        limits.require_pairing(tx.pairing_count_of(owner, connection).await?)?;
        tx.insert_pairing(&pairing).await?;
        if let Some(letter) = letter(tx, &unit, &pairing, owner).await? {
            tx.enqueue_mail(&stamp.seal(&unit.server_key, owner, &letter))
                .await?;
        }
        tx.append_audit(logged(&caller, Action::PairingProposed, &pairing))
            .await?;
        let created = CreatedPairing {
            id,
            connection_id: connection,
            status: pairing.status(),
            my_agent: paired_agent(&mine),
            their_agent: paired_agent(&theirs),
            permission,
            proposed_by: owner,
            created_at: now,
        };
        Ok((StatusCode::CREATED, created))
    });
    let created = created.await?;
    app.mailer.wake.notify_one();
    Ok(created)
}

/// The same for a name that another agent has and for one that none has.
fn another_agent() -> ApiError {
    agentdrop_domain::actor::ActorError::AnotherAgent.into()
}

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

/// Agrees to a pairing as it stands: from now on its agents exchange files.
#[utoipa::path(
    post, path = "/v1/pairings/{pairing_id}/confirm", tag = "pairings",
    operation_id = "pairings_confirm",
    params(("pairing_id" = PairingId, Path, description = "The pairing's id")),
    request_body = ConfirmPairing, responses((status = 200, body = ConfirmedPairing), Errors)
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PairingId>,
    OptionalBody(expected): OptionalBody<ConfirmPairing>,
) -> Result<Json<ConfirmedPairing>> {
    let (now, owner) = (app.clock.now(), caller.actor.account);
    if let Some(compared) = &expected.their_key_fingerprint {
        let read = compared.parse::<Fingerprint>();
        read.map_err(|it| ApiError::invalid("their_key_fingerprint", it.to_string()))?;
    }
    app.store
        .write(async move |tx| -> Result<_> {
            let limits = hold_limits(tx, owner).await?;
            require_keys(tx, &caller, id, &expected).await?;
            let pairing = hold(tx, &caller, id).await?;
            let permission = pairing.permission_for(owner);
            if expected.permission.is_some_and(|it| it != permission) {
                return Err(terms_changed());
            }
            let confirmed = pairing.confirm(owner, now)?;
            let have = tx.pairing_count_of(owner, confirmed.connection).await?;
            limits.require_pairing(have)?;
            tx.update_pairing(&confirmed).await?;
            tx.append_audit(logged(&caller, Action::PairingConfirmed, &confirmed))
                .await?;
            Ok(Json(ConfirmedPairing {
                id,
                status: confirmed.status(),
                confirmed_at: now,
                message: "Pairing confirmed. Agents can now exchange files.".to_owned(),
            }))
        })
        .await
}

/// Changes which way files may go; until the other side has confirmed that, they go neither way.
#[utoipa::path(
    patch, path = "/v1/pairings/{pairing_id}", tag = "pairings", operation_id = "pairings_update",
    params(("pairing_id" = PairingId, Path, description = "The pairing's id")),
    request_body = UpdatePairing, responses((status = 200, body = UpdatedPairing), Errors)
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PairingId>,
    Body(body): Body<UpdatePairing>,
) -> Result<Json<UpdatedPairing>> {
    let owner = caller.actor.account;
    let (stamp, unit) = (Stamp::new(app.clock.now())?, app.clone());
    let updated = app
        .store
        .write(async move |tx| -> Result<_> {
            let limits = hold_limits(tx, owner).await?;
            let pairing = hold(tx, &caller, id).await?;
            let waited_for_me = !pairing.is_active() && pairing.terms_by != owner;
            let changed = pairing.change_permission(owner, body.permission)?;
            // It is its own from here on, and the other side may confirm it.
            if waited_for_me {
                let have = tx.pairing_count_of(owner, changed.connection).await?;
                limits.require_pairing(have)?;
            }
            tx.update_pairing(&changed).await?;
            if let Some(letter) = letter(tx, &unit, &changed, owner).await? {
                tx.enqueue_mail(&stamp.seal(&unit.server_key, owner, &letter))
                    .await?;
            }
            tx.append_audit(logged(&caller, Action::PairingChanged, &changed))
                .await?;
            Ok(Json(UpdatedPairing {
                id,
                permission: changed.permission_for(owner),
                status: changed.status(),
                message: "Permission updated. The other side must re-confirm the pairing."
                    .to_owned(),
            }))
        })
        .await?;
    app.mailer.wake.notify_one();
    Ok(updated)
}

/// What tells the other side that `owner` set terms which wait for it, unless it was told often
/// enough.
async fn letter(
    tx: &mut Tx,
    app: &App,
    pairing: &Pairing,
    owner: AccountId,
) -> Result<Option<Letter>> {
    let [mine, theirs] = if pairing.a.account == owner {
        [pairing.a, pairing.b]
    } else {
        [pairing.b, pairing.a]
    };
    if !app.lockout.may_mail_of_pairing(owner, theirs.account) {
        return Ok(None);
    }
    let proposer = tx.account(owner).await?;
    let to = tx.account(theirs.account).await?;
    let (mine, theirs) = (
        tx.agent_of(owner, &AgentRef::Id(mine.agent)).await?,
        tx.agent_of(theirs.account, &AgentRef::Id(theirs.agent))
            .await?,
    );
    let (Some(proposer), Some(to), Some(mine), Some(theirs)) = (proposer, to, mine, theirs) else {
        return Ok(None);
    };
    let permission = pairing.permission_for(owner);
    Ok(Some(pairing_proposed(
        app, &to, &proposer, &mine, &theirs, pairing.id, permission,
    )))
}

/// Ends a pairing, which a person has to do; a key ends the connection instead.
///
/// With it end the channels of the two agents, and what was sent between them and not fetched yet.
#[utoipa::path(
    delete, path = "/v1/pairings/{pairing_id}", tag = "pairings", operation_id = "pairings_revoke",
    params(("pairing_id" = PairingId, Path, description = "The pairing's id")),
    responses((status = 200, body = RevokedPairing), Errors)
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PairingId>,
) -> Result<Json<RevokedPairing>> {
    let now = app.clock.now();
    let revoked = app
        .store
        .write(async move |tx| -> Result<_> {
            let owner = caller.actor.account;
            let named = tx.pairing_of(owner, id).await?;
            let named = named.filter(|it| is_visible(it, &caller));
            let Pairing { a, b, .. } = named.ok_or(ApiError::NotFound)?;
            // Of two that end at once, each would take the other for what still allows something.
            tx.hold_accounts(a.account, b.account).await?;
            let pairing = hold(tx, &caller, id).await?;
            caller.actor.require_session()?;
            let revoked = pairing.revoke(caller.actor.account, now)?;
            tx.update_pairing(&revoked).await?;
            let (one, other) = (revoked.a.agent, revoked.b.agent);
            for it in tx.hold_live_transfers_between_agents(one, other).await? {
                tx.update_transfer(&it.delete(now)?).await?;
            }
            for (from, to) in [(a, b), (b, a)] {
                end_of_persons(tx, from.account, to, now).await?;
            }
            tx.revoke_channels_between_agents(one, other, now).await?;
            tx.append_audit(logged(&caller, Action::PairingRevoked, &revoked))
                .await?;
            Ok(revoked)
        })
        .await?;
    app.sweep.notify_one();
    Ok(Json(RevokedPairing {
        id,
        status: revoked.status(),
    }))
}

/// Ends what persons of an account sent to an agent themselves, unless another agent of theirs may
/// still send to it. The accounts are held.
async fn end_of_persons(tx: &mut Tx, from: AccountId, to: Party, now: Timestamp) -> Result<()> {
    let agent = tx
        .agent_of(to.account, &AgentRef::Id(to.agent))
        .await?
        .ok_or(ApiError::NotFound)?;
    let left = tx.keep_active_pairings_with(from, agent.id).await?;
    if may_person_send(from, &agent, &left).is_ok() {
        return Ok(());
    }
    for it in tx.hold_live_transfers_of_persons(from, agent.id).await? {
        tx.update_transfer(&it.delete(now)?).await?;
    }
    Ok(())
}

/// Refuses where the other side's agent has other keys than those that were compared; it keeps
/// them until this unit of work ends. The agent is held ahead of the pairing, as everywhere.
async fn require_keys(
    tx: &mut Tx,
    caller: &Caller,
    id: PairingId,
    expected: &ConfirmPairing,
) -> Result<()> {
    let (key, fingerprint) = (expected.their_public_key, &expected.their_key_fingerprint);
    if key.is_none() && fingerprint.is_none() {
        return Ok(());
    }
    let owner = caller.actor.account;
    let pairing = tx.pairing_of(owner, id).await?;
    let pairing = pairing.filter(|it| is_visible(it, caller));
    let pairing = pairing.ok_or(ApiError::NotFound)?;
    let mut sides = [pairing.a, pairing.b].into_iter();
    let theirs = sides.find(|it| it.account != owner);
    let theirs = theirs.ok_or(ApiError::NotFound)?;
    let agent = tx.hold_agent_of(theirs.account, theirs.agent).await?;
    let has = agent.as_ref().and_then(|it| it.keys());
    let is_same_key = key.is_none_or(|it| has.is_some_and(|has| has.encryption == it));
    let has = agent.as_ref().and_then(key_fingerprint);
    let is_same_identity = fingerprint.is_none() || *fingerprint == has;
    if is_same_key && is_same_identity {
        Ok(())
    } else {
        Err(terms_changed())
    }
}

fn terms_changed() -> ApiError {
    let message = "the pairing is not what was to be agreed to; look at it again";
    ApiError::refused(ErrorCode::TermsChanged, message)
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
