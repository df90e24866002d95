//! Traces by OpenTelemetry: one span a request, by OTLP over HTTP.
//!
//! Everything is said by the variables of the specification: `OTEL_EXPORTER_OTLP_ENDPOINT` or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` turn it on, and the others do what they do elsewhere. A span
//! has what a line of the log has, and nothing else.

use std::env;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::exit::{Failure, Result};

/// How spans are sent.
const PROTOCOL: &str = "http/protobuf";
/// How long a server that stops waits for its collector.
const LAST_CALL: Duration = Duration::from_secs(5);
/// What a server's span says of the request, and what the semantic conventions for HTTP call it.
const NAMES: [(&str, &str); 3] = [
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("address", "client.address"),
];

/// Traces until it is stopped.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins, if the environment names a collector.
    pub(super) fn start() -> Result<Option<Self>> {
        if !is_asked_for(|name| env::var(name).ok()) {
            return Ok(None);
        }
        let refused = |message: String| {
            let hint = "check the variables OTEL_…; the protocol is http/protobuf";
            Failure::refused("CONFIG", format!("traces cannot be sent: {message}"), hint)
        };
        if let Some(other) = other_protocol(|name| env::var(name).ok()) {
            return Err(refused(format!(
                "the protocol `{}` is not built in",
                other.escape_debug()
            )));
        }
        let client = Client::new().map_err(|error| refused(error.to_string()))?;
        let exporter = SpanExporter::builder().with_http().with_http_client(client);
        let exporter = exporter
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let mut resource = Resource::builder();
        if env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("agentdrop");
        }
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.with_attribute(version).build())
            .with_span_processor(Conventional(BatchSpanProcessor::builder(exporter).build()));
        Ok(Some(Self(provider.build())))
    }

    /// What hands spans on: our own, for the exporter's would never end.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = Targets::new().with_target("agentdrop", LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("agentdrop"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(ours)
    }

    /// Sends what was not sent yet.
    pub(super) async fn stop(self) {
        // Waits for its own thread.
        let stopped = spawn_blocking(move || self.0.shutdown_with_timeout(LAST_CALL)).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Whether the environment names a collector, and does not say that nothing is to be sent.
fn is_asked_for(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, value: &str| {
        variable(name).is_some_and(|it| it.trim().eq_ignore_ascii_case(value))
    };
    let names = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];
    let named = names
        .iter()
        .any(|it| variable(it).is_some_and(|it| !it.trim().is_empty()));
    named && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

/// The protocol that the environment asks for, if it is not the one that there is.
fn other_protocol(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let said = |name: &str| variable(name).filter(|it| !it.trim().is_empty());
    let protocol = said("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
    let protocol = protocol.or_else(|| said("OTEL_EXPORTER_OTLP_PROTOCOL"));
    protocol.filter(|it| it.trim() != PROTOCOL)
}

/// Names what a span says as the semantic conventions do, for those who look at many services.
#[derive(Debug)]
struct Conventional<P>(P);

impl<P> Conventional<P> {
    fn rename(span: &mut SpanData) {
        if span.name != "request" {
            return;
        }
        span.span_kind = SpanKind::Server;
        for attribute in &mut span.attributes {
            if let Some((_, name)) = NAMES.iter().find(|it| it.0 == attribute.key.as_str()) {
                attribute.key = Key::from_static_str(name);
            }
        }
        let said = |name: &str| {
            let found = span.attributes.iter().find(|it| it.key.as_str() == name);
            found.map(|it| it.value.to_string()).unwrap_or_default()
        };
        let name = format!("{} {}", said("http.request.method"), said("http.route"));
        // The line that ends a request has its status.
        let mut ends = span.events.events.iter().flat_map(|it| &it.attributes);
        let status = ends.find(|it| it.key.as_str() == "status");
        if let Some(status) = status.and_then(|it| it.value.to_string().parse::<i64>().ok()) {
            let status_code = KeyValue::new("http.response.status_code", status);
            span.attributes.push(status_code);
            span.status = if status >= 500 {
                Status::error("")
            } else {
                Status::Unset
            };
        }
        span.name = name.into();
    }
}

impl<P: SpanProcessor> SpanProcessor for Conventional<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.0.on_start(span, cx);
    }

    fn on_end(&self, mut span: SpanData) {
        Self::rename(&mut span);
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Sends from the exporter's thread, which has no runtime, on ours.
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether the last ones did not arrive, which is said once.
    is_failing: AtomicBool,
}

impl Client {
    fn new() -> reqwest::Result<Self> {
        // That one is installed already is as well.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Ok(Self {
            http: http.build()?,
            runtime: Handle::current(),
            is_failing: AtomicBool::new(false),
        })
    }

    /// Tells the operator, but not with each of the tries.
    fn tell(&self, problem: Option<String>) {
        let failed_before = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !failed_before => {
                tracing::warn!(problem, "traces are not delivered to their collector");
            }
            None if failed_before => tracing::info!("traces are delivered again"),
            _ => {}
        }
    }
}

/// What is wrong with a delivery. The address goes: it may have a key of the collector in it.
fn problem_of(delivered: &Result<Response<Bytes>, reqwest::Error>) -> Option<String> {
    match delivered {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(format!("it answers {}", answer.status())),
        Err(error) => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            Some(cause.to_string())
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, request) = (self.http.clone(), request.try_into()?);
        let sending = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await?);
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            Ok(response)
        });
        let delivered = sending.await?.map_err(reqwest::Error::without_url);
        self.tell(problem_of(&delivered));
        Ok(delivered?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_a_collector_is_traced() {
        let asked = |set: &[(&str, &str)]| {
            is_asked_for(|name| {
                let found = set.iter().find(|it| it.0 == name);
                found.map(|it| it.1.to_owned())
            })
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        let traces = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://localhost:4318/v1/traces",
        );
        assert!(asked(&[endpoint]) && asked(&[traces]));
        assert!(!asked(&[]) && !asked(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
        assert!(!asked(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]));
        assert!(!asked(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]));
        assert!(asked(&[endpoint, ("OTEL_TRACES_EXPORTER", "otlp")]));
    }

    #[test]
    fn a_protocol_that_is_not_there_is_not_passed_over() {
        let other = |set: &[(&str, &str)]| {
            other_protocol(|name| {
                let found = set.iter().find(|it| it.0 == name);
                found.map(|it| it.1.to_owned())
            })
        };
        let (all, traces) = (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        );
        assert_eq!(other(&[]), None);
        assert_eq!(other(&[(all, "")]), None);
        assert_eq!(other(&[(all, PROTOCOL)]), None);
        assert_eq!(other(&[(all, "grpc"), (traces, PROTOCOL)]), None);
        assert_eq!(other(&[(all, "grpc")]).as_deref(), Some("grpc"));
        assert_eq!(
            other(&[(traces, "http/json")]).as_deref(),
            Some("http/json")
        );
    }
}
