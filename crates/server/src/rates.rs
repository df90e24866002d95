//! How often may be asked.
//!
//! Whoever shows a credential that works is counted by it; whoever shows none, or one that does
//! not work, by the address they come from. So nobody uses up what is another's: guessing keys
//! from an address leaves those who have one alone. Each node of several counts for itself.

use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use agentdrop_domain::Credential;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::api::error::{ApiError, Result};
use crate::auth::{ClientAddress, subscriber};
use crate::clock::Clock;
use crate::config::Rates;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// The most that is reckoned with, so that a whole burst of the slowest rate can be told in
/// nanoseconds.
const MOST: NonZeroU32 = NonZeroU32::new(1_000_000).expect("it is not zero");

/// Counts requests.
pub(crate) struct Requests(Option<Limiters>);

struct Limiters {
    clock: Ticks,
    credentials: Limiter<Credential>,
    addresses: Limiter<IpAddr>,
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, StateInformationMiddleware>;

/// The server's clock, as the limiters read it.
#[derive(Clone)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.passed()
    }
}

/// What a request was charged with.
#[derive(Clone, Copy, Debug)]
struct Charge {
    limit: u32,
    remaining: u32,
    /// Until nothing is used up.
    full_in: Duration,
    /// How long to wait, if there was nothing left.
    wait: Option<Duration>,
}

/// Where a request notes what it was charged with, for its answer to tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<OnceLock<Charge>>);

impl Requests {
    /// As often as the operator allows; without `rates`, as often as anybody likes.
    pub(crate) fn new(rates: Option<Rates>, clock: &Clock) -> Self {
        Self(rates.map(|it| {
            let clock = Ticks(clock.clone());
            let credentials = Quota::per_minute(it.per_minute.min(MOST));
            Limiters {
                credentials: limiter(credentials.allow_burst(it.burst.min(MOST)), &clock),
                addresses: limiter(Quota::per_minute(it.anonymous_per_minute.min(MOST)), &clock),
                clock,
            }
        }))
    }

    /// Charges a request to the credential that it came with, which works.
    pub(crate) fn charge_credential(&self, whom: Credential, meter: &Meter) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        meter.note(charge(&limiters.credentials, &whom, &limiters.clock))
    }

    /// Charges a request to the address that it comes from.
    pub(crate) fn charge_address(&self, whom: ClientAddress, meter: &Meter) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        let whom = subscriber(whom.0);
        meter.note(charge(&limiters.addresses, &whom, &limiters.clock))
    }

    /// Forgets whoever has nothing used up, or all who ever asked would fill the memory.
    pub(crate) fn forget(&self) {
        if let Some(limiters) = &self.0 {
            limiters.credentials.retain_recent();
            limiters.credentials.shrink_to_fit();
            limiters.addresses.retain_recent();
            limiters.addresses.shrink_to_fit();
        }
    }
}

impl fmt::Debug for Requests {
    /// Not whom it counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Requests")
    }
}

impl Meter {
    /// The one of a request, which [`observe`](crate::observe) put there.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    fn note(&self, charge: Charge) -> Result<()> {
        // Of two charges the first is told, and each decides for itself.
        self.0.get_or_init(|| charge);
        match charge.wait {
            None => Ok(()),
            Some(wait) => {
                let message = "there were too many requests; wait, and then ask less often";
                Err(ApiError::Limited(wait, message.into()))
            }
        }
    }

    /// Tells in an answer what its request was charged with, if it was.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Some(charge) = self.0.get() else {
            return;
        };
        let seconds = charge.full_in.as_millis().div_ceil(1_000);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        headers.insert(LIMIT, HeaderValue::from(charge.limit));
        headers.insert(REMAINING, HeaderValue::from(charge.remaining));
        headers.insert(RESET, HeaderValue::from(seconds));
    }
}

fn limiter<K: Clone + Eq + Hash>(quota: Quota, clock: &Ticks) -> Limiter<K> {
    RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware()
}

fn charge<K: Clone + Eq + Hash>(limiter: &Limiter<K>, whom: &K, clock: &Ticks) -> Charge {
    let (quota, remaining, wait) = match limiter.check_key(whom) {
        Ok(left) => (left.quota(), left.remaining_burst_capacity(), None),
        Err(not_until) => {
            let wait = not_until.wait_time_from(clock.now());
            (not_until.quota(), 0, Some(wait))
        }
    };
    let limit = quota.burst_size().get();
    Charge {
        limit,
        remaining,
        full_in: quota.replenish_interval() * limit.saturating_sub(remaining),
        wait,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use agentdrop_protocol::{KeyId, Timestamp};

    use super::*;

    fn rates(per_minute: u32, burst: u32, anonymous: u32) -> Rates {
        let number = |it| NonZeroU32::new(it).unwrap();
        Rates {
            per_minute: number(per_minute),
            burst: number(burst),
            anonymous_per_minute: number(anonymous),
        }
    }

    fn frozen() -> (Arc<AtomicI64>, Clock) {
        let millis = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&millis);
        let clock = Clock::from_fn(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
        (millis, clock)
    }

    fn key(byte: u8) -> Credential {
        Credential::Key(KeyId::new(Timestamp::from_millis(1), [byte; 10]))
    }

    fn told(meter: &Meter) -> Vec<String> {
        let mut headers = HeaderMap::new();
        meter.tell(&mut headers);
        let names = [LIMIT, REMAINING, RESET].into_iter();
        let values = names.filter_map(|it| headers.get(it)?.to_str().ok().map(str::to_owned));
        values.collect()
    }

    #[test]
    fn after_the_burst_the_rate_counts() {
        let (millis, clock) = frozen();
        let requests = Requests::new(Some(rates(60, 3, 60)), &clock);
        for (left, full_in) in [("2", "1"), ("1", "2"), ("0", "3")] {
            let meter = Meter::default();
            assert!(requests.charge_credential(key(1), &meter).is_ok());
            assert_eq!(told(&meter), ["3", left, full_in]);
        }
        let meter = Meter::default();
        let refused = requests.charge_credential(key(1), &meter);
        let Err(ApiError::Limited(wait, _)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(wait, Duration::from_secs(1));
        assert_eq!(told(&meter), ["3", "0", "3"]);
        let other = requests.charge_credential(key(2), &Meter::default());
        assert!(other.is_ok(), "each has its own");
        millis.fetch_add(1_000, Ordering::SeqCst);
        for allowed in [true, false] {
            let charged = requests.charge_credential(key(1), &Meter::default());
            assert_eq!(charged.is_ok(), allowed);
        }
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let (_, clock) = frozen();
        let requests = Requests::new(Some(rates(60, 60, 1)), &clock);
        let from = |it: &str| {
            let address = ClientAddress(it.parse().unwrap());
            requests.charge_address(address, &Meter::default()).is_ok()
        };
        assert!(from("2001:db8::1") && !from("2001:db8::2") && from("2001:db8:0:1::1"));
        assert!(from("192.0.2.1") && !from("::ffff:192.0.2.1") && from("192.0.2.2"));
    }

    #[test]
    fn whoever_has_nothing_used_up_is_forgotten() {
        let (millis, clock) = frozen();
        let requests = Requests::new(Some(rates(60, 2, 60)), &clock);
        let count = || requests.0.as_ref().unwrap().credentials.len();
        for it in 0..100 {
            requests
                .charge_credential(key(it), &Meter::default())
                .unwrap();
        }
        requests.forget();
        assert_eq!(count(), 100);
        millis.fetch_add(10_000, Ordering::SeqCst);
        requests
            .charge_credential(key(1), &Meter::default())
            .unwrap();
        requests.forget();
        assert_eq!(count(), 1);
    }

    #[test]
    fn the_slowest_rate_with_the_largest_burst_can_be_reckoned_with() {
        let (_, clock) = frozen();
        let requests = Requests::new(Some(rates(1, u32::MAX, 1)), &clock);
        let meter = Meter::default();
        assert!(requests.charge_credential(key(1), &meter).is_ok());
        assert_eq!(told(&meter), ["1000000", "999999", "60"]);
        let unlimited = Requests::new(None, &clock);
        let meter = Meter::default();
        assert!(unlimited.charge_credential(key(1), &meter).is_ok());
        assert!(told(&meter).is_empty());
    }
}
