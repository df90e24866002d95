//! The rules: loaded and checked once, then never changed.

use crate::error::ScanError;
use crate::text::rules::TextRules;

/// By what is judged. Loaded once, shared by all who scan.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) text: TextRules,
    version: &'static str,
}

impl RuleSet {
    /// Those that come with this version.
    pub fn load() -> Result<Self, ScanError> {
        Ok(Self {
            text: TextRules::load()?,
            version: include_str!("../rules/VERSION").trim_ascii(),
        })
    }

    /// Which these are.
    pub const fn version(&self) -> &str {
        self.version
    }
}
