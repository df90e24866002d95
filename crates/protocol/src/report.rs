//! What a scan of a file found, as it is written for programs.
//!
//! The fields of the published `ScanResult` are all there, under their names, and mean what they mean
//! there; `findings`, `rule_set` and `strictness` are ours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How bad what was found is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum ThreatLevel {
    /// Nothing was found, which does not say that there is nothing.
    #[default]
    Clean,
    /// Worth a line in a log.
    Low,
    /// Unusual: somebody should look.
    Medium,
    /// Very likely meant to do harm.
    High,
    /// Meant to do harm.
    Critical,
}

impl ThreatLevel {
    /// The level above; the highest stays.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Clean => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// Which part of the scanner a finding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// How much there was to unpack, and how deep.
    ResourceGuard,
    /// What a file is, against what it says that it is.
    FormatValidation,
    /// Programs, macros, and what starts them.
    Code,
    /// Getting at the text: what was hidden, or encoded.
    TextExtraction,
    /// What the text asks of whoever reads it.
    InjectionDetection,
    /// Keys and passwords.
    Secrets,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name, which stays the same from version to version: `injection/override`.
    pub rule: String,
    /// Which part of the scanner found it.
    pub layer: Layer,
    /// How bad it is.
    pub threat_level: ThreatLevel,
    /// How sure the rule is, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub confidence: f32,
    /// Where, from the file inwards: `a.zip › report.docx › word/document.xml`.
    pub place: String,
    /// The line there, from 1 on, where there are lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// A little of what was found, escaped: it is the sender's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Why that is a finding.
    pub reason: String,
    /// What to do about it.
    pub advice: String,
}

/// A finding in a text, as the published clients write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InjectionFinding {
    /// The line, from 1 on.
    pub line: u64,
    /// The rule's name.
    pub pattern_name: String,
    /// How sure the rule is, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub confidence: f32,
    /// A little of what was found, escaped.
    pub matched_text: String,
    /// Why that is a finding.
    pub description: String,
    /// How bad it is.
    pub threat_level: ThreatLevel,
}

/// What one part of the scanner did and found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerDetails {
    /// Whether it found nothing of medium level or above.
    pub passed: bool,
    /// The rules that found something.
    pub flags: Vec<String>,
}

/// What a scan found.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of the published result"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The worst of what was found.
    pub threat_level: ThreatLevel,
    /// Whether the policy keeps it from the agent.
    pub blocked: bool,
    /// Whether the policy lets it through. Not that it is harmless: nobody can say that.
    pub safe: bool,
    /// Whether somebody has to decide about it.
    pub needs_review: bool,
    /// Whether no program that does harm was found.
    pub malware_clean: bool,
    /// What was found in texts.
    pub injection_findings: Vec<InjectionFinding>,
    /// Each finding in one line.
    pub warnings: Vec<String>,
    /// By part of the scanner.
    pub details: BTreeMap<Layer, LayerDetails>,
    /// How long it took, in milliseconds.
    pub scan_time_ms: f64,
    /// How sure the surest rule about a text is, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub intent_score: f32,
    /// What the model says of the worst passage, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub semantic_score: f32,
    /// Nobody keeps one yet.
    pub sender_reputation: Option<f32>,
    /// No text of the sender's goes into a prompt, so there is none.
    pub review_prompt: Option<String>,
    /// Everything that was found, the worst first.
    pub findings: Vec<Finding>,
    /// How many findings there were beyond those.
    pub more_findings: u64,
    /// The version of the rules by which it was judged.
    pub rule_set: String,
}

/// To a thousandth: what is behind that is noise.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn rounded<S: serde::Serializer>(score: &f32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((f64::from(*score) * 1000.0).round() / 1000.0)
}
