//! Moments, and how the wire writes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{ParseError, serde_as_text};

/// A moment, in milliseconds since the Unix epoch; RFC 3339 in UTC with milliseconds on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime, example = "2026-04-17T12:00:00.000Z"))]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `after` later; the last there is, where that is too late to be written.
    #[must_use]
    pub fn plus(self, after: Duration) -> Self {
        let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The moment this much earlier.
    #[must_use]
    pub fn minus(self, before: Duration) -> Self {
        let millis = i64::try_from(before.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long it is from `earlier` until this moment; nothing, if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{moment:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let moment: jiff::Timestamp = text
            .parse()
            .map_err(|_| ParseError::new("is not a time like 2026-04-17T12:00:00Z"))?;
        Ok(Self(moment.as_millisecond()))
    }
}

serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_milliseconds_in_utc() {
        let text = "2026-04-17T12:00:00.000Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        assert_eq!(
            Timestamp::from_millis(1).to_string(),
            "1970-01-01T00:00:00.001Z"
        );
        let elsewhere: Timestamp = "2026-04-17T14:00:00+02:00".parse().unwrap();
        assert_eq!(elsewhere.to_string(), text);
    }

    #[test]
    fn no_moment_is_too_late_to_be_written() {
        let last = Timestamp::from_millis(i64::MAX).plus(Duration::MAX);
        assert!(last.to_string().starts_with("9999-12-3"));
    }
}
