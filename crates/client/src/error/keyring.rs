//! What goes wrong with what an agent keeps on disk: its own keys, and what it knows of others.

use std::path::PathBuf;

use agentdrop_protocol::AgentId;

use super::text::shown_path;

/// Why what is kept in the folder of an identity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The server has a later bundle of this identity, which was not signed here.
    #[error("the server has later keys of this agent than those in {}", shown_path(.0))]
    Behind(PathBuf),
    /// Another process changes it, for longer than a change takes.
    #[error("another process is changing {}", shown_path(.0))]
    Busy(PathBuf),
    /// Another process changed the keys meanwhile; nothing was changed.
    #[error("another process changed the keys in {}", shown_path(.0))]
    Changed(PathBuf),
    /// There are keys already, which others must not take the place of.
    #[error("there are keys in {} already", shown_path(.0))]
    Exists(PathBuf),
    /// It would become larger than is ever read again.
    #[error("{} is full", shown_path(.0))]
    Full(PathBuf),
    /// There are no keys.
    #[error("there are no keys in {}", shown_path(.0))]
    Missing(PathBuf),
    /// The keys are another agent's.
    #[error("the keys in {} are those of agent {found}, and this is {expected}", shown_path(.path))]
    OtherAgent {
        /// The file.
        path: PathBuf,
        /// Whose keys they are.
        found: AgentId,
        /// Whose they should be.
        expected: AgentId,
    },
    /// The server has keys of this agent already; those that were made for it here were deleted again.
    #[error(
        "the server has keys of this agent that were not made here: those made here were deleted again"
    )]
    NotTaken,
    /// The server has a bundle of this agent that these keys did not sign.
    #[error("the server has keys of this agent that were not signed here")]
    Replaced,
    /// The server has an older bundle of this agent than the one it took.
    #[error("the server has older keys of this agent than those it took from here")]
    RolledBack,
    /// The file cannot be understood.
    #[error("{} cannot be understood: {problem}", shown_path(.path))]
    Spoiled {
        /// The file.
        path: PathBuf,
        /// What is wrong; nothing of what is in it.
        problem: String,
    },
}

impl KeyringError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Behind(_) => "KEYRING_BEHIND",
            Self::Busy(_) => "KEYRING_BUSY",
            Self::Changed(_) => "KEYRING_CHANGED",
            Self::Exists(_) => "KEYRING_EXISTS",
            Self::Full(_) => "KEYRING_FULL",
            Self::Missing(_) => "KEYRING_MISSING",
            Self::OtherAgent { .. } => "KEYRING_OF_ANOTHER",
            Self::NotTaken => "KEYS_NOT_TAKEN",
            Self::Replaced => "OWN_IDENTITY_REPLACED",
            Self::RolledBack => "OWN_BUNDLE_ROLLED_BACK",
            Self::Spoiled { .. } => "KEYRING_SPOILED",
        }
    }

    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Behind(_) => {
                "they were restored from an older copy, or are used in two places: use one alone; to go on with these: `agentdrop keys publish --adopt`"
            }
            Self::Busy(_) | Self::Changed(_) => "try again",
            Self::Exists(_) => "use them, or choose another folder with `--config-dir`",
            Self::Full(_) => "`agentdrop trust reset` forgets agents that you deal with no more",
            Self::Missing(_) => "restore the file from a copy, or register anew",
            Self::OtherAgent { .. } => {
                "one of the two files was copied from elsewhere: put back the one that belongs here"
            }
            Self::NotTaken => {
                "move its keys here with `agentdrop keys export` and `import`, or ask who else has its API key; \
                 until then this agent keeps to the formats of published clients"
            }
            Self::Replaced => {
                "this identity is used elsewhere, or somebody stole its API key: ask who did it before you go on"
            }
            Self::RolledBack => {
                "the server was set back, or does not tell the truth: ask who runs it before you go on"
            }
            Self::Spoiled { .. } => "restore it from a copy; a newer version may have written it",
        }
    }
}
