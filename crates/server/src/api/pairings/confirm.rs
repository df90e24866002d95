//! A pairing is agreed to.

use agentdrop_domain::audit::Action;
use agentdrop_envelope::identity::Fingerprint;
use agentdrop_protocol::wire::pairings::{ConfirmPairing, ConfirmedPairing};
use agentdrop_protocol::{ErrorCode, PairingId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::{hold, is_visible, logged};
use crate::api::allowance::hold_limits;
use crate::api::bundles::key_fingerprint;
use crate::api::error::{ApiError, Result};
use crate::api::extract::{OptionalBody, Path};
use crate::api::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

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
