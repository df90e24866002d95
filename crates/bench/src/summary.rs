//! What a number of requests came to.

use std::time::Duration;

use serde_json::{Value, json};

/// How long each took.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// Percentiles in milliseconds.
    pub(crate) fn percentiles(mut self) -> Value {
        self.0.sort_unstable();
        let at = |thousandths: usize| {
            let place = (self.0.len() * thousandths / 1_000).min(self.0.len().saturating_sub(1));
            self.0.get(place).map(|it| it.as_secs_f64() * 1e3)
        };
        json!({ "p50_ms": at(500), "p90_ms": at(900), "p99_ms": at(990), "max_ms": at(1_000) })
    }
}

/// So many in so long, with how long each took.
pub(crate) fn rate(latencies: Latencies, took: Duration) -> Value {
    let count = u32::try_from(latencies.count()).unwrap_or(u32::MAX);
    let mut found = latencies.percentiles();
    found["count"] = count.into();
    found["seconds"] = took.as_secs_f64().into();
    found["per_second"] = (f64::from(count) / took.as_secs_f64()).into();
    found
}
