//! Why a file is not sent.

/// Why a file cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendProblem {
    /// It became longer or shorter while it was read.
    #[error("changed while it was being sent")]
    Changed,
    /// It is the file of an identity, or of a session.
    #[error("holds a private key, or a session")]
    Keys,
    /// It is a symbolic link in a folder.
    #[error("is a symbolic link, and what it leads to may be anywhere")]
    Link,
    /// Its name cannot be sent.
    #[error("has a name that cannot be sent")]
    Name,
    /// It is a device, a pipe or a socket.
    #[error("is not a regular file")]
    NotAFile,
    /// It is longer than one seal can hold.
    #[error("is too large to be sent")]
    TooLarge,
    /// It is a folder with too much in it.
    #[error("is a folder with more in it than can be sent")]
    TooMany,
}

impl SendProblem {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Changed => "FILE_CHANGED",
            Self::Keys => "HOLDS_KEYS",
            Self::Link => "IS_A_LINK",
            Self::Name => "FILE_NAME",
            Self::NotAFile => "NOT_A_FILE",
            Self::TooLarge => "FILE_TOO_LARGE",
            Self::TooMany => "FOLDER_TOO_LARGE",
        }
    }

    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Changed => "nothing was sent; try again when nobody writes to it",
            Self::Keys => "whoever has it can act as you; it is not sent",
            Self::Link => {
                "leave it out, replace it by what it leads to, or pack the folder yourself: `tar cz … | agentdrop send … -`"
            }
            Self::Name => "rename it: at most 255 bytes of UTF-8, without control characters",
            Self::NotAFile => "copy what it yields into a file first, and send that",
            Self::TooLarge => "split it into parts of less than 64 GiB",
            Self::TooMany => "pack it into an archive first, and send that",
        }
    }
}
