//! `/verify`: shows that an address is its account's.

use agentdrop_protocol::LinkToken;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::page::{Form, Page, field, form, outcome};
use crate::api::error::{ApiError, Result};
use crate::api::mailed_links;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::Anonymous;

const TITLE: &str = "Confirm your address";

/// Shows the form.
pub(crate) async fn show(RawQuery(query): RawQuery) -> Response {
    let token = field(query.unwrap_or_default().as_bytes(), "token").unwrap_or_default();
    let form = Form {
        action: "/verify",
        token: &token,
        asks_for_password: false,
        button: "Confirm the address",
    };
    let text = "Confirm that this address is yours; then you see what others send you here.";
    let page = Page {
        title: TITLE,
        text,
        form: Some(form),
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
    let done = verify(&app, origin, request).await;
    let done = done.map(|()| "The address is verified. You can close this page.");
    outcome(TITLE, done, None)
}

async fn verify(app: &App, origin: Origin, request: Request) -> Result<()> {
    let token = field(&form(request).await?, "token").and_then(|it| it.parse::<LinkToken>().ok());
    let token = token.ok_or_else(|| ApiError::invalid("link", "is not whole"))?;
    mailed_links::verify(app, origin, &token).await
}
