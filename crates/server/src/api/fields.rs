//! Queries and form fields: pairs of texts, read field by field.

use std::fmt::Display;
use std::str::FromStr;

use agentdrop_protocol::error_body::FieldError;

use super::error::{ApiError, Result};

/// Pairs of texts, from which fields are taken; what is wrong is said of all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pairs: Vec<(String, String)>,
    wrong: Vec<FieldError>,
}

impl Fields {
    /// The fields of a query.
    pub(crate) fn of_query(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Self {
            pairs,
            wrong: Vec::new(),
        }
    }

    /// Adds a field.
    pub(crate) fn push(&mut self, name: String, value: String) {
        self.pairs.push((name, value));
    }

    /// All of them, whatever their order was.
    pub(crate) fn sorted(&self) -> Vec<&(String, String)> {
        let mut sorted: Vec<_> = self.pairs.iter().collect();
        sorted.sort();
        sorted
    }

    /// Notes what is wrong with a field.
    pub(crate) fn refuse(&mut self, field: &str, message: impl Display) {
        self.wrong.push(FieldError {
            field: field.to_owned(),
            message: message.to_string(),
        });
    }

    /// The text of a field, if it is there and not empty.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(it, _)| it == name)
            .map(|(_, value)| value);
        let first = values.next().cloned();
        if values.next().is_some() {
            // Two parts of one system that take a different one of them can be played off
            // against each other.
            self.refuse(name, "must be given once");
        }
        first.filter(|it| !it.is_empty())
    }

    /// A field, if it is there; a field that cannot be read counts as wrong.
    pub(crate) fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error);
                None
            }
        }
    }

    /// A field that has to be there.
    pub(crate) fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        if !self
            .pairs
            .iter()
            .any(|(it, value)| it == name && !value.is_empty())
        {
            self.refuse(name, "is required");
            return None;
        }
        self.optional(name)
    }

    /// A number from `least` to `most`.
    pub(crate) fn number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.refuse(
                    name,
                    format_args!("must be a number from {least} to {most}"),
                );
                None
            }
        }
    }

    /// `true` or `false`, in any of the spellings that forms have.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let text = self.text(name)?;
        match &*text.to_ascii_lowercase() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                self.refuse(name, "must be true or false");
                None
            }
        }
    }

    /// Refuses, if anything was wrong.
    pub(crate) fn check(self) -> Result<()> {
        if self.wrong.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.wrong))
        }
    }
}
