//! The rules about text, which are data.

use agentdrop_protocol::report::ThreatLevel;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::error::ScanError;

/// A rule about text.
#[derive(Debug)]
pub(crate) struct TextRule {
    pub(crate) id: String,
    pub(crate) level: ThreatLevel,
    pub(crate) confidence: f32,
    pub(crate) pattern: Regex,
    pub(crate) reason: String,
}

/// All rules about text.
#[derive(Debug)]
pub(crate) struct TextRules(Vec<TextRule>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    level: ThreatLevel,
    confidence: f32,
    pattern: String,
    reason: String,
}

impl TextRules {
    pub(crate) fn load(file: &str, text: &str) -> Result<Self, ScanError> {
        let wrong = |why: String| ScanError::Rules {
            file: file.to_owned(),
            why,
        };
        let read: File = toml::from_str(text).map_err(|it| wrong(it.to_string()))?;
        let rules = read.rule.into_iter().map(|it| {
            let pattern = RegexBuilder::new(&it.pattern)
                .case_insensitive(true)
                .build();
            Ok(TextRule {
                pattern: pattern.map_err(|error| wrong(format!("{}: {error}", it.id)))?,
                id: it.id,
                level: it.level,
                confidence: it.confidence,
                reason: it.reason,
            })
        });
        Ok(Self(rules.collect::<Result<_, ScanError>>()?))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TextRule> {
        self.0.iter()
    }
}
