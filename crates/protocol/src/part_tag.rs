//! What one try to upload a part is told apart from every other by.

use std::fmt;
use std::str::FromStr;

use crate::{ParseError, serde_as_text};

/// Names what came with one upload of a part, and is its `ETag`.
///
/// It is drawn by chance and says nothing of the bytes: a digest of what nobody encrypted would
/// tell whoever reads the database what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartTag([u8; 16]);

impl PartTag {
    /// The one of these random bytes.
    pub const fn new(chance: [u8; 16]) -> Self {
        Self(chance)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether this is what `etag` says, with the quotes of its header field or without.
    pub fn is(&self, etag: &str) -> bool {
        let quoted = etag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        quoted.unwrap_or(etag) == self.to_string()
    }
}

impl fmt::Display for PartTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for PartTag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let number = u128::from_str_radix(text, 16).ok();
        let tag = number.map(|it| Self(it.to_be_bytes()));
        // One spelling a tag.
        tag.filter(|it| it.to_string() == text)
            .ok_or_else(|| ParseError::new("is not 32 hexadecimal digits in lower case"))
    }
}

serde_as_text!(PartTag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_in_no_other_spelling() {
        let tag = PartTag::new([0, 0xab, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        let text = tag.to_string();
        assert_eq!(text, "00ab030405060708090a0b0c0d0e0f10");
        assert_eq!(text.parse(), Ok(tag));
        for bad in [
            &text.to_uppercase(),
            text.trim_start_matches('0'),
            "",
            "+0ab030405060708090a0b0c0d0e0f1",
        ] {
            assert!(bad.parse::<PartTag>().is_err(), "{bad}");
        }
    }

    #[test]
    fn quotes_make_no_difference() {
        let tag = PartTag::new([7; 16]);
        assert!(tag.is(&tag.to_string()) && tag.is(&format!("\"{tag}\"")));
        for other in [
            "",
            "\"",
            "\"\"",
            "0707",
            &format!("\"{tag}"),
            &format!("W/\"{tag}\""),
        ] {
            assert!(!tag.is(other), "{other}");
        }
    }
}
