//! The names that agents go by.

use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_SLUG_CHARS;
use crate::{AgentId, ParseError, serde_as_text};

/// The name an agent goes by, unique in its account: 1 to 64 of `A-Z a-z 0-9 . _ -`.
///
/// It does not look like an [`AgentId`], so that a path parameter is one or the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "analysis-agent"))]
pub struct Slug(String);

impl Slug {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
        if text.is_empty() || text.len() > MAX_SLUG_CHARS || !text.chars().all(allowed) {
            return Err(ParseError::new("must be 1 to 64 of A-Z a-z 0-9 . _ -"));
        }
        // They would be the last part of some URL, which is where these two mean another thing.
        if matches!(text, "." | "..") {
            return Err(ParseError::new("must not be . or .."));
        }
        if text.parse::<AgentId>().is_ok() {
            return Err(ParseError::new("must not look like a UUID"));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_as_text!(Slug);

/// How a caller names an agent: by its id, or by its slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentRef {
    /// By id.
    Id(AgentId),
    /// By slug.
    Slug(Slug),
}

impl fmt::Display for AgentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(it) => it.fmt(f),
            Self::Slug(it) => it.fmt(f),
        }
    }
}

impl FromStr for AgentRef {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Slug),
        }
    }
}

serde_as_text!(AgentRef);
#[cfg(feature = "openapi")]
crate::schema_as_text!(AgentRef, "AgentRef", 1, MAX_SLUG_CHARS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_slug_and_what_is_not() {
        for good in ["a", "data-pipeline", "A.b_C-9", &"x".repeat(64)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        let uuid = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
        for bad in [
            "",
            " ",
            "a b",
            "a/b",
            "ä",
            "a\0",
            ".",
            "..",
            uuid,
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
        assert!(matches!(uuid.parse(), Ok(AgentRef::Id(_))));
    }
}
