//! Setting a password by a mailed link.

use std::time::Duration;

use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::password_resets::{ConfirmPasswordReset, CreatePasswordReset};
use axum::Json;
use axum::extract::State;
use tracing::Instrument as _;

use super::error::Result;
use super::extract::Body;
use super::mailed_links::{self, NewLink};
use super::openapi::Errors;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::Anonymous;

/// How long after the answer it is looked up whether there is somebody to write to.
const BEHIND: Duration = Duration::from_millis(50);

/// Mails a link to set a password with, if there is an account with this address; the answer is
/// the same if there is none.
#[utoipa::path(
    post, path = "/v1/password-resets", tag = "account", operation_id = "password_resets_create",
    security(()),
    request_body = CreatePasswordReset, responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    Anonymous(from): Anonymous,
    Body(body): Body<CreatePasswordReset>,
) -> Result<Json<Done>> {
    app.ask_for_reset(&body.email, from).await?;
    // Behind the answer, which therefore takes no longer where there is something to write; and some
    // way behind it, for what runs beside an answer shows in how long that takes.
    let mailing = async move {
        tokio::time::sleep(BEHIND).await;
        if let Err(error) = mail(&app, &body.email).await {
            tracing::warn!(?error, "a link to set a password with was not mailed");
        }
    };
    drop(tokio::spawn(mailing.in_current_span()));
    Ok(Json(Done {
        message: "If there is an account with this address, a link is on its way to it".to_owned(),
    }))
}

async fn mail(app: &App, email: &Email) -> Result<()> {
    let account = app.store.read().await?.account_by_email(email).await?;
    let Some(account) = account else {
        return Ok(());
    };
    let link = NewLink::to_reset(app, &account, app.clock.now())?;
    app.store
        .write(async move |tx| -> Result<_> { Ok(link.insert(tx).await?) })
        .await?;
    app.mailer.wake.notify_one();
    Ok(())
}

/// Sets a password, with what was mailed. It ends every session of the account.
#[utoipa::path(
    post, path = "/v1/password-resets/confirm", tag = "account",
    operation_id = "password_resets_confirm", security(()),
    request_body = ConfirmPasswordReset, responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    Body(body): Body<ConfirmPasswordReset>,
) -> Result<Json<Done>> {
    mailed_links::reset(&app, origin, &body.token, body.password).await?;
    Ok(Json(Done {
        message: "The password is set; sign in with it".to_owned(),
    }))
}
