//! Where in a list the next page begins.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::MAX_CURSOR_CHARS;
use crate::{ParseError, serde_as_text};

/// The first byte of every cursor that is made here.
const VERSION: u8 = 1;

/// Behind which entry the next page of a list begins: `base64url(version ‖ position)`.
///
/// It stays good while entries come and go, where a count of entries to pass over shows some twice.
/// To clients it is a text that they send back as it came; only the server that made it looks in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$", example = "AQGanz5cGnstjk-hssPU5fY"))]
pub struct Cursor(String);

/// What an entry of a list is found by: an id, or a number that only grows.
pub trait Position: Sized {
    /// The bytes of it.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads what [`Position::to_bytes`] made.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Cursor {
    /// The cursor behind an entry.
    pub fn behind(position: &impl Position) -> Self {
        let mut bytes = vec![VERSION];
        bytes.extend(position.to_bytes());
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The entry that it stands behind, in a list of these.
    pub fn position<P: Position>(&self) -> Result<P, ParseError> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).unwrap_or_default();
        let position = match bytes.split_first() {
            Some((&VERSION, rest)) => P::from_bytes(rest),
            _ => None,
        };
        position.ok_or_else(|| ParseError::new("is not a cursor of this list"))
    }

    /// The cursor as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
        if text.is_empty() || text.len() > MAX_CURSOR_CHARS || !text.bytes().all(plain) {
            return Err(ParseError::new("is not a cursor"));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_as_text!(Cursor);

impl Position for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, TransferId};

    #[test]
    fn a_position_is_read_back_from_its_cursor() {
        let id = TransferId::new(Timestamp::from_millis(1), [7; 10]);
        let sent: Cursor = Cursor::behind(&id).to_string().parse().unwrap();
        assert_eq!(sent.position(), Ok(id));
        for number in [0, 1, -1, i64::MAX] {
            let sent: Cursor = Cursor::behind(&number).to_string().parse().unwrap();
            assert_eq!(sent.position(), Ok(number));
        }
    }

    #[test]
    fn what_is_no_cursor_of_a_list_is_refused() {
        let id = TransferId::new(Timestamp::from_millis(1), [7; 10]);
        let (ids, numbers) = (Cursor::behind(&id), Cursor::behind(&7));
        assert!(ids.position::<i64>().is_err());
        assert!(numbers.position::<TransferId>().is_err());
        for bad in ["", "=", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
        for odd in ["A", "AQ", "AgAAAAAAAAAH", "AQAAAAAAAAAHAA", "zzzz"] {
            let odd: Cursor = odd.parse().unwrap();
            assert!(odd.position::<i64>().is_err(), "{odd}");
            assert!(odd.position::<TransferId>().is_err(), "{odd}");
        }
    }
}
