//! The page that shows the document of the API to people. Its files are in the binary: it asks no
//! other server for anything.

use std::sync::{Arc, LazyLock};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use utoipa_swagger_ui::Config;

use super::error::{ApiError, Result};
use super::extract::Path;

/// What the page is made of; what else comes with it, for signing in elsewhere, is not served.
const FILES: [&str; 8] = [
    "favicon-16x16.png",
    "favicon-32x32.png",
    "index.css",
    "index.html",
    "swagger-initializer.js",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-ui.css",
];

/// Scripts and styles of this server alone, none of them in the page itself, and requests to this
/// server alone: a name in the document that were taken for HTML could do nothing, and the key that
/// somebody tries the API with goes nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // The validator is another server, which would be told of the address of this one.
    let config = Config::from("/openapi.json").validator_url("none");
    // Without the bar on top, which takes the address of any document, and has styles of its own.
    Arc::new(config.use_base_layout().display_request_duration(true))
});

/// Leads to the page, whose files are beside it.
pub(crate) async fn enter() -> Redirect {
    Redirect::to("/docs/")
}

/// The page.
pub(crate) async fn page() -> Result<Response> {
    file("index.html")
}

/// A file of the page.
pub(crate) async fn part(Path(name): Path<String>) -> Result<Response> {
    file(&name)
}

fn file(name: &str) -> Result<Response> {
    if !FILES.contains(&name) {
        return Err(ApiError::NotFound);
    }
    let found = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG));
    let found = found.map_err(|it| ApiError::Internal(it.to_string().into()))?;
    let found = found.ok_or(ApiError::NotFound)?;
    let mut response = found.bytes.into_owned().into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::try_from(found.content_type);
    let kind = kind.map_err(|it| ApiError::Internal(it.into()))?;
    headers.insert(header::CONTENT_TYPE, kind);
    if found.gzpipped {
        let packed = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, packed);
    }
    let policy = HeaderName::from_static("content-security-policy");
    headers.insert(policy, HeaderValue::from_static(POLICY));
    Ok(response)
}
