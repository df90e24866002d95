//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use agentdrop_protocol::Timestamp;
use agentdrop_server::Clock;

/// A clock that stands still until a test moves it. Clones share it.
#[derive(Clone, Debug)]
pub struct FrozenClock(Arc<AtomicI64>);

impl FrozenClock {
    /// A clock that stands at the 17th of April 2026, noon.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_776_427_200_000)))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a test moves the clock by less");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// The clock, as a server takes it.
    pub fn to_clock(&self) -> Clock {
        let clock = self.clone();
        Clock::from_fn(move || clock.now())
    }
}

impl Default for FrozenClock {
    fn default() -> Self {
        Self::new()
    }
}
