//! From what was found to what is done about it.

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::ParseError;
use agentdrop_protocol::report::ThreatLevel;
use serde::{Deserialize, Serialize};

/// From which level on something is kept from the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// Critical.
    Permissive,
    /// High and above.
    #[default]
    Standard,
    /// Medium and above.
    Strict,
    /// Whatever was found.
    Paranoid,
}

/// What is done with what is kept from the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is refused, and stays in quarantine.
    #[default]
    Block,
    /// It waits in quarantine until somebody decides.
    Review,
    /// Nothing is scanned; has to be asked for.
    Off,
}

/// What is done about what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// From which level on.
    pub strictness: Strictness,
    /// And what then.
    pub mode: Mode,
}

impl Strictness {
    /// The lowest level that is kept from the agent.
    pub const fn floor(self) -> ThreatLevel {
        match self {
            Self::Permissive => ThreatLevel::Critical,
            Self::Standard => ThreatLevel::High,
            Self::Strict => ThreatLevel::Medium,
            Self::Paranoid => ThreatLevel::Low,
        }
    }

    /// Whether something of this level is kept from the agent.
    pub fn blocks(self, level: ThreatLevel) -> bool {
        level >= self.floor()
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::Standard => "standard",
            Self::Strict => "strict",
            Self::Paranoid => "paranoid",
        }
    }
}

impl fmt::Display for Strictness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strictness {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [
            Self::Permissive,
            Self::Standard,
            Self::Strict,
            Self::Paranoid,
        ];
        let found = all.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| ParseError::new("is none of permissive, standard, strict, paranoid"))
    }
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Review => "review",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [Self::Block, Self::Review, Self::Off];
        let found = all.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| ParseError::new("is none of block, review, off"))
    }
}
