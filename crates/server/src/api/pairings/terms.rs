//! What one side proposes, and the other has to confirm.

use agentdrop_domain::Scope;
use agentdrop_domain::audit::Action;
use agentdrop_domain::pairings::{Pairing, PairingError, Permission};
use agentdrop_protocol::wire::pairings::{
    CreatePairing, CreatedPairing, UpdatePairing, UpdatedPairing,
};
use agentdrop_protocol::{AccountId, AgentRef, ConnectionId, PairingId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::{hold, logged, paired_agent};
use crate::api::allowance::hold_limits;
use crate::api::error::{ApiError, Result};
use crate::api::extract::{Body, Path};
use crate::api::once::{Answered, By, Once, Repeating};
use crate::api::openapi::Errors;
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
