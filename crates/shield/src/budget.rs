//! What is left of what one scan may cost.

use std::time::Instant;

use crate::limits::Limits;

/// Why a scan ends before everything was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More came out than may.
    Expanded,
    /// Much came out of little.
    Ratio,
    /// Too many files.
    Entries,
    /// It took too long.
    Time,
}

/// Nothing, or why there is no going on. An extractor hands it on with `?`, and the scan ends.
pub(crate) type Step<T = ()> = Result<T, Stop>;

/// What is left of what one scan may cost.
pub(crate) struct Budget {
    limits: Limits,
    input: u64,
    began: Instant,
    expanded: u64,
    entries: u64,
    until_clock: u64,
}

/// A look at the clock for so many bytes.
const CLOCK_EVERY: u64 = 1 << 18;

impl Budget {
    pub(crate) fn new(limits: Limits, input: u64) -> Self {
        Self {
            limits,
            input,
            began: Instant::now(),
            expanded: 0,
            entries: 0,
            until_clock: CLOCK_EVERY,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// These many bytes came out of a decoder; call it for each buffer, before the next.
    pub(crate) fn expand(&mut self, bytes: u64) -> Step {
        self.expanded = self.expanded.saturating_add(bytes);
        if self.expanded > self.limits.expanded {
            return Err(Stop::Expanded);
        }
        let most = self.input.max(1).saturating_mul(self.limits.ratio);
        if self.expanded > Limits::RATIO_FROM && self.expanded > most {
            return Err(Stop::Ratio);
        }
        self.work(bytes)
    }

    /// One more file of an archive.
    pub(crate) fn entry(&mut self) -> Step {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Stop::Entries);
        }
        self.work(4096)
    }

    /// These many bytes are looked at: looks at the clock now and then.
    pub(crate) fn work(&mut self, bytes: u64) -> Step {
        self.until_clock = self.until_clock.saturating_sub(bytes);
        if self.until_clock == 0 {
            self.until_clock = CLOCK_EVERY;
            let more = self.input / 40_000_000;
            let most = self.limits.time + std::time::Duration::from_secs(more);
            if self.began.elapsed() > most {
                return Err(Stop::Time);
            }
        }
        Ok(())
    }
}
