//! Time and chance, as the server meets them; tests put their own in their place.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use agentdrop_protocol::Timestamp;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};

/// Tells the time.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    passed: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
    pub fn system() -> Self {
        let now = || {
            let since_epoch = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
        };
        let made = Instant::now();
        Self {
            passed: Arc::new(move || made.elapsed()),
            ..Self::from_fn(now)
        }
    }

    /// A clock of a test.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let now: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(now);
        let (read, epoch) = (Arc::clone(&now), Timestamp::from_millis(0));
        Self {
            now,
            passed: Arc::new(move || read().since(epoch)),
        }
    }

    /// The same, beside which time passes otherwise.
    #[cfg(test)]
    pub(crate) fn passing(self, passed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let passed = Arc::new(passed);
        Self { passed, ..self }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// How much time has passed since some moment: unlike the time of the day, the machine's does
    /// not jump when somebody sets it.
    pub(crate) fn passed(&self) -> Duration {
        (self.passed)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// The operating system gave no random bytes, without which nothing may go on.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoChance;

/// Random bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(bytes)
}

/// A new API key or token.
pub(crate) fn random_key(kind: KeyKind) -> Result<ApiKey, NoChance> {
    ApiKey::new(kind, &random()?).ok_or(NoChance)
}
