//! What can go wrong: a code for programs, a message and a hint for people.
//!
//! Texts of the server, and names of files, are made printable before they stand in a message: both
//! come from strangers, and messages end on terminals.

mod api;
mod keyring;
mod peer;
mod person;
mod send;
mod transport;

use std::io;
use std::path::{Path, PathBuf};

use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::{AgentRef, ErrorCode, FileName, TransferId};
use agentdrop_seal::SealError;

pub use self::api::ApiError;
pub use self::keyring::KeyringError;
pub use self::peer::{Peer, PeerError};
pub use self::person::PersonError;
pub use self::send::SendProblem;
pub use self::transport::{TransportError, TransportProblem};

/// Characters of a server's message that are repeated; a longer one is no message.
const MAX_MESSAGE_CHARS: usize = 1_000;
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
    /// The server could not be talked to.
    #[error(transparent)]
    Transport(TransportError),
    /// What the server says contradicts what it said, or what is known here; nothing was sent or released.
    #[error(transparent)]
    Trust(TrustError),
}

/// How the client is not set up for something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no home folder to keep a session in.
    #[error("there is no home folder to keep a session in")]
    NoHome,
    /// There is an identity where one should be made.
    #[error("there is an identity in {} already", shown_path(.0))]
    IdentityExists(PathBuf),
    /// The identity's file cannot be understood.
    #[error("{} is not an identity: {problem}", shown_path(.path))]
    IdentityFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The two keys in the identity's file do not belong together.
    #[error("the public key in {} does not belong to the private key beside it", shown_path(.0))]
    KeysDiffer(PathBuf),
    /// What was asked for needs an API key.
    #[error("no API key is set")]
    NoApiKey,
    /// What was asked for needs an identity, and there is none.
    #[error("there is no identity")]
    NoIdentity,
    /// The file belongs to another user, who could have put it there to be believed.
    #[error("{} belongs to another user", shown_path(.0))]
    NotOurs(PathBuf),
    /// An API key would cross a network for everyone to read.
    #[error("{0} is not encrypted, and an API key must not cross a network in the clear")]
    PlainHttp(String),
    /// The system has no certificates to know servers by.
    #[error("the system has no certificates to know the server by")]
    Roots,
    /// The server's address cannot be understood.
    #[error("`{url}` is not the address of a server: {problem}")]
    ServerUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The HTTP client could not be built.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// Others than the owner can read a private key.
    #[error("others can read the private key in {}", shown_path(.0))]
    TooOpen(PathBuf),
}

/// How what the server says contradicts what it said, or what is known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The grant has other files than the transfer that was announced.
    #[error("the files of {0} are not those that were announced")]
    Changed(TransferId),
    /// The channel cannot be used.
    #[error("the channel with the recipient is {0}")]
    ChannelClosed(&'static str),
    /// It was announced as encrypted, and comes without encryption.
    #[error("{0} was announced as encrypted, and the server hands it out as plaintext")]
    Downgrade(TransferId),
    /// The recipient has no key to seal with; plaintext is never sent instead.
    #[error("`{0}` has no encryption key, so nothing can be sealed for it")]
    E2eeUnavailable(String),
    /// A file's address is one that bytes must not be fetched from.
    #[error("the server sends to {0} for a file, which is neither encrypted nor its own")]
    ForeignUrl(String),
    /// Something without which a sealed file cannot be opened is missing or malformed.
    #[error("{transfer} cannot be opened: {what}")]
    Incomplete {
        /// The transfer.
        transfer: TransferId,
        /// What is wrong.
        what: &'static str,
    },
    /// The server has another key for this agent than the identity.
    #[error("the server has another key for this agent than its identity")]
    OwnKeyDiffers,
    /// The server gives two keys for the other agent.
    #[error("the server gives two different keys for the other agent")]
    PeerKeyDiffers,
    /// It is not encrypted, and the caller did not say that it may be so.
    #[error("{0} is not encrypted by its sender")]
    Plaintext(TransferId),
    /// It was sealed for a key that this agent had, or never had.
    #[error("{0} was sealed for another key than this agent's")]
    SealedForAnotherKey(TransferId),
    /// It was sealed in a way that this version does not know.
    #[error("{transfer} was sealed with `{algorithm}`, which is not known here")]
    UnknownAlgorithm {
        /// The transfer.
        transfer: TransferId,
        /// What the sender used, made printable.
        algorithm: String,
    },
    /// The channel is one between others.
    #[error("{0} was sealed for a channel that this agent has no part in")]
    WrongChannel(TransferId),
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
            Self::Peer(error) => error.code(),
            Self::Person(error) => error.code(),
            Self::UploadEnded(_) => "UPLOAD_ENDED",
            Self::Receiving(_) => "ALREADY_RECEIVING",
            Self::Seal(_) => "SEAL_FAILED",
            Self::Send { problem, .. } => problem.code(),
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
            Self::Peer(error) => Some(error.hint()),
            Self::Person(error) => Some(error.hint().into()),
            Self::UploadEnded(_) => Some("send it again; it begins anew then".into()),
            Self::Receiving(_) => Some("wait for the other to end, or name another folder".into()),
            Self::Seal(_) => None,
            Self::Send { problem, .. } => Some(problem.hint().into()),
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
            Self::Config(_)
            | Self::FileCount(_)
            | Self::Irregular { .. }
            | Self::NoSuchAgent(_)
            | Self::NotOneFile(_)
            | Self::NotTheRecipient(..)
            | Self::Open { .. }
            | Self::Keyring(_)
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

impl ConfigError {
    const fn code(&self) -> &'static str {
        match self {
            Self::IdentityExists(_) => "IDENTITY_EXISTS",
            Self::IdentityFile { .. } => "IDENTITY_FILE",
            Self::KeysDiffer(_) => "KEYS_DIFFER",
            Self::NoApiKey => "NO_API_KEY",
            Self::NoHome => "NO_HOME",
            Self::NoIdentity => "NO_IDENTITY",
            Self::NotOurs(_) => "FILE_NOT_OURS",
            Self::PlainHttp(_) => "PLAIN_HTTP",
            Self::Roots => "NO_CERTIFICATES",
            Self::ServerUrl { .. } => "SERVER_URL",
            Self::Tls(_) => "TLS",
            Self::TooOpen(_) => "FILE_TOO_OPEN",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::IdentityExists(_) => "choose another folder with `--config-dir`".into(),
            Self::IdentityFile { .. } => "restore it from a copy, or register anew".into(),
            Self::KeysDiffer(_) => {
                "restore the file from a copy: one of the keys was changed".into()
            }
            Self::NoApiKey => {
                "set AGENTDROP_API_KEY, give `--api-key`, or sign in with `agentdrop login`".into()
            }
            Self::NoHome => "name a folder with `--config-dir`".into(),
            Self::NoIdentity => "make one with `agentdrop register`".into(),
            Self::NotOurs(path) => format!(
                "if you trust it: chown \"$(id -u)\" {}",
                shell_quoted(&path.to_string_lossy())
            ),
            Self::PlainHttp(_) => "use https://, or http:// to this machine only".into(),
            Self::Roots => "install them; on Debian: apt-get install ca-certificates".into(),
            Self::ServerUrl { .. } => {
                "write it like https://drop.example.org or http://127.0.0.1:8080".into()
            }
            Self::Tls(_) => return None,
            Self::TooOpen(path) => {
                format!("chmod 600 {}", shell_quoted(&path.to_string_lossy()))
            }
        })
    }
}

impl TrustError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Changed(_) => "TRANSFER_CHANGED",
            Self::ChannelClosed(_) => "CHANNEL_CLOSED",
            Self::Downgrade(_) => "DOWNGRADE",
            Self::E2eeUnavailable(_) => "E2EE_UNAVAILABLE",
            Self::ForeignUrl(_) => "FOREIGN_URL",
            Self::Incomplete { .. } => "E2EE_INCOMPLETE",
            Self::OwnKeyDiffers => "OWN_KEY_DIFFERS",
            Self::PeerKeyDiffers => "PEER_KEY_DIFFERS",
            Self::Plaintext(_) => "PLAINTEXT",
            Self::SealedForAnotherKey(_) => "SEALED_FOR_ANOTHER_KEY",
            Self::UnknownAlgorithm { .. } => "UNKNOWN_ALGORITHM",
            Self::WrongChannel(_) => "WRONG_CHANNEL",
        }
    }

    const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Changed(_) | Self::Downgrade(_) | Self::ForeignUrl(_) => {
                "do not trust this server before you know why"
            }
            Self::ChannelClosed(_) => "the other side has to agree to the channel again",
            Self::E2eeUnavailable(_) => "it has to connect first, which gives it a key",
            Self::Incomplete { .. } => "ask the sender to send it again",
            Self::OwnKeyDiffers => {
                "this identity was replaced: use the newer one, or register this agent anew"
            }
            Self::PeerKeyDiffers => "ask its owner which key is right before you go on",
            Self::Plaintext(_) => "the server can read it; accept it only if you mean to",
            Self::SealedForAnotherKey(_) => {
                "use the identity of the time it was sent, or ask the sender to send it again"
            }
            Self::UnknownAlgorithm { .. } => "a newer version may know it",
            Self::WrongChannel(_) => return None,
        })
    }
}

/// Makes a stranger's text fit for one line of a terminal.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(MAX_MESSAGE_CHARS).collect();
    agentdrop_protocol::text::printable(&short)
}

/// The same for a path, whose last component can be a stranger's choice.
fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|it| shown_path(it)).collect();
    paths.join(", ")
}

fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" and {count} more"),
    }
}

/// The path as one word of a POSIX shell, for a command that can be pasted.
fn shell_quoted(path: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+,@%".contains(it);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
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

wrapped!(ApiError => Api, ConfigError => Config, KeyringError => Keyring, PeerError => Peer, PersonError => Person, TransportError => Transport, TrustError => Trust);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_mends_can_be_pasted() {
        for (path, command) in [
            (
                "/home/a/.agentdrop/config.json",
                "chmod 600 /home/a/.agentdrop/config.json",
            ),
            ("/a b/it's", r"chmod 600 '/a b/it'\''s'"),
        ] {
            let error = Error::from(ConfigError::TooOpen(path.into()));
            assert_eq!(error.hint().as_deref(), Some(command));
        }
    }
}
