//! The months that transfers are counted in.

use agentdrop_protocol::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment};

/// A month of an account: from the day and the time of day that it was made at, in UTC, to the
/// same of the next month. A month that has no such day begins on its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// When it begins.
    pub starts_at: Timestamp,
    /// When the next one begins.
    pub ends_at: Timestamp,
}

impl Cycle {
    /// The month at `now` of an account that was made at `made_at`.
    pub fn at(made_at: Timestamp, now: Timestamp) -> Self {
        // No calendar has moments so far away; they are one month.
        Self::in_calendar(made_at, now).unwrap_or(Self {
            starts_at: made_at,
            ends_at: Timestamp::from_millis(i64::MAX),
        })
    }

    fn in_calendar(made_at: Timestamp, now: Timestamp) -> Option<Self> {
        let (first, today) = (civil(made_at)?, civil(now)?);
        let years = i32::from(today.year()) - i32::from(first.year());
        let months = years * 12 + i32::from(today.month()) - i32::from(first.month());
        // Each is counted from the first: counted from the one before, the 31st would become the
        // 28th in February, and stay that.
        let this_months = nth(first, months)?;
        let (from, to) = if this_months <= now {
            (this_months, nth(first, months + 1)?)
        } else {
            (nth(first, months - 1)?, this_months)
        };
        Some(Self {
            starts_at: from,
            ends_at: to,
        })
    }
}

fn civil(moment: Timestamp) -> Option<DateTime> {
    let moment = Moment::from_millisecond(moment.as_millis()).ok()?;
    Some(moment.to_zoned(TimeZone::UTC).datetime())
}

/// When the month begins that comes so many after the first.
fn nth(first: DateTime, months: i32) -> Option<Timestamp> {
    let begins = first
        .checked_add(Span::new().try_months(months).ok()?)
        .ok()?;
    let begins = begins.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(begins.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(made_at: &str, now: &str) -> [String; 2] {
        let cycle = Cycle::at(made_at.parse().unwrap(), now.parse().unwrap());
        [cycle.starts_at, cycle.ends_at].map(|it| it.to_string())
    }

    #[test]
    fn a_month_begins_on_the_day_and_at_the_time_the_account_was_made() {
        let made = "2026-01-15T10:30:00.123Z";
        for (now, from, to) in [
            (made, "2026-01-15T10:30:00.123Z", "2026-02-15T10:30:00.123Z"),
            (
                "2026-02-15T10:30:00.122Z",
                "2026-01-15T10:30:00.123Z",
                "2026-02-15T10:30:00.123Z",
            ),
            (
                "2026-02-15T10:30:00.123Z",
                "2026-02-15T10:30:00.123Z",
                "2026-03-15T10:30:00.123Z",
            ),
            (
                "2027-01-01T00:00:00Z",
                "2026-12-15T10:30:00.123Z",
                "2027-01-15T10:30:00.123Z",
            ),
        ] {
            assert_eq!(cycle(made, now), [from, to], "{now}");
        }
    }

    #[test]
    fn a_short_month_begins_on_its_last_day_and_the_next_does_not_drift() {
        let made = "2026-01-31T23:59:59.999Z";
        let begins = [
            "2026-01-31T23:59:59.999Z",
            "2026-02-28T23:59:59.999Z",
            "2026-03-31T23:59:59.999Z",
            "2026-04-30T23:59:59.999Z",
            "2026-05-31T23:59:59.999Z",
        ];
        for pair in begins.windows(2) {
            let last: Timestamp = pair[1].parse().unwrap();
            let last = Timestamp::from_millis(last.as_millis() - 1).to_string();
            assert_eq!(cycle(made, pair[0]), pair, "from its first moment");
            assert_eq!(cycle(made, &last), pair, "to its last");
        }
        let leap = cycle("2027-12-29T00:00:00Z", "2028-02-29T00:00:00Z");
        assert_eq!(
            leap,
            ["2028-02-29T00:00:00.000Z", "2028-03-29T00:00:00.000Z"]
        );
        let leap_day = cycle("2028-02-29T12:00:00Z", "2029-02-28T12:00:00Z");
        assert_eq!(
            leap_day,
            ["2029-02-28T12:00:00.000Z", "2029-03-29T12:00:00.000Z"]
        );
    }

    #[test]
    fn every_moment_is_in_the_month_that_it_is_said_to_be_in() {
        let made = Timestamp::from_millis(1_769_903_999_999); // The 31st of January 2026.
        let mut last = Cycle::at(made, made);
        for hour in 0..24 * 800 {
            let now = Timestamp::from_millis(made.as_millis() + hour * 3_600_000);
            let cycle = Cycle::at(made, now);
            assert!(cycle.starts_at <= now && now < cycle.ends_at, "{now}");
            assert!(cycle == last || cycle.starts_at == last.ends_at, "{now}");
            last = cycle;
        }
    }

    #[test]
    fn a_clock_that_is_wrong_does_no_harm() {
        let made = Timestamp::from_millis(1_769_903_999_999);
        let before = Cycle::at(made, Timestamp::from_millis(1_766_000_000_000));
        assert!(before.starts_at < before.ends_at && before.ends_at <= made);
        let never = Cycle::at(made, Timestamp::from_millis(i64::MAX));
        assert_eq!(never.starts_at, made);
    }
}
