//! Showing that an e-mail address is its account's.

use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::email_verifications::ConfirmEmail;
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::Body;
use super::mailed_links::{self, NewLink};
use super::openapi::Errors;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::{Anonymous, Caller};

/// Mails the link again that shows that the address is the account's.
#[utoipa::path(
    post, path = "/v1/email-verifications", tag = "account",
    operation_id = "email_verifications_create",
    responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn create(State(app): State<App>, caller: Caller) -> Result<Json<Done>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    let account = app.store.read().await?.account(owner).await?;
    let account = account.ok_or(ApiError::NotFound)?;
    if account.email_verified_at.is_some() {
        return Ok(done("The address is verified"));
    }
    app.lockout.ask_for_verification(owner)?;
    let link = NewLink::to_verify(&app, &account, app.clock.now())?;
    app.store
        .write(async move |tx| -> Result<_> { Ok(link.insert(tx).await?) })
        .await?;
    app.mailer.wake.notify_one();
    Ok(done("A link is on its way to the address"))
}

/// Shows that the address is the account's, with what was mailed to it.
#[utoipa::path(
    post, path = "/v1/email-verifications/confirm", tag = "account",
    operation_id = "email_verifications_confirm", security(()),
    request_body = ConfirmEmail, responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    Body(body): Body<ConfirmEmail>,
) -> Result<Json<Done>> {
    mailed_links::verify(&app, origin, &body.token).await?;
    Ok(done("The address is verified"))
}

fn done(message: &str) -> Json<Done> {
    Json(Done {
        message: message.to_owned(),
    })
}
