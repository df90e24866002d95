//! Tokens that stand in mailed links.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer};

use crate::ParseError;
use crate::api_key::{ApiKey, KeyKind};

/// What a mailed link carries: `agl_…`. It works for whoever reads the mail: once where it verifies
/// an address or sets a password, and as long as they are there where it leads to files.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkToken(ApiKey);

impl LinkToken {
    /// A new token; `None` where the chance is spent, as with [`ApiKey::new`].
    pub fn new(chance: &[u8; 64]) -> Option<Self> {
        ApiKey::new(KeyKind::MailedLink, chance).map(Self)
    }

    /// The token as a key.
    pub const fn as_key(&self) -> &ApiKey {
        &self.0
    }

    /// Writes the token itself; for the field of a request that carries it to the server.
    pub(crate) fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }

    /// The same, where there may be none.
    #[expect(clippy::ref_option, reason = "so serde hands it over")]
    pub(crate) fn serialize_optional<S: Serializer>(
        it: &Option<Self>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match it {
            Some(it) => it.serialize(to),
            None => to.serialize_none(),
        }
    }
}

impl FromStr for LinkToken {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let key: ApiKey = text.parse()?;
        if key.kind() == KeyKind::MailedLink {
            Ok(Self(key))
        } else {
            Err(ParseError::new("is a key, and not what a mailed link has"))
        }
    }
}

impl<'de> Deserialize<'de> for LinkToken {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for LinkToken {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^agl_[0-9A-Za-z]{38}$"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for LinkToken {
    fn name() -> std::borrow::Cow<'static, str> {
        "LinkToken".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_no_link() {
        let chance = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let token = LinkToken::new(&chance).unwrap();
        let text = token.as_key().expose_secret().to_owned();
        assert!(text.starts_with("agl_"));
        assert_eq!(text.parse(), Ok(token));
        let key = ApiKey::new(KeyKind::Session, &chance).unwrap();
        assert!(key.expose_secret().parse::<LinkToken>().is_err());
    }
}
