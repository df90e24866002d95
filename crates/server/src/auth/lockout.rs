//! How often somebody may try a password, or have a mail sent.
//!
//! Counted in memory, by what is tried and by who tries, and alike for accounts that exist and
//! those that do not. Passwords that are tried, and links to set one, are counted in the database as
//! well where several servers share it: else each server more would be as many guesses more. Each counter refills evenly (the generic cell rate algorithm), so that
//! nobody is shut out for long by what another did.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use agentdrop_protocol::AccountId;
use agentdrop_protocol::text::Email;
use agentdrop_store::Allowance;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{ClientAddress, subscriber};
use crate::api::error::{ApiError, Result};
use crate::clock::Clock;

const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);

const fn allow(most: u32, period: Duration) -> Allowance {
    Allowance { most, period }
}
pub(super) const SIGN_INS_BY_ADDRESS: Allowance = allow(60, QUARTER);
pub(super) const SIGN_INS_BY_BOTH: Allowance = allow(10, QUARTER);
pub(super) const SIGN_INS_BY_EMAIL: Allowance = allow(100, HOUR);
pub(super) const RESETS_BY_ADDRESS: Allowance = allow(20, HOUR);
pub(super) const RESETS_BY_EMAIL: Allowance = allow(5, HOUR);

/// Counts attempts.
#[derive(Debug)]
pub(crate) struct Lockout {
    sign_ins_by_address: Counter<IpAddr>,
    sign_ins_by_both: Counter<(Email, IpAddr)>,
    /// Whatever the address: a guess a minute from each of a thousand machines is many.
    sign_ins_by_email: Counter<Email>,
    resets_by_address: Counter<IpAddr>,
    resets_by_email: Counter<Email>,
    verifications: Counter<AccountId>,
    /// From whom, and to whom.
    pairing_mails: Counter<(AccountId, AccountId)>,
    /// From whom, and to which address: of files that were sent, and of those that became ready.
    sent_mails: Counter<(AccountId, Email)>,
    ready_mails: Counter<(AccountId, Email)>,
    /// Whoever looks many up learns who of them is here.
    lookups: Counter<AccountId>,
    /// Who looked whom up, and when that was counted.
    looked_up: Mutex<HashMap<(AccountId, Email), Duration>>,
    time: Time,
}

/// The server's clock, for the counters. Not the time of the day: set back by a day, it would shut
/// everybody out for as long.
#[derive(Clone, Debug)]
struct Time(Clock);

impl GovernorClock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.passed()
    }
}

impl Lockout {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            sign_ins_by_address: Counter::allowing(SIGN_INS_BY_ADDRESS, clock),
            sign_ins_by_both: Counter::allowing(SIGN_INS_BY_BOTH, clock),
            sign_ins_by_email: Counter::allowing(SIGN_INS_BY_EMAIL, clock),
            resets_by_address: Counter::allowing(RESETS_BY_ADDRESS, clock),
            resets_by_email: Counter::allowing(RESETS_BY_EMAIL, clock),
            verifications: Counter::new(5, HOUR, clock),
            pairing_mails: Counter::new(10, HOUR, clock),
            sent_mails: Counter::new(30, HOUR, clock),
            ready_mails: Counter::new(30, HOUR, clock),
            lookups: Counter::new(120, HOUR, clock),
            looked_up: Mutex::default(),
            time: Time(clock.clone()),
        }
    }

    /// Counts an attempt to give the password of the account with this address, on this server.
    pub(super) fn try_password(&self, email: &Email, from: ClientAddress) -> Result<()> {
        let (email, from) = (email.folded(), subscriber(from.0));
        let counted = self
            .sign_ins_by_address
            .count(&from)
            .and_then(|()| self.sign_ins_by_both.count(&(email.clone(), from)))
            .and_then(|()| self.sign_ins_by_email.count(&email));
        counted.map_err(|wait| limited(wait, "passwords were tried too often; try again later"))
    }

    /// Counts a request for a link to set a password with, on this server.
    pub(super) fn ask_for_reset(&self, email: &Email, from: ClientAddress) -> Result<()> {
        let counted = self
            .resets_by_address
            .count(&subscriber(from.0))
            .and_then(|()| self.resets_by_email.count(&email.folded()));
        counted.map_err(|wait| limited(wait, "links were asked for too often; try again later"))
    }

    /// Counts a request for a link to verify an address with.
    pub(crate) fn ask_for_verification(&self, account: AccountId) -> Result<()> {
        let counted = self.verifications.count(&account);
        counted.map_err(|wait| limited(wait, "links were asked for too often; try again later"))
    }

    /// Whether one account may have another mail of a pairing sent to another; if so, it counts.
    ///
    /// Terms may be proposed, changed and ended as often as anything may be asked, and nobody's
    /// mailbox is to be filled with that: what is not mailed is in the list of pairings all the same.
    pub(crate) fn may_mail_of_pairing(&self, from: AccountId, to: AccountId) -> bool {
        self.pairing_mails.count(&(from, to)).is_ok()
    }

    /// Whether a person may be mailed of another transfer that an account sends them; if so, it
    /// counts.
    ///
    /// To somebody who has an account as many may be sent as the sender's plan allows, and nobody's
    /// mailbox is to be filled with that: what is not mailed is in their inbox all the same.
    pub(crate) fn may_mail_of_files(&self, from: AccountId, to: &Email) -> bool {
        self.sent_mails.count(&(from, to.folded())).is_ok()
    }

    /// The same of a transfer that waited for them, and does no more.
    pub(crate) fn may_mail_of_ready_files(&self, from: AccountId, to: &Email) -> bool {
        self.ready_mails.count(&(from, to.folded())).is_ok()
    }

    /// Counts a question whether somebody can be encrypted for, once an hour for each of them.
    ///
    /// It comes before each transfer to a person, and the published clients send in plaintext if it
    /// is refused: to few people as much may be sent as anybody likes, and it stays encrypted.
    pub(crate) fn look_up(&self, account: AccountId, email: &Email) -> Result<()> {
        let (now, asked) = (self.time.now(), (account, email.folded()));
        let mut looked_up = self
            .looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if looked_up.get(&asked).is_some_and(|at| is_recent(*at, now)) {
            return Ok(());
        }
        let counted = self.lookups.count(&account);
        counted.map_err(|wait| {
            limited(wait, "recipients were looked up too often; try again later")
        })?;
        // Only what was answered: what was refused tells nothing, however often it is asked.
        looked_up.insert(asked, now);
        Ok(())
    }

    /// Forgets whoever has waited long enough.
    pub(crate) fn forget(&self) {
        self.sign_ins_by_address.forget();
        self.sign_ins_by_both.forget();
        self.sign_ins_by_email.forget();
        self.resets_by_address.forget();
        self.resets_by_email.forget();
        self.verifications.forget();
        self.pairing_mails.forget();
        self.sent_mails.forget();
        self.ready_mails.forget();
        self.lookups.forget();
        let now = self.time.now();
        let mut looked_up = self
            .looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        looked_up.retain(|_, at| is_recent(*at, now));
        looked_up.shrink_to_fit();
    }
}

pub(super) fn limited(wait: Duration, message: &'static str) -> ApiError {
    ApiError::Limited(wait, message.into())
}

/// Counts by key: at most so many at once, and as many again in each period.
#[derive(Debug)]
struct Counter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, Time, NoOpMiddleware<Duration>>,
    time: Time,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn allowing(allowed: Allowance, clock: &Clock) -> Self {
        Self::new(allowed.most, allowed.period, clock)
    }

    fn new(most: u32, period: Duration, clock: &Clock) -> Self {
        let burst = NonZeroU32::new(most).expect("it is not zero");
        let quota = Quota::with_period(period / most).expect("it is not zero");
        let time = Time(clock.clone());
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota.allow_burst(burst), time.clone()),
            time,
        }
    }

    /// Counts once more, or answers how long to wait.
    fn count(&self, key: &K) -> Result<(), Duration> {
        let counted = self.limiter.check_key(key);
        counted.map_err(|it| it.wait_time_from(self.time.now()))
    }

    fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

fn is_recent(at: Duration, now: Duration) -> bool {
    now.saturating_sub(at) < HOUR
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use agentdrop_protocol::Timestamp;

    use super::*;

    fn lockout() -> (Lockout, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_790_000_000_000));
        let read = Arc::clone(&now);
        let clock = Clock::from_fn(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
        (Lockout::new(&clock), now)
    }

    fn pass(now: &AtomicI64, time: Duration) {
        now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn email(name: u32) -> Email {
        format!("a{name}@example.org").parse().unwrap()
    }

    fn from(text: &str) -> ClientAddress {
        ClientAddress(text.parse().unwrap())
    }

    #[test]
    fn ten_attempts_at_an_account_from_one_address_and_then_one_each_ninety_seconds() {
        let (lockout, now) = lockout();
        let here = from("192.0.2.1");
        let shouted: Email = "A1@EXAMPLE.ORG".parse().unwrap();
        for n in 0..10 {
            let spelled = if n % 2 == 0 { &shouted } else { &email(1) };
            lockout.try_password(spelled, here).unwrap();
        }
        let refused = lockout.try_password(&email(1), here);
        let Err(ApiError::Limited(wait, _)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(wait, Duration::from_secs(90));
        lockout.try_password(&email(2), here).unwrap();
        lockout.try_password(&email(1), from("192.0.2.2")).unwrap();
        pass(&now, wait);
        lockout.try_password(&email(1), here).unwrap();
        lockout.try_password(&email(1), here).unwrap_err();
    }

    #[test]
    fn one_address_tries_few_accounts_and_one_account_is_tried_from_few_addresses() {
        let (lockout, _) = lockout();
        let tried = (0..100).take_while(|it| {
            // Addresses of one customer are one.
            let here = from(&format!("2001:db8::{it:x}"));
            lockout.try_password(&email(*it), here).is_ok()
        });
        assert_eq!(tried.count(), 60);
        lockout
            .try_password(&email(1), from("2001:db8:0:1::1"))
            .unwrap();
        let tried = (0..200).take_while(|it| {
            let address = from(&format!("198.51.100.{it}"));
            lockout.try_password(&email(200), address).is_ok()
        });
        assert_eq!(tried.count(), 100);
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        let (now, passed) = (
            Arc::new(AtomicI64::new(1_790_000_000_000)),
            Arc::new(AtomicI64::new(0)),
        );
        let (read, counted) = (Arc::clone(&now), Arc::clone(&passed));
        let clock = Clock::from_fn(move || Timestamp::from_millis(read.load(Ordering::SeqCst)))
            .passing(move || Duration::from_millis(counted.load(Ordering::SeqCst).unsigned_abs()));
        let lockout = Lockout::new(&clock);
        let here = from("192.0.2.1");
        for _ in 0..10 {
            lockout.try_password(&email(1), here).unwrap();
        }
        now.fetch_sub(86_400_000, Ordering::SeqCst);
        pass(&passed, Duration::from_secs(90));
        lockout.try_password(&email(1), here).unwrap();
    }

    #[test]
    fn whoever_waited_long_enough_is_forgotten() {
        let (lockout, now) = lockout();
        for n in 0..60 {
            lockout.try_password(&email(n), from("192.0.2.1")).unwrap();
            lockout
                .ask_for_reset(&email(n), from(&format!("192.0.2.{n}")))
                .unwrap();
        }
        lockout.forget();
        assert_eq!(lockout.sign_ins_by_email.limiter.len(), 60);
        assert_eq!(lockout.sign_ins_by_address.limiter.len(), 1);
        pass(&now, 2 * HOUR);
        lockout.forget();
        assert_eq!(lockout.sign_ins_by_both.limiter.len(), 0);
        assert_eq!(lockout.sign_ins_by_email.limiter.len(), 0);
        assert_eq!(lockout.sign_ins_by_address.limiter.len(), 0);
        assert_eq!(lockout.resets_by_email.limiter.len(), 0);
    }
}
