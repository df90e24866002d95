//! What a server says of itself: logs to standard error, and traces to a collector that the
//! environment names.

#[cfg(feature = "otel")]
mod traces;

use std::env;
use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::exit::Result;

/// What is logged if nobody says otherwise: not what the libraries below say in passing, as that a
/// table of theirs is there already.
const DEFAULT_FILTER: &str = "info,refinery_core=warn,tokio_postgres=warn,object_store=warn,opentelemetry=off,opentelemetry_sdk=off,opentelemetry_otlp=off";

/// Whether lines are JSON, for there is no terminal to read them on.
pub(crate) fn is_logged_as_json() -> bool {
    !io::stderr().is_terminal()
}

/// Logs and traces until it is stopped.
pub(crate) struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Begins to log: text on a terminal, else one JSON object a line.
    pub(crate) fn start() -> Result<Self> {
        let chosen = env::var(EnvFilter::DEFAULT_ENV);
        let chosen = chosen.ok().filter(|it| !it.is_empty());
        let filter = chosen.and_then(|it| EnvFilter::try_new(it).ok());
        let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
        let terminal = !is_logged_as_json();
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(terminal);
        let lines = if terminal {
            lines.boxed()
        } else {
            lines.json().with_span_list(false).boxed()
        };
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
        #[cfg(feature = "otel")]
        let (subscriber, traces) = {
            let traces = traces::Traces::start();
            let layer = traces.as_ref().ok().and_then(Option::as_ref);
            (subscriber.with(layer.map(traces::Traces::layer)), traces)
        };
        // That there is one already can only be in a test.
        drop(subscriber.try_init());
        Ok(Self {
            // Refused only now, so that it is logged as everything else.
            #[cfg(feature = "otel")]
            traces: traces?,
        })
    }

    /// Sends what was not sent yet.
    pub(crate) async fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.stop().await;
        }
    }
}
