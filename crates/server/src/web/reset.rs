//! `/reset`: sets a password.

use agentdrop_protocol::{LinkToken, Password};
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::page::{Form, Page, field, form, outcome};
use crate::api::error::{ApiError, Result};
use crate::api::mailed_links;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::Anonymous;

const TITLE: &str = "Set a password";

/// Shows the form.
pub(crate) async fn show(RawQuery(query): RawQuery) -> Response {
    let token = field(query.unwrap_or_default().as_bytes(), "token").unwrap_or_default();
    let page = Page {
        title: TITLE,
        text: "Choose a password of 8 characters or more. It ends every session that there is.",
        form: Some(asking(&token)),
    };
    page.answer(StatusCode::OK)
}

/// Does what the form is for.
pub(crate) async fn confirm(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    request: Request,
) -> Response {
    let sent = match form(request).await {
        Ok(sent) => sent,
        Err(error) => return error.into_response(),
    };
    let token = field(&sent, "token").unwrap_or_default();
    let done = reset(&app, origin, &token, &sent).await;
    let done = done.map(|()| "The password is set. Sign in with it; you can close this page.");
    outcome(TITLE, done, Some(asking(&token)))
}

async fn reset(app: &App, origin: Origin, token: &str, sent: &[u8]) -> Result<()> {
    let token = token.parse::<LinkToken>();
    let token = token.map_err(|_| ApiError::invalid("link", "is not whole"))?;
    let password = field(sent, "password").unwrap_or_default();
    let password = password.parse::<Password>();
    let password = password.map_err(|error| ApiError::invalid("password", error.to_string()))?;
    mailed_links::reset(app, origin, &token, password).await
}

fn asking(token: &str) -> Form<'_> {
    Form {
        action: "/reset",
        token,
        asks_for_password: true,
        button: "Set the password",
    }
}
