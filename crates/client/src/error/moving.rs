//! What goes wrong when an identity is taken to another machine.

use std::path::PathBuf;

use super::text::shown_path;

/// Why an identity was not taken to another machine; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MovingError {
    /// It should be encrypted for somebody whom age does not know.
    #[error("that is no recipient of age: it {0}")]
    Recipient(String),
    /// It should be opened with what is no key of age.
    #[error("there is no secret key of age in it")]
    NoKey,
    /// It is for another key or passphrase, or was changed.
    #[error("the exported identity does not open: it is for another key, or was changed")]
    NotOpened,
    /// It opens, and is nothing that was exported.
    #[error("what was opened is no exported identity: {0}")]
    Malformed(String),
    /// Something is where it should go.
    #[error("there is something in {} already", shown_path(.0))]
    NotEmpty(PathBuf),
}

impl MovingError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Recipient(_) => "AGE_RECIPIENT",
            Self::NoKey => "AGE_KEY",
            Self::NotOpened => "EXPORT_NOT_OPENED",
            Self::Malformed(_) => "EXPORT_MALFORMED",
            Self::NotEmpty(_) => "FOLDER_NOT_EMPTY",
        }
    }

    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Recipient(_) => "`age-keygen` prints one that begins with `age1`",
            Self::NoKey => {
                "it is the file that `age-keygen` writes, with a line `AGE-SECRET-KEY-1...`"
            }
            Self::NotOpened => "check the key or the passphrase, or export it once more",
            Self::Malformed(_) => "it is what `agentdrop keys export` writes",
            Self::NotEmpty(_) => "choose another folder with `--config-dir`",
        }
    }
}
