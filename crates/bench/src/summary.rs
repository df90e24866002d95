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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_that_was_measured() {
        let mut all = Latencies::default();
        for millis in (1..=1_000).rev() {
            all.push(Duration::from_millis(millis));
        }
        let found = rate(all, Duration::from_secs(2));
        let figures =
            ["p50_ms", "p90_ms", "p99_ms", "max_ms", "per_second"].map(|it| found[it].as_f64());
        assert_eq!(figures, [501.0, 901.0, 991.0, 1_000.0, 500.0].map(Some));
    }

    #[test]
    fn of_nothing_there_are_no_percentiles() {
        let found = rate(Latencies::default(), Duration::from_secs(1));
        assert!(found["p99_ms"].is_null() && found["count"] == 0);
    }
}
