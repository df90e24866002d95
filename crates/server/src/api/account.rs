//! The account of the caller.

use agentdrop_domain::accounts::{Account, AccountSettings};
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::mailed_links::LinkPurpose;
use agentdrop_protocol::Password;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::accounts::{DeleteAccount, OwnAccount, UpdateAccount};
use axum::Json;
use axum::extract::State;
use tracing::Instrument as _;

use super::error::{ApiError, Result};
use super::extract::Body;
use super::openapi::Errors;
use super::sessions::{require_unchanged, sign_in};
use crate::app::App;
use crate::audit::Origin;
use crate::auth::{Caller, ClientAddress};
use crate::mail::Stamp;
use crate::mail::kinds::password_changed;

/// Where a request comes from: for those who count tries, and for the log.
type From = (ClientAddress, Origin);

/// The account.
#[utoipa::path(
    get, path = "/v1/account", tag = "account", operation_id = "account_show",
    responses((status = 200, body = OwnAccount), Errors)
)]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<OwnAccount>> {
    caller.actor.require_account()?;
    let mut reader = app.store.read().await?;
    let account = reader.account(caller.actor.account).await?;
    let settings = reader.account_settings(caller.actor.account).await?;
    let (account, settings) = account.zip(settings).ok_or(ApiError::NotFound)?;
    Ok(Json(shown(account, &settings)))
}

/// Changes the account. Its password is changed in a session alone, by whoever knows it; that ends
/// every other session.
#[utoipa::path(
    patch, path = "/v1/account", tag = "account", operation_id = "account_update",
    request_body = UpdateAccount, responses((status = 200, body = OwnAccount), Errors)
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    from: From,
    Body(body): Body<UpdateAccount>,
) -> Result<Json<OwnAccount>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    let new_password = match body.password {
        None => None,
        Some(new) => {
            let session = caller.actor.require_session()?;
            let current = body.current_password.ok_or_else(|| {
                ApiError::invalid("current_password", "is required to change the password")
            })?;
            let (account, checked) = check_password(&app, &caller, from, current).await?;
            account.check_password(&new)?;
            let hash = app.passwords.hash(new).await?;
            Some((session, checked, hash, Stamp::new(app.clock.now())?))
        }
    };
    let changes_password = new_password.is_some();
    // Whatever else is changed with the password must not go unseen behind it.
    let changes_more = body.name.is_some() || body.require_encryption.is_some();
    let unit = app.clone();
    let updated = app
        .store
        .write(async move |tx| -> Result<_> {
            let held = tx.hold_accounts(owner, owner).await?;
            let account = held.into_iter().next().ok_or(ApiError::NotFound)?;
            let settings = tx.account_settings(owner).await?;
            let mut settings = settings.ok_or(ApiError::NotFound)?;
            let account = Account {
                name: body.name.unwrap_or(account.name),
                ..account
            };
            settings.require_encryption = body
                .require_encryption
                .unwrap_or(settings.require_encryption);
            if let Some((session, checked, hash, stamp)) = new_password {
                require_unchanged(tx, owner, &checked).await?;
                settings.password = Some(hash);
                tx.delete_sessions_of(owner, Some(session)).await?;
                // Somebody else may have asked for it, and read it.
                let reset = LinkPurpose::ResetPassword;
                tx.delete_mailed_link_of(owner, reset).await?;
                let letter = password_changed(&unit, &account);
                tx.enqueue_mail(&stamp.seal(&unit.server_key, owner, &letter))
                    .await?;
            }
            tx.update_account(&account).await?;
            tx.update_account_settings(owner, &settings).await?;
            let done = [
                (changes_more || !changes_password).then_some(Action::AccountUpdated),
                changes_password.then_some(Action::PasswordChanged),
            ];
            for action in done.into_iter().flatten() {
                let seen = caller.witness.saw(action, Subject::of(&owner));
                tx.append_audit(seen).await?;
            }
            Ok(Json(shown(account, &settings)))
        })
        .await?;
    if changes_password {
        app.mailer.wake.notify_one();
    }
    Ok(updated)
}

/// Deletes the account, with its agents, its keys and sessions, and all it sent or was sent.
#[utoipa::path(
    delete, path = "/v1/account", tag = "account", operation_id = "account_delete",
    request_body = DeleteAccount, responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    from: From,
    Body(body): Body<DeleteAccount>,
) -> Result<Json<Done>> {
    caller.actor.require_account()?;
    caller.actor.require_session()?;
    let owner = caller.actor.account;
    let (_, checked) = check_password(&app, &caller, from, body.password).await?;
    // In a task of its own, which comes to its end even if the caller goes away.
    let deleting = async move {
        let transfers = app
            .store
            .write(async move |tx| -> Result<_> {
                require_unchanged(tx, owner, &checked).await?;
                Ok(tx.delete_account(owner).await?)
            })
            .await?;
        // Should this not come to its end, the next look for blobs without a row finds the rest.
        for (transfer, files) in transfers {
            if let Err(error) = app.blobs.delete(transfer, files).await {
                tracing::warn!(%error, %transfer, "the bytes of a deleted transfer are still there");
            }
        }
        Ok::<_, ApiError>(())
    };
    let deleted = tokio::spawn(deleting.in_current_span()).await;
    deleted.map_err(|error| ApiError::Internal(error.into()))??;
    Ok(Json(Done {
        message: "Account deleted".to_owned(),
    }))
}

/// The caller's account, if this is its password. Each attempt counts like one to sign in: a
/// session that was stolen is no way to guess the password.
async fn check_password(
    app: &App,
    caller: &Caller,
    from: From,
    password: Password,
) -> Result<(Account, AccountSettings)> {
    let account = app.store.read().await?.account(caller.actor.account).await;
    let account = account?.ok_or(ApiError::NotFound)?;
    sign_in(app, &from.1, from.0, &account.email, password).await
}

/// An account, as its owner sees it.
pub(super) fn shown(account: Account, settings: &AccountSettings) -> OwnAccount {
    OwnAccount {
        id: account.id,
        name: account.name,
        email: account.email,
        email_verified: account.email_verified_at.is_some(),
        has_password: settings.password.is_some(),
        require_encryption: settings.require_encryption,
        plan: account.plan,
        created_at: account.created_at,
    }
}
