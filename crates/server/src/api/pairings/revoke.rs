//! A pairing ends.

use agentdrop_domain::audit::Action;
use agentdrop_domain::channels::Party;
use agentdrop_domain::pairings::Pairing;
use agentdrop_domain::policy::may_person_send;
use agentdrop_protocol::wire::pairings::RevokedPairing;
use agentdrop_protocol::{AccountId, AgentRef, PairingId, Timestamp};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::{hold, is_visible, logged};
use crate::api::error::{ApiError, Result};
use crate::api::extract::Path;
use crate::api::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

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
