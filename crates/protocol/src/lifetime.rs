//! How long a transfer lives: `90m`, `12h`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::limits::{DEFAULT_LIFETIME, MAX_LIFETIME, MIN_LIFETIME};
use crate::{ParseError, serde_as_text};

/// How long a transfer lives, from one minute to a year; `<n>m`, `<n>h` or `<n>d` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 2, max_length = 16, pattern = "^[0-9]+[mhd]$", example = "24h"))]
pub struct Lifetime(Duration);

impl Lifetime {
    /// So many days.
    ///
    /// # Panics
    ///
    /// If that is longer than any transfer lives, or not at all.
    pub const fn from_days(days: u64) -> Self {
        let lifetime = Duration::from_hours(24 * days);
        assert!(days > 0 && lifetime.as_secs() <= MAX_LIFETIME.as_secs());
        Self(lifetime)
    }

    /// The time itself.
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self(DEFAULT_LIFETIME)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() / 60 {
            minutes if minutes % (24 * 60) == 0 => write!(f, "{}d", minutes / (24 * 60)),
            minutes if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

impl FromStr for Lifetime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("must be a number and m, h or d, like 90m, 24h or 7d");
        let unit_seconds = match text.as_bytes().last() {
            Some(b'm') => 60,
            Some(b'h') => 60 * 60,
            Some(b'd') => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let number = text.get(..text.len() - 1).unwrap_or_default();
        // `u64::from_str` would take a sign.
        if number.is_empty() || !number.bytes().all(|it| it.is_ascii_digit()) {
            return Err(wrong());
        }
        let seconds = number
            .parse::<u64>()
            .ok()
            .and_then(|it| it.checked_mul(unit_seconds));
        let lifetime = seconds.map_or(Duration::MAX, Duration::from_secs);
        if lifetime < MIN_LIFETIME || lifetime > MAX_LIFETIME {
            return Err(ParseError::new("must be from 1m to 365d"));
        }
        Ok(Self(lifetime))
    }
}

serde_as_text!(Lifetime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_lifetime_and_what_is_not() {
        for good in ["1m", "90m", "12h", "23h", "1d", "14d", "365d"] {
            assert_eq!(good.parse::<Lifetime>().unwrap().to_string(), good);
        }
        assert_eq!("24h".parse::<Lifetime>().unwrap(), Lifetime::default());
        for bad in [
            "",
            "h",
            "0m",
            "366d",
            "-1h",
            "+1h",
            "1.5h",
            "1 h",
            "1H",
            "1w",
            "99999999999999999999d",
        ] {
            assert!(bad.parse::<Lifetime>().is_err(), "{bad}");
        }
    }
}
