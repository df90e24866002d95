//! What every page is made of.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use form_urlencoded::parse;

use super::MAX_FORM_BYTES;
use crate::api::error::ApiError;

/// Nothing is loaded, nothing runs, and the form goes to this server alone.
const POLICY: &str =
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page.
#[derive(Template)]
#[template(path = "web/page.html")]
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    pub(super) form: Option<Form<'a>>,
}

/// A form of one button.
pub(super) struct Form<'a> {
    pub(super) action: &'a str,
    pub(super) token: &'a str,
    pub(super) asks_for_password: bool,
    pub(super) button: &'a str,
}

impl<'a> Page<'a> {
    pub(super) const fn new(title: &'a str, text: &'a str, form: Option<Form<'a>>) -> Self {
        Self { title, text, form }
    }

    pub(super) fn answer(&self, status: StatusCode) -> Response {
        let page = match self.render() {
            Ok(page) => page,
            Err(error) => return ApiError::Internal(error.into()).into_response(),
        };
        let mut response = (status, Html(page)).into_response();
        let policy = HeaderValue::from_static(POLICY);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }
}

/// The page that says what came of a form, if it is to be told to whoever sent it.
pub(super) fn outcome(
    title: &str,
    done: Result<&str, ApiError>,
    again: Option<Form<'_>>,
) -> Response {
    match done {
        Ok(text) => Page::new(title, text, None).answer(StatusCode::OK),
        Err(ApiError::Refused(code, message)) => {
            let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let text = format!("This did not work: {message}.");
            Page::new(title, &text, None).answer(status)
        }
        Err(ApiError::Invalid(details)) => {
            let said = details
                .iter()
                .map(|it| format!("the {} {}", it.field, it.message));
            let said = said.collect::<Vec<_>>().join(", ");
            let text = format!("This did not work: {said}.");
            Page::new(title, &text, again).answer(StatusCode::BAD_REQUEST)
        }
        Err(error) => error.into_response(),
    }
}

/// The field of a form, or of a query, that is there once.
pub(super) fn field(pairs: &[u8], name: &str) -> Option<String> {
    let mut values = parse(pairs).filter(|(it, _)| it == name);
    let value = values.next()?.1.into_owned();
    values.next().is_none().then_some(value)
}

/// The bytes of a form.
pub(super) async fn form(request: Request<Body>) -> Result<Vec<u8>, ApiError> {
    let read = to_bytes(request.into_body(), MAX_FORM_BYTES).await;
    let bytes = read.map_err(|_| ApiError::invalid("form", "is too long, or incomplete"))?;
    Ok(bytes.to_vec())
}
