//! Passwords of people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::ParseError;
use crate::limits::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};

/// A password: 8 to 256 characters, as RFC 8265 §4.2 has it.
///
/// In NFC and with ASCII spaces, for one keyboard types `é` as one character and another as two.
/// It cannot be printed, cloned or serialised by accident.
#[derive(PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password. Whoever has this is its owner.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Whether it is this text, however either is capitalised.
    pub fn is_text(&self, text: &str) -> bool {
        let folded = |it: &str| Zeroizing::new(it.nfc().collect::<String>().to_lowercase());
        folded(&self.0) == folded(text)
    }

    /// Writes the password itself; for the field of a request that carries it to the server.
    pub(crate) fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }

    /// The same, where there may be none.
    #[expect(clippy::ref_option, reason = "so serde hands it over")]
    pub(crate) fn serialize_optional<S: Serializer>(
        password: &Option<Self>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match password {
            Some(it) => it.serialize(to),
            None => to.serialize_none(),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl FromStr for Password {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // Before it is normalised, which of a megabyte takes long.
        if text.len() > MAX_PASSWORD_CHARS * 16 {
            return Err(wrong_length());
        }
        let spaced = |it: char| {
            if it.is_whitespace() && !it.is_control() {
                ' '
            } else {
                it
            }
        };
        let text = Zeroizing::new(text.nfc().map(spaced).collect::<String>());
        if text.chars().any(char::is_control) {
            return Err(ParseError::new("must not contain control characters"));
        }
        if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&text.chars().count()) {
            return Err(wrong_length());
        }
        Ok(Self(text))
    }
}

fn wrong_length() -> ParseError {
    ParseError::new(format!(
        "must have {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"
    ))
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(from)?;
        let parsed = text.parse();
        text.zeroize();
        parsed.map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Password {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, schema::Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(MIN_PASSWORD_CHARS))
            .max_length(Some(MAX_PASSWORD_CHARS))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Password {
    fn name() -> std::borrow::Cow<'static, str> {
        "Password".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_password_and_what_is_not() {
        for good in [
            "8 chars!",
            "correct horse battery staple",
            &"ä".repeat(256),
            "🐴🔋📎🐎🐴🔋📎🐎",
        ] {
            assert!(good.parse::<Password>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "7 chars",
            &"x".repeat(257),
            "a password\0",
            "a\npassword",
            &"x".repeat(1 << 20),
        ] {
            assert!(bad.parse::<Password>().is_err(), "{bad}");
        }
    }

    #[test]
    fn however_it_is_typed_it_is_the_same() {
        let composed: Password = "caf\u{e9} au lait".parse().unwrap();
        let decomposed: Password = "cafe\u{301}\u{a0}au\u{3000}lait".parse().unwrap();
        assert_eq!(composed, decomposed);
        let other: Password = "Caf\u{e9} au lait".parse().unwrap();
        assert_ne!(composed, other);
        assert!(composed.is_text("CAFE\u{301} AU LAIT"));
        assert!(!composed.is_text("tea"));
    }

    #[test]
    fn it_is_not_printed_by_accident() {
        let password: Password = "correct horse".parse().unwrap();
        assert_eq!(format!("{password:?}"), "Password");
    }
}
