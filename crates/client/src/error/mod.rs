//! What can go wrong: a code for programs, a message and a hint for people.
//!
//! Texts of the server, and names of files, are made printable before they stand in a message: both
//! come from strangers, and messages end on terminals.

mod api;
mod config;
mod keyring;
mod moving;
mod peer;
mod person;
mod send;
mod shield;
mod text;
mod transport;
mod trust;

use std::io;
use std::path::PathBuf;

use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::{AgentRef, ErrorCode, FileName, TransferId};
use agentdrop_seal::SealError;

pub use self::api::ApiError;
pub use self::config::ConfigError;
pub use self::keyring::KeyringError;
pub use self::moving::MovingError;
pub use self::peer::{Peer, PeerError};
pub use self::person::PersonError;
pub use self::send::SendProblem;
pub use self::shield::ShieldError;
pub(crate) use self::text::shown;
use self::text::{listed, more, shown_path};
pub use self::transport::{TransportError, TransportProblem};
pub use self::trust::TrustError;

/// The result of whatever this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's answer is not what it must be.
    #[error("the server's answer is not valid: {0}")]
    Answer(String),
    /// The server refused, or failed.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The client is not set up for this.
    #[error(transparent)]
    Config(ConfigError),
    /// There are no files to send, or too many.
    #[error("a transfer has from 1 to {MAX_FILES} files, not {0}")]
    FileCount(usize),
    /// Reading or writing on this machine failed.
    #[error("cannot {doing} {}", shown_path(.path))]
    Io {
        /// What was being done: `read`, `create`.
        doing: &'static str,
        /// What it was being done to.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// What is kept in the folder of the identity cannot be used.
    #[error(transparent)]
    Keyring(KeyringError),
    /// An identity was not taken to another machine.
    #[error(transparent)]
    Moving(MovingError),
    /// There is no such agent, or none that shares files with this one.
    #[error("there is no agent `{0}` that can be sent to from here")]
    NoSuchAgent(AgentRef),
    /// It is for another agent, or for a person.
    #[error("{0} is for `{1}`, and not for this agent")]
    NotTheRecipient(TransferId, String),
    /// What takes one file would get none, or several.
    #[error("it has {0} files, and only one can be written there")]
    NotOneFile(usize),
    /// A received file is not genuine, or is not for this agent; nothing of it was released.
    #[error("`{file}` does not open: it was changed on its way, or was not sealed for this agent")]
    Open {
        /// The file.
        file: FileName,
    },
    /// Another agent, or what it is said to have sent, is not believed.
    #[error(transparent)]
    Peer(PeerError),
    /// It was not sent to a person, or did not open for one.
    #[error(transparent)]
    Person(PersonError),
    /// There is more than one thing in a folder that cannot be sent.
    #[error(
        "{} has {count} symbolic links or special files: {}{}", shown_path(.folder), listed(.first),
        more(.count - .first.len())
    )]
    Irregular {
        /// The folder.
        folder: PathBuf,
        /// The first of them, below the folder.
        first: Vec<PathBuf>,
        /// How many there are.
        count: usize,
    },
    /// The server ended an upload: it was deleted, or its time was over.
    #[error("{0} was ended at the server before all of it was sent")]
    UploadEnded(TransferId),
    /// Another process receives it into the same folder.
    #[error("{0} is being received into this folder already")]
    Receiving(TransferId),
    /// Sealing failed.
    #[error("cannot seal the file")]
    Seal(#[from] SealError),
    /// A file cannot be sent.
    #[error("{} {problem}", shown_path(.path))]
    Send {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: SendProblem,
    },
    /// The scanner keeps it from the agent, or could not judge.
    #[error(transparent)]
    Shield(ShieldError),
    /// The server could not be talked to.
    #[error(transparent)]
    Transport(TransportError),
    /// What the server says contradicts what it said, or what is known here; nothing was sent or released.
    #[error(transparent)]
    Trust(TrustError),
}

impl Error {
    /// What kind of error it is, for programs; a promise.
    ///
    /// What the server answered keeps the server's code, an [`ErrorCode`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Answer(_) => "BAD_ANSWER",
            Self::Api(error) => error.code.as_str(),
            Self::Config(error) => error.code(),
            Self::FileCount(_) => "FILE_COUNT",
            Self::Io { .. } => "IO",
            Self::Irregular { .. } => "IS_A_LINK",
            Self::NoSuchAgent(_) => "NO_SUCH_AGENT",
            Self::NotOneFile(_) => "NOT_ONE_FILE",
            Self::NotTheRecipient(..) => "NOT_THE_RECIPIENT",
            Self::Open { .. } => "OPEN_REFUSED",
            Self::Keyring(error) => error.code(),
            Self::Moving(error) => error.code(),
            Self::Peer(error) => error.code(),
            Self::Person(error) => error.code(),
            Self::UploadEnded(_) => "UPLOAD_ENDED",
            Self::Receiving(_) => "ALREADY_RECEIVING",
            Self::Seal(_) => "SEAL_FAILED",
            Self::Send { problem, .. } => problem.code(),
            Self::Shield(error) => error.code(),
            Self::Transport(error) => error.problem.code(),
            Self::Trust(error) => error.code(),
        }
    }

    /// What to do about it, if there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Answer(_) => Some("check that the address is that of an AgentDrop server".into()),
            Self::Api(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull => Some("make room on the disk, and try again".into()),
                io::ErrorKind::PermissionDenied => {
                    Some("check who may read and write there".into())
                }
                _ => None,
            },
            Self::Irregular { .. } => Some(SendProblem::Link.hint().into()),
            Self::NoSuchAgent(_) => Some("`agentdrop agents` lists those that can".into()),
            Self::NotOneFile(_) => Some("receive it into a folder".into()),
            Self::NotTheRecipient(_, recipient) => Some(if recipient.contains('@') {
                "a person opens it, with `agentdrop open`".into()
            } else {
                "receive it with the identity of that agent".into()
            }),
            Self::Open { .. } => {
                Some("nothing was written; ask the sender to send it again".into())
            }
            Self::FileCount(count) => {
                (*count > MAX_FILES).then(|| "pack them into an archive, and send that".into())
            }
            Self::Keyring(error) => Some(error.hint().into()),
            Self::Moving(error) => Some(error.hint().into()),
            Self::Peer(error) => Some(error.hint()),
            Self::Person(error) => Some(error.hint().into()),
            Self::UploadEnded(_) => Some("send it again; it begins anew then".into()),
            Self::Receiving(_) => Some("wait for the other to end, or name another folder".into()),
            Self::Seal(_) => None,
            Self::Send { problem, .. } => Some(problem.hint().into()),
            Self::Shield(error) => Some(error.hint().into()),
            Self::Transport(error) => Some(error.problem.hint().into()),
            Self::Trust(error) => error.hint().map(Into::into),
        }
    }

    /// Whether it was refused, here or there, so that the same again is refused again.
    ///
    /// What is not a refusal is broken: the network, the disk, the server.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Api(error) => {
                // Too many requests go through later; a month's transfers are used up.
                let is_later = error.status == 429 && error.code == ErrorCode::RateLimited;
                error.is_of_api() && error.status < 500 && !is_later
            }
            Self::Shield(error) => error.is_refusal(),
            Self::Config(_)
            | Self::FileCount(_)
            | Self::Irregular { .. }
            | Self::NoSuchAgent(_)
            | Self::NotOneFile(_)
            | Self::NotTheRecipient(..)
            | Self::Open { .. }
            | Self::Keyring(_)
            | Self::Moving(_)
            | Self::Peer(_)
            | Self::Person(_)
            | Self::Receiving(_)
            | Self::Send { .. }
            | Self::Trust(_) => true,
            Self::Answer(_)
            | Self::Io { .. }
            | Self::Seal(_)
            | Self::Transport(_)
            | Self::UploadEnded(_) => false,
        }
    }

    /// Answers what wraps an I/O error with what was being done to what.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

macro_rules! wrapped {
    ($($inner:ty => $variant:ident),*) => {
        $(impl From<$inner> for Error {
            fn from(error: $inner) -> Self {
                Self::$variant(error.into())
            }
        })*
    };
}

wrapped!(ApiError => Api, ConfigError => Config, KeyringError => Keyring, MovingError => Moving, PeerError => Peer, PersonError => Person, ShieldError => Shield, TransportError => Transport, TrustError => Trust);
