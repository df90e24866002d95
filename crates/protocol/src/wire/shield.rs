//! What a published client reports of its own scan, and what it is answered.
//!
//! The report says nothing of what is in the file but how it was judged. What else it carries, hashes
//! of the file and of its name among it, is neither read nor kept.

use serde::{Deserialize, Deserializer, Serialize};

use crate::report::ThreatLevel;

/// What a client's own scanner found in a file, without the file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalyzeScan {
    /// What it came to.
    pub local_verdict: LocalVerdict,
}

/// What a client's own scanner came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocalVerdict {
    /// The worst level that it found.
    pub threat: ThreatLevel,
    /// How sure it is, from 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    #[serde(default, deserialize_with = "share")]
    pub score: f64,
}

/// What to think of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanVerdict {
    /// In a word.
    pub verdict: Verdict,
    /// How sure that is, from 0 to 1.
    pub score: f64,
    /// Whether it may be read.
    pub safe: bool,
    /// What the server added to the score, and why.
    pub adjustments: Adjustments,
    /// What to do.
    pub recommendations: Vec<Recommendation>,
}

/// What to think of a file, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing of weight was found.
    Clean,
    /// Somebody should look.
    Suspicious,
    /// It should not be read.
    Dangerous,
    /// It must not be read.
    Blocked,
}

/// What was added to the score. This server keeps nothing of anybody's files, so it adds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Adjustments {
    /// For who sent it.
    pub sender_reputation: f64,
    /// For what others received.
    pub cross_user_intelligence: f64,
    /// For what was found.
    pub server_weighting: f64,
}

/// What to do about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// Look at it.
    ReviewFile,
    /// Keep it from the agent.
    QuarantineFile,
}

impl AnalyzeScan {
    /// What to think of a file that was judged like this.
    pub fn verdict(&self) -> ScanVerdict {
        let LocalVerdict { threat, score } = self.local_verdict;
        let (verdict, recommendations) = match threat {
            ThreatLevel::Clean | ThreatLevel::Low => (Verdict::Clean, vec![]),
            ThreatLevel::Medium => (Verdict::Suspicious, vec![Recommendation::ReviewFile]),
            ThreatLevel::High => (Verdict::Dangerous, vec![Recommendation::QuarantineFile]),
            ThreatLevel::Critical => (Verdict::Blocked, vec![Recommendation::QuarantineFile]),
        };
        ScanVerdict {
            verdict,
            score,
            safe: threat < ThreatLevel::High,
            adjustments: Adjustments::default(),
            recommendations,
        }
    }
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&share) {
        return Ok(share);
    }
    Err(serde::de::Error::custom("is not from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_high_is_not_safe_and_what_is_below_is() {
        let of = |threat: &str| {
            let report = format!(
                r#"{{"localVerdict": {{"threat": "{threat}", "score": 0.5, "safe": true}}, "senderId": "x"}}"#
            );
            serde_json::from_str::<AnalyzeScan>(&report)
                .unwrap()
                .verdict()
        };
        assert_eq!(
            (of("MEDIUM").verdict, of("MEDIUM").safe),
            (Verdict::Suspicious, true)
        );
        assert_eq!(
            (of("HIGH").verdict, of("HIGH").safe),
            (Verdict::Dangerous, false)
        );
        let wrong = r#"{"localVerdict": {"threat": "HIGH", "score": 1.5}}"#;
        serde_json::from_str::<AnalyzeScan>(wrong).unwrap_err();
    }
}
