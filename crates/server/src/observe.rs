//! What happens to every request: an id, a line in the log, the common headers, and an answer even
//! where the handler panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tracing::{Instrument as _, field};

use crate::api::error::{ApiError, Failure, finish};
use crate::app::App;
use crate::audit::RequestId;
use crate::auth::ClientAddress;
use crate::clock::random;
use crate::metrics::Counted;
use crate::rates::Meter;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that a caller may choose.
const MAX_REQUEST_ID: usize = 128;

/// Runs a request, whatever becomes of it.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(&app, request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    // The template, never the path: paths have ids, and addresses of files have signatures.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", |it| it.as_str())
        .to_owned();
    // Load balancers ask every few seconds, for ever.
    let is_probe = matches!(&*route, "/healthz" | "/readyz");
    let method = request.method().clone();
    let address = ClientAddress::of(request.extensions(), request.headers(), &app);
    let span = tracing::info_span!(
        "request", %method, route = &route, request_id = id, %address, account = field::Empty,
        agent = field::Empty
    );
    let meter = Meter::default();
    request.extensions_mut().insert(meter.clone());
    let started = Instant::now();
    let _under_way = Counted::up(&app.metrics.requests_under_way);
    let metrics = Arc::clone(&app.metrics);
    async move {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = answered.unwrap_or_else(|panic| panicked(&*panic).into_response());
        let mut response = finish(response, &id);
        let status = response.status().as_u16();
        let took = started.elapsed();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        metrics.answered(&method, route, response.status(), took.as_secs_f64());
        if let Some(Failure(reason)) = response.extensions().get::<Failure>() {
            tracing::error!(status, ms, reason, "failed");
        } else if is_probe && status < 400 {
            tracing::debug!(status, ms, "answered");
        } else {
            tracing::info!(status, ms, "answered");
        }
        common_headers(response.headers_mut(), &id);
        meter.tell(response.headers_mut());
        response
    }
    .instrument(span)
    .await
}

fn request_id(app: &App, headers: &HeaderMap) -> String {
    let chosen = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok());
    let plain = |it: &&str| {
        let allowed = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
        !it.is_empty() && it.len() <= MAX_REQUEST_ID && it.bytes().all(allowed)
    };
    if let Some(chosen) = chosen.filter(plain) {
        return chosen.to_owned();
    }
    // Without chance it is not unique, and nothing else works either.
    agentdrop_protocol::FileId::new(app.clock.now(), random().unwrap_or_default()).to_string()
}

fn panicked(panic: &(dyn Any + Send)) -> ApiError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("something");
    ApiError::Internal(format!("panicked: {text}").into())
}

fn common_headers(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        // An answer is for its caller alone.
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "authorization"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
