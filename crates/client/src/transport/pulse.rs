//! Whether an upload moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

/// Beats whenever an upload moves, for reqwest's own idle time-out does not know of uploads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns when it did not beat for `idle`, up to twice that.
    pub(super) async fn stopped(&self, idle: Duration) {
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            sleep(idle).await;
            let beats = self.0.load(Ordering::Relaxed);
            if beats == last {
                return;
            }
            last = beats;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pulse_stops_when_it_does_not_beat() {
        let pulse = Pulse::default();
        let idle = Duration::from_mins(1);
        let beating = async {
            for _ in 0..5 {
                sleep(idle / 2).await;
                pulse.beat();
            }
        };
        tokio::select! {
            () = pulse.stopped(idle) => panic!("it did beat"),
            () = beating => {}
        }
        pulse.stopped(idle).await;
    }
}
