//! Invitations.

use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::connections::Connection;
use agentdrop_protocol::limits::{INVITE_WINDOW, MAX_INVITES};
use agentdrop_protocol::wire::connections::{CreateConnection, CreatedConnection};
use agentdrop_protocol::{AccountId, ConnectionId, Timestamp};
use agentdrop_store::{Reader, Tx};
use axum::extract::State;
use axum::http::StatusCode;

use super::{require_room, require_unblocked};
use crate::api::error::{ApiError, Result};
use crate::api::extract::Body;
use crate::api::once::{Answered, By, Once, Repeating};
use crate::api::openapi::Errors;
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
