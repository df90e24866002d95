//! The rules: loaded and checked once, then never changed.

use crate::detect::signatures::Signatures;
use crate::error::ScanError;
use crate::text::rules::TextRules;

/// By what is judged. Loaded once, shared by all who scan.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) signatures: Signatures,
    pub(crate) text: TextRules,
    version: &'static str,
}

impl RuleSet {
    pub(crate) const VERSION: &str = include_str!("../rules/VERSION").trim_ascii();

    /// Those that come with this version.
    pub fn load() -> Result<Self, ScanError> {
        Ok(Self {
            signatures: Signatures::load()?,
            text: TextRules::load()?,
            version: Self::VERSION,
        })
    }

    /// Which these are.
    pub const fn version(&self) -> &str {
        self.version
    }
}
