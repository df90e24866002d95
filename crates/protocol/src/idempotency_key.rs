//! What a caller names a request with, to repeat it without doing it twice.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;
use crate::limits::MAX_IDEMPOTENCY_KEY_CHARS;

/// The name of the header that it travels in.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header of an answer that was given before.
pub const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";

/// What a caller names a request with: 1 to 255 visible ASCII characters.
///
/// It opens the answer that the server keeps for a repetition, so it is best a random UUID, and
/// `Debug` tells nothing of it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 255, pattern = "^[!-~]+$", example = "1b671a64-40d5-491e-99b0-da01ff1f3341"))]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key as text.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey")
    }
}

impl FromStr for IdempotencyKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let visible = text.bytes().all(|it| it.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_IDEMPOTENCY_KEY_CHARS || !visible {
            return Err(ParseError::new("must be 1 to 255 visible ASCII characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_key_and_what_is_not() {
        for good in ["a", "!~", "1b671a64-40d5-491e-99b0", &"x".repeat(255)] {
            assert!(good.parse::<IdempotencyKey>().is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "a b",
            "a\t",
            "a\0",
            "\u{7f}",
            "ä",
            &"x".repeat(256),
        ] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_not_printed_by_accident() {
        let key: IdempotencyKey = "hunter2".parse().unwrap();
        assert!(!format!("{key:?}").contains("hunter2"));
    }
}
