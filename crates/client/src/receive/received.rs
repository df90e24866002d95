//! What was received, and what is told of it.

use std::path::PathBuf;

use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{EncryptionPublicKey, FileName, TransferId};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::peers::KnownBy;
use crate::shield::Scan;

/// What was received.
#[derive(Debug)]
pub struct Received {
    /// The transfer.
    pub id: TransferId,
    /// Between whom it went.
    pub mode: TransferMode,
    /// Who sent it, in the sender's words.
    pub sender: Label,
    /// The message beside the files.
    pub message: Option<Message>,
    /// How it was protected on its way.
    pub security: Security,
    /// The sender's key that the files open with, by the server's word; none if they were not sealed.
    pub sender_key: Option<EncryptionPublicKey>,
    /// By what its sender is known, if an agent sent it to an agent.
    pub peer: Option<KnownBy>,
    /// The files, in the sender's order.
    pub files: Vec<ReceivedFile>,
    /// How many bytes of them, as they were sealed, an earlier process had fetched.
    pub resumed_bytes: u64,
    /// What the scanner found, which was not enough to keep it from the agent.
    pub scan: Scan,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
    /// Why the server does not know that the files arrived, if it does not.
    pub unacknowledged: Option<Error>,
}

/// A file that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFile {
    /// Where it is. Its name there may be another than `name`, which was taken or not safe.
    pub path: PathBuf,
    /// What the sender called it.
    pub name: FileName,
    /// How many bytes it has, or had when it was packed.
    pub bytes: u64,
    /// Whether it is a folder, which came packed.
    pub is_folder: bool,
}

/// Something worth knowing beside what was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// All is received, and the server did not get more one-time prekeys, for this reason.
    KeysNotTended(String),
    /// What looked as if it was left by an earlier process was not used.
    LeftoverIgnored {
        /// Where it was.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// What should be a folder was left packed.
    NotUnpacked {
        /// What its sender called it.
        name: FileName,
        /// Why.
        reason: String,
    },
}

/// How a transfer was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Security {
    /// Sealed in a format of the published clients: secret, and whole. Names are not bound to it.
    Compatible,
    /// Sealed in our own format: names, order and number of the files are bound to it, too. Who sent it
    /// is the server's word.
    Sealed,
    /// Not sealed: the server could read it and change it.
    Plaintext,
    /// Sealed between two agents that know each other's identity: names, order and number of the files,
    /// the message and who sent it are signed; [`KnownBy`] says how the sender is known.
    Verified,
}

impl Security {
    /// The word for it, in output that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Sealed => "sealed",
            Self::Plaintext => "plaintext",
            Self::Verified => "verified",
        }
    }
}
