//! What goes wrong on this side, before the server is asked.

use std::path::PathBuf;

use super::text::{shell_quoted, shown_path};

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
    /// The server is from before agents had keys that they are verified by.
    #[error("the server knows nothing of keys that agents are verified by")]
    KeysUnknown,
    /// What was asked for needs an API key.
    #[error("no API key is set")]
    NoApiKey,
    /// What was asked for needs to know which agent this is, and a published client wrote the identity
    /// without it.
    #[error("the identity does not say which agent it is")]
    NoAgentId,
    /// What was asked for needs the keys by which an agent is verified.
    #[error("this agent has no keys that it can be verified by")]
    NoKeys,
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

impl ConfigError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::IdentityExists(_) => "IDENTITY_EXISTS",
            Self::IdentityFile { .. } => "IDENTITY_FILE",
            Self::KeysDiffer(_) => "KEYS_DIFFER",
            Self::KeysUnknown => "KEYS_UNKNOWN",
            Self::NoAgentId => "NO_AGENT_ID",
            Self::NoKeys => "NO_KEYS",
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

    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::IdentityExists(_) => "choose another folder with `--config-dir`".into(),
            Self::IdentityFile { .. } => "restore it from a copy, or register anew".into(),
            Self::KeysDiffer(_) => {
                "restore the file from a copy: one of the keys was changed".into()
            }
            Self::KeysUnknown => {
                "its operator can update it; until then files are sealed as the published clients do".into()
            }
            Self::NoApiKey => {
                "set AGENTDROP_API_KEY, give `--api-key`, or sign in with `agentdrop login`".into()
            }
            Self::NoAgentId => {
                "`agentdrop agents` shows its id: write it into the file as `agent_uuid`".into()
            }
            Self::NoKeys => "make them with `agentdrop keys publish`".into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

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
