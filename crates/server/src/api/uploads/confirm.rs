//! Confirming that the files of an announced transfer have come: from then on it is one like any.

use agentdrop_domain::Actor;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::people::Standing;
use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_domain::uploads::Came;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::wire::uploads::ConfirmedTransfer;
use agentdrop_protocol::{AgentRef, ErrorCode, TransferId};
use agentdrop_store::Tx;
use axum::extract::State;
use axum::http::StatusCode;

use super::{direct, sent_by};
use crate::api::error::{ApiError, Result};
use crate::api::extract::{Nothing, Path};
use crate::api::mailed_links::new_token;
use crate::api::once::{Answered, By, Once, Repeating};
use crate::api::openapi::Errors;
use crate::api::send::asked::{keep_sharing, require_plain_allowed};
use crate::api::send::{person, sealing};
use crate::api::transfers::details;
use crate::app::App;
use crate::auth::{Caller, digest_of};
use crate::mail::Stamp;

/// Confirms that all files of an announced transfer have come: only now its recipient learns of it.
///
/// Whether the two still share files is judged anew.
#[utoipa::path(
    post, path = "/v1/transfers/{transfer_id}/confirm", tag = "transfers",
    operation_id = "uploads_confirm",
    params(("transfer_id" = TransferId, Path, description = "The transfer's id"), Once),
    responses((status = 200, body = ConfirmedTransfer), Errors)
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TransferId>,
    Repeating(Nothing, once): Repeating<Nothing>,
) -> Result<Answered> {
    let now = app.clock.now();
    let (stamp, token) = (Stamp::new(now)?, new_token()?);
    let of = app.clone();
    let by = By::from(&caller);
    let came = came(&app, &caller.actor, id).await?;
    let record = async move |tx: &mut Tx| -> Result<(StatusCode, ConfirmedTransfer)> {
        let owner = caller.actor.account;
        // Whom it is for never changes; where it stands is read again once it is held.
        let transfer = sent_by(tx.transfer_of(owner, id).await?, &caller.actor)?;
        if transfer.mode == TransferMode::HumanToAgent {
            caller.actor.require_session()?;
        }
        transfer.require_announced(now)?;
        let judged = judge(tx, &of, &transfer).await?;
        let held = tx.hold_transfer_of(owner, id).await?;
        let held = sent_by(held, &caller.actor)?;
        let mut whole = tx.begun_files(id).await?;
        whole.extend(came.iter().map(|it| it.file));
        let confirmed = held.confirm(&whole, judged.status, now)?;
        if came.is_empty() {
            tx.update_transfer(&confirmed).await?;
        } else {
            let confirmed = confirmed.clone().confirm_direct(&came)?;
            tx.update_transfer_contents(&confirmed).await?;
        }
        if let Some(standing) = judged.standing {
            person::count(tx, owner, id, standing, now).await?;
            let from = tx.account(owner).await?.ok_or(ApiError::NotFound)?;
            let said = details(&of, &confirmed)?;
            let letter = person::letter(&of, &from, &confirmed, &said, standing, &token);
            if let Some(letter) = letter {
                let digest = digest_of(token.as_key());
                tx.insert_transfer_link(&digest, id, now).await?;
                let mail = stamp.seal(&of.server_key, owner, &letter);
                tx.enqueue_mail(&mail).await?;
            }
        }
        let (witness, sent) = (caller.witness.at(now), Subject::of(&id));
        let received = confirmed
            .told()
            .and_then(|it| witness.told(it, Action::TransferReceived, sent.clone()));
        let seen = witness.saw(Action::TransferCreated, sent);
        tx.append_audit(seen.into_iter().chain(received)).await?;
        let answer = ConfirmedTransfer {
            id,
            status: confirmed.status,
            confirmed_at: now,
        };
        Ok((StatusCode::OK, answer))
    };
    let answered = once.write(&app, by, record).await?;
    // Of a person's both may have something to do.
    app.mailer.wake.notify_one();
    app.activate.notify_one();
    Ok(answered)
}

/// The files that came whole to the bucket, if the caller sent them there.
async fn came(app: &App, actor: &Actor, id: TransferId) -> Result<Vec<Came>> {
    if app.blobs.bucket().is_none() {
        return Ok(vec![]);
    }
    let mut reader = app.store.read().await?;
    let transfer = reader.transfer_of(actor.account, id).await?;
    drop(reader);
    match sent_by(transfer, actor) {
        Ok(transfer) if transfer.is_coming() => direct::came(app, &transfer).await,
        // Why it cannot be confirmed is said where it would be.
        _ => Ok(vec![]),
    }
}

/// What was found about the two.
struct Judged {
    status: TransferStatus,
    /// What a person is known by.
    standing: Option<Standing>,
}

/// Whether its sender may still send it, as it was encrypted; what that hangs on stays so until
/// this unit of work ends.
async fn judge(tx: &mut Tx, app: &App, transfer: &Transfer) -> Result<Judged> {
    let owner = transfer.sender.account;
    match &transfer.recipient {
        Recipient::Agent { account, agent, .. } => {
            let sending = sending(tx, transfer).await?;
            let sending = sending.as_ref();
            let recipient =
                keep_sharing(tx, transfer.mode, owner, sending, (*account, *agent)).await?;
            match &transfer.sealing {
                None => require_plain_allowed(tx, owner, recipient.account).await?,
                Some(it) => sealing::require_channel(tx, owner, it, sending, &recipient).await?,
            }
            Ok(Judged {
                status: TransferStatus::Active,
                standing: None,
            })
        }
        Recipient::Person { email, .. } => {
            let (standing, _) = person::hold(tx, app, owner, email).await?;
            let sending = sending(tx, transfer).await?;
            let (sealing, sending) = (transfer.sealing.as_ref(), sending.as_ref());
            let (status, _) = person::resolve(tx, owner, standing, sealing, sending).await?;
            // Nobody has the key any more that it was encrypted for.
            if sealing.is_some_and(|it| it.recipient_key != standing.key()) {
                let message = "the recipient has another key now; encrypt for that one";
                return Err(ApiError::refused(ErrorCode::KeyChanged, message));
            }
            Ok(Judged {
                status,
                standing: Some(standing),
            })
        }
    }
}

/// The agent that sends it, if an agent does.
async fn sending(tx: &mut Tx, transfer: &Transfer) -> Result<Option<Agent>> {
    let Some(id) = transfer.sender.agent else {
        return Ok(None);
    };
    Ok(tx
        .keep_agent_of(transfer.sender.account, &AgentRef::Id(id))
        .await?)
}
