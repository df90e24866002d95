//! What the scanner keeps from an agent, and why it could not judge.

use agentdrop_protocol::TransferId;
use agentdrop_shield::ScanError;

use super::shown;
use crate::shield::{Held, Mode};

/// What the scanner keeps from an agent, or why it could not judge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShieldError {
    /// What was received is in quarantine.
    #[error(
        "{} is kept in quarantine: {}", .0.id, shown(&.0.why())
    )]
    Blocked(Box<Held>),
    /// It was received before, and is in quarantine.
    #[error("{0} is in quarantine since it was received")]
    InQuarantine(TransferId),
    /// There is nothing of this transfer in quarantine.
    #[error("there is nothing of {0} in quarantine")]
    NotInQuarantine(TransferId),
    /// Something has to be kept, and there is nowhere to keep it.
    #[error(
        "the scanner would keep {0} from the agent, and there is no folder for a quarantine: {1}"
    )]
    NoQuarantine(TransferId, String),
    /// What is in quarantine is not what was put there.
    #[error("what is kept of {0} in quarantine cannot be used: {1}")]
    Spoiled(TransferId, &'static str),
    /// The rules cannot be used.
    #[error(transparent)]
    Scan(ScanError),
    /// The scanner does not answer.
    #[error("the scanner did not work: {0}")]
    Worker(String),
}

impl ShieldError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Blocked(it) => match it.mode {
                Mode::Review => "SHIELD_REVIEW",
                Mode::Block | Mode::Off => "SHIELD_BLOCKED",
            },
            Self::InQuarantine(_) => "IN_QUARANTINE",
            Self::NotInQuarantine(_) => "NOT_IN_QUARANTINE",
            Self::NoQuarantine(..) => "NO_QUARANTINE",
            Self::Spoiled(..) => "QUARANTINE_SPOILED",
            Self::Scan(_) | Self::Worker(_) => "SCAN_FAILED",
        }
    }

    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Blocked(_) | Self::InQuarantine(_) => {
                "`agentdrop quarantine show` says what was found; `release` hands it out all the same, and `discard` deletes it"
            }
            Self::NotInQuarantine(_) => "`agentdrop quarantine list` says what there is",
            Self::NoQuarantine(..) => "receive it with the identity of an agent, or name a folder",
            Self::Spoiled(..) => "delete it with `agentdrop quarantine discard`",
            Self::Scan(_) | Self::Worker(_) => {
                "nothing was placed; run it again, or without the scanner: `--shield off`"
            }
        }
    }

    /// Whether the same again is refused again.
    pub(super) const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Scan(_) | Self::Worker(_))
    }
}
