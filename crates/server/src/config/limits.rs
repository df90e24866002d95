//! How much the server takes, how often and for how long.

use std::num::NonZeroU32;
use std::time::Duration;

use agentdrop_protocol::limits::MAX_SEALED_BYTES;

/// How often may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Requests a minute with one credential, for as long as they come.
    pub per_minute: NonZeroU32,
    /// Requests at once with one credential, after a quiet while.
    pub burst: NonZeroU32,
    /// Requests a minute from one address without a credential that works.
    pub anonymous_per_minute: NonZeroU32,
}

impl Default for Rates {
    fn default() -> Self {
        let number = |it| NonZeroU32::new(it).expect("it is not zero");
        Self {
            per_minute: number(600),
            burst: number(120),
            anonymous_per_minute: number(60),
        }
    }
}

/// What the server takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one file, as it is sent.
    pub max_file_bytes: u64,
    /// Connections at a time, of all callers together.
    pub max_connections: usize,
    /// Connections at a time from one address; a proxy in front counts as one.
    pub max_connections_per_address: usize,
    /// How long it waits.
    pub timeouts: Timeouts,
    /// A blob that belongs to no transfer is deleted at this age: another server may still be about to
    /// write down whose it is. Seconds lie between the two, and some more where a database is waited
    /// for.
    pub orphan_age: Duration,
}

/// How long the server waits for those it speaks to.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A connection that says nothing for so long is closed.
    pub first_byte: Duration,
    /// A request's head has to come within this.
    pub head: Duration,
    /// Each 30 KiB of a body may be waited for this long.
    pub body: Duration,
    /// A peer that takes nothing of what is sent to it for so long is closed.
    pub stalled: Duration,
    /// What still comes of a body that was refused is taken for so long, and thrown away, so that
    /// its sender reads the answer rather than a reset connection.
    pub linger: Duration,
    /// Once it is told to stop, it says so for so long before it does: a balancer in front sends
    /// its callers elsewhere meanwhile.
    pub drain: Duration,
    /// Requests under way when the server stops may take so long.
    pub grace: Duration,
    /// How often it looks for what other servers on its database wrote and did not tell it of.
    pub unheard: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            stalled: Duration::from_mins(1),
            linger: Duration::from_secs(5),
            drain: Duration::ZERO,
            grace: Duration::from_secs(30),
            unheard: Duration::from_millis(500),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: MAX_SEALED_BYTES,
            max_connections: 4_096,
            max_connections_per_address: 1_024,
            timeouts: Timeouts::default(),
            orphan_age: Duration::from_hours(24),
        }
    }
}
