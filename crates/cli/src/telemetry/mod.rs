//! What a server says of itself: logs to standard error, and traces to a collector that the
//! environment names.

#[cfg(feature = "otel")]
mod traces;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::exit::Result;

/// Logs and traces until it is stopped.
pub(crate) struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Begins to log: text on a terminal, else one JSON object a line.
    pub(crate) fn start() -> Result<Self> {
        let filter = EnvFilter::try_from_default_env()
            .unwrap_or_else(|_| EnvFilter::new("info,refinery_core=warn"));
        let terminal = io::stderr().is_terminal();
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(terminal);
        let lines = if terminal {
            lines.boxed()
        } else {
            lines.json().with_span_list(false).boxed()
        };
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
        #[cfg(feature = "otel")]
        let (subscriber, traces) = {
            let traces = traces::Traces::start()?;
            (
                subscriber.with(traces.as_ref().map(traces::Traces::layer)),
                traces,
            )
        };
        // That there is one already can only be in a test.
        drop(subscriber.try_init());
        Ok(Self {
            #[cfg(feature = "otel")]
            traces,
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
