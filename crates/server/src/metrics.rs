//! What the server counts, for Prometheus and its kin.
//!
//! Labels are few and known beforehand: the template of a route, a method, a status, an outcome. What
//! a caller chooses never becomes one, or callers could fill the memory of whoever collects them.

use std::fmt;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;

/// The text format of `OpenMetrics` 1.0.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds, in seconds: a request that only reads takes less than the first, an upload may take
/// more than the last.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];

/// What the server counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    /// Requests that are being answered.
    pub(crate) requests_under_way: Gauge,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Connections that were closed at once, for there were too many.
    pub(crate) connections_refused: Counter,
    /// Bytes that came from callers.
    pub(crate) received: Counter,
    /// Bytes that went to callers.
    pub(crate) sent: Counter,
    event_streams: Gauge,
    mails: Family<Outcome, Counter>,
    /// Transfers whose bytes were deleted, for they had expired, been delivered, or been given up.
    pub(crate) swept: Counter,
    activations: Family<Outcome, Counter>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// What became of a try to send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailOutcome {
    /// The mail server has it.
    Sent,
    /// It is tried again later.
    PutOff,
    /// It is not tried again.
    GivenUp,
}

/// What became of a try to encrypt a transfer for its recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActivationOutcome {
    /// It was done, or was no longer to be done.
    Done,
    /// It is tried again later.
    Failed,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut it = Self {
            registry: Registry::with_prefix("agentdrop"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            requests_under_way: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            received: Counter::default(),
            sent: Counter::default(),
            event_streams: Gauge::default(),
            mails: Family::default(),
            swept: Counter::default(),
            activations: Family::default(),
        };
        it.register();
        it
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        let help = "Requests that were answered";
        registry.register("http_requests", help, self.requests.clone());
        let help = "Time from a request's head to its answer's head";
        let (name, seconds) = ("http_request_duration", Unit::Seconds);
        registry.register_with_unit(name, help, seconds, self.durations.clone());
        let help = "Requests that are being answered";
        registry.register(
            "http_requests_under_way",
            help,
            self.requests_under_way.clone(),
        );
        let help = "Connections that are open";
        registry.register("connections", help, self.connections.clone());
        let help = "Connections that were closed at once, for there were too many";
        registry.register(
            "connections_refused",
            help,
            self.connections_refused.clone(),
        );
        let help = "Bytes that came from callers, heads included";
        registry.register_with_unit("received", help, Unit::Bytes, self.received.clone());
        let help = "Bytes that went to callers, heads included";
        registry.register_with_unit("sent", help, Unit::Bytes, self.sent.clone());
        let help = "Streams of events that are open";
        registry.register("event_streams", help, self.event_streams.clone());
        let help = "Tries to send a mail, by what became of them";
        registry.register("mails", help, self.mails.clone());
        let help = "Transfers whose bytes were deleted";
        registry.register("transfers_swept", help, self.swept.clone());
        let help = "Tries to encrypt a waiting transfer for its recipient";
        registry.register("activations", help, self.activations.clone());
    }

    /// Counts an answer.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: String,
        status: StatusCode,
        seconds: f64,
    ) {
        let method = name_of(method);
        let status = status.as_u16();
        self.durations
            .get_or_create(&Route {
                method,
                route: route.clone(),
            })
            .observe(seconds);
        let request = Request {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&request).inc();
    }

    /// Counts a try to send a mail.
    pub(crate) fn mail(&self, outcome: MailOutcome) {
        let outcome = match outcome {
            MailOutcome::Sent => "sent",
            MailOutcome::PutOff => "put_off",
            MailOutcome::GivenUp => "given_up",
        };
        self.mails.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a try to activate a transfer.
    pub(crate) fn activation(&self, outcome: ActivationOutcome) {
        let outcome = match outcome {
            ActivationOutcome::Done => "done",
            ActivationOutcome::Failed => "failed",
        };
        self.activations.get_or_create(&Outcome { outcome }).inc();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Counts one up for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn up(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The methods there are; callers may make up others.
fn name_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What collectors ask, on a listener of its own: callers of the service have no business here.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(app)
}

async fn show(State(app): State<App>) -> impl IntoResponse {
    let streams = i64::try_from(app.events.streams()).unwrap_or(i64::MAX);
    app.metrics.event_streams.set(streams);
    let mut text = String::new();
    match encode(&mut text, &app.metrics.registry) {
        Ok(()) => Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
