//! What a scan has cost in time.

use std::time::{Duration, Instant};

/// Counts from when it was made, for the thread that made it.
///
/// Where the system says how long this thread has worked, that is what counts: on a machine that is busy
/// with other things no less is looked at. Elsewhere it is the time that went by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    worked: Option<Duration>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            worked: worked(),
        }
    }

    /// How much time this thread took since.
    pub(crate) fn took(&self) -> Duration {
        let worked = worked().zip(self.worked);
        worked.map_or_else(|| self.passed(), |(now, then)| now.saturating_sub(then))
    }

    /// How much time went by since.
    pub(crate) fn passed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// How long this thread has worked.
#[cfg(unix)]
fn worked() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::ThreadCPUTime).try_into().ok()
}

#[cfg(not(unix))]
fn worked() -> Option<Duration> {
    None
}
