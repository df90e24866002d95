//! What people open with what they are sent, and what to encrypt for them with.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::receive_passwords::ReceivePassword;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::receive_passwords::{
    self as wire, RecipientPublicKey, SetReceivePassword,
};
use agentdrop_protocol::{AccountId, SessionId, Timestamp};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::{Body, Query};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::{Caller, require_live_session};
use crate::mail::Stamp;
use crate::mail::kinds::{Change, receive_password_changed};

/// The key that the account's owner is sent files under, its private half encrypted with their
/// receive password.
#[utoipa::path(
    get, path = "/v1/account/receive-password", tag = "account",
    operation_id = "receive_passwords_show",
    responses((status = 200, body = wire::ReceivePassword), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::ReceivePassword>> {
    caller.actor.require_account()?;
    let mut reader = app.store.read().await?;
    let found = reader.receive_password_of(caller.actor.account).await?;
    Ok(Json(shown(found.ok_or(ApiError::NotFound)?)))
}

/// Sets the key that the account's owner is sent files under, or another password for it.
///
/// In a session alone: with a key that was stolen, nobody has what people are sent encrypted for
/// themselves. What was encrypted for another key before opens with that one alone.
#[utoipa::path(
    put, path = "/v1/account/receive-password", tag = "account",
    operation_id = "receive_passwords_set",
    request_body = SetReceivePassword,
    responses((status = 200, body = wire::ReceivePassword), Errors)
)]
pub(crate) async fn set(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<SetReceivePassword>,
) -> Result<Json<wire::ReceivePassword>> {
    caller.actor.require_account()?;
    let session = caller.actor.require_session()?;
    let (owner, now) = (caller.actor.account, app.clock.now());
    let password = ReceivePassword {
        account: owner,
        public_key: body.public_key,
        encrypted_private_key: body.encrypted_private_key,
        set_at: now,
    };
    let (stamp, unit) = (Stamp::new(now)?, app.clone());
    let set = app
        .store
        .write(async move |tx| -> Result<_> {
            let account = hold(tx, owner, session, now).await?;
            let before = tx.receive_password_of(owner).await?;
            tx.put_receive_password(&password).await?;
            let change = match before {
                None => Change::Set,
                Some(it) if it.public_key == password.public_key => Change::Password,
                Some(_) => Change::Key,
            };
            tell(tx, &unit, stamp, &account, change).await?;
            let done = Action::ReceivePasswordSet;
            tx.append_audit(caller.witness.saw(done, Subject::of(&owner)))
                .await?;
            Ok(password)
        })
        .await?;
    app.mailer.wake.notify_one();
    app.activate.notify_one();
    Ok(Json(shown(set)))
}

/// Forgets the key that the account's owner is sent files under; in a session alone. What was
/// encrypted for it nobody opens any more who does not have the key elsewhere.
#[utoipa::path(
    delete, path = "/v1/account/receive-password", tag = "account",
    operation_id = "receive_passwords_delete",
    responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn delete(State(app): State<App>, caller: Caller) -> Result<Json<Done>> {
    caller.actor.require_account()?;
    let session = caller.actor.require_session()?;
    let (owner, now) = (caller.actor.account, app.clock.now());
    let (stamp, unit) = (Stamp::new(now)?, app.clone());
    app.store
        .write(async move |tx| -> Result<_> {
            let account = hold(tx, owner, session, now).await?;
            if tx.delete_receive_password_of(owner).await? == 0 {
                return Err(ApiError::NotFound);
            }
            tell(tx, &unit, stamp, &account, Change::Removed).await?;
            let done = Action::ReceivePasswordRemoved;
            let seen = caller.witness.saw(done, Subject::of(&owner));
            Ok(tx.append_audit(seen).await?)
        })
        .await?;
    app.mailer.wake.notify_one();
    Ok(Json(Done {
        message: "Receive password removed".to_owned(),
    }))
}

/// The account, held, if the session that asks was not ended since: whoever takes sessions away
/// with a new password does not find another's key set behind that.
async fn hold(
    tx: &mut Tx,
    owner: AccountId,
    session: SessionId,
    now: Timestamp,
) -> Result<Account> {
    let held = tx.hold_accounts(owner, owner).await?;
    require_live_session(tx, owner, session, now).await?;
    held.into_iter().next().ok_or(ApiError::NotFound)
}

/// Mails the owner what became of the receive password; nothing to an address that may be somebody
/// else's, who would be written to as often as anybody likes.
async fn tell(
    tx: &mut Tx,
    app: &App,
    stamp: Stamp,
    account: &Account,
    change: Change,
) -> agentdrop_store::Result<()> {
    if account.email_verified_at.is_none() {
        return Ok(());
    }
    let letter = receive_password_changed(app, account, change);
    let mail = stamp.seal(&app.server_key, account.id, &letter);
    tx.enqueue_mail(&mail).await
}

/// What to encrypt for, so that whoever has an address can open it.
///
/// The answer is the same for everybody who cannot be encrypted for, whether they have an account
/// or not.
#[utoipa::path(
    get, path = "/v1/transfers/recipient-public-key", tag = "transfers",
    operation_id = "recipients_show_public_key",
    params(("email" = Email, Query, description = "The recipient's address")),
    responses((status = 200, body = RecipientPublicKey), Errors)
)]
pub(crate) async fn public_key(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<RecipientPublicKey>> {
    let email: Option<Email> = query.required("email");
    query.check()?;
    let email = email.ok_or_else(|| ApiError::invalid("email", "is required"))?;
    app.lockout.look_up(caller.actor.account, &email)?;
    let public_key = app.store.read().await?.receive_key_for(&email).await?;
    Ok(Json(RecipientPublicKey {
        has_public_key: public_key.is_some(),
        public_key,
    }))
}

/// A receive password, as its owner sees it.
pub(super) fn shown(it: ReceivePassword) -> wire::ReceivePassword {
    wire::ReceivePassword {
        public_key: it.public_key,
        encrypted_private_key: it.encrypted_private_key,
        set_at: it.set_at,
    }
}
