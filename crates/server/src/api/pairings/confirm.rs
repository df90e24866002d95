//! A pairing is agreed to.

use agentdrop_domain::audit::Action;
use agentdrop_protocol::wire::pairings::{ConfirmPairing, ConfirmedPairing};
use agentdrop_protocol::{EncryptionPublicKey, ErrorCode, PairingId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::{hold, is_visible, logged};
use crate::api::allowance::hold_limits;
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
    app.store
        .write(async move |tx| -> Result<_> {
            let limits = hold_limits(tx, owner).await?;
            require_key(tx, &caller, id, expected.their_public_key).await?;
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

/// Refuses where the other side's agent has another key than the one that was compared; it keeps
/// the key until this unit of work ends. The agent is held ahead of the pairing, as everywhere.
async fn require_key(
    tx: &mut Tx,
    caller: &Caller,
    id: PairingId,
    expected: Option<EncryptionPublicKey>,
) -> Result<()> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let owner = caller.actor.account;
    let pairing = tx.pairing_of(owner, id).await?;
    let pairing = pairing.filter(|it| is_visible(it, caller));
    let pairing = pairing.ok_or(ApiError::NotFound)?;
    let mut sides = [pairing.a, pairing.b].into_iter();
    let theirs = sides.find(|it| it.account != owner);
    let theirs = theirs.ok_or(ApiError::NotFound)?;
    let agent = tx.hold_agent_of(theirs.account, theirs.agent).await?;
    let key = agent.and_then(|it| it.keys().map(|it| it.encryption));
    if key == Some(expected) {
        Ok(())
    } else {
        Err(terms_changed())
    }
}

fn terms_changed() -> ApiError {
    let message = "the pairing is not what was to be agreed to; look at it again";
    ApiError::refused(ErrorCode::TermsChanged, message)
}
