//! Where a transfer is received, and on which terms.

use std::io::Write;
use std::path::PathBuf;

use agentdrop_protocol::wire::transfers::Transfer;

use super::sink::Sink;
use crate::progress::{Progress, Watcher};
use crate::shield::Shield;

/// Room on the disk that is left to others, if nothing else is said.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;

/// Where a transfer is received, and on which terms.
#[derive(Debug)]
#[must_use]
pub struct Incoming {
    pub(super) folder: PathBuf,
    pub(super) listed: Option<Transfer>,
    pub(super) plaintext: Plaintext,
    pub(super) beginning: Beginning,
    pub(super) spare_bytes: u64,
    pub(super) sink: Option<Sink>,
    pub(super) folders: Folders,
    pub(super) watcher: Watcher,
    pub(super) shield: Option<Shield>,
    pub(super) quarantine: Option<PathBuf>,
}

/// What becomes of folders that their sender packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Folders {
    Packed,
    #[default]
    Unpacked,
}

/// Whether to go on where an earlier process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Beginning {
    Fresh,
    #[default]
    Resumed,
}

/// Whether files may come that the server could read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Plaintext {
    Accept,
    #[default]
    Refuse,
}

impl Incoming {
    /// Receives into this folder, which is made if there is none.
    pub fn into_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            listed: None,
            plaintext: Plaintext::default(),
            beginning: Beginning::default(),
            spare_bytes: SPARE_BYTES,
            sink: None,
            folders: Folders::default(),
            watcher: Watcher::default(),
            shield: None,
            quarantine: None,
        }
    }

    /// Judges what was received by this, before it is placed. If nothing is said, it is judged in this
    /// process, and what is very likely meant to do harm is kept in quarantine.
    pub fn shield(mut self, shield: Shield) -> Self {
        self.shield = Some(shield);
        self
    }

    /// Keeps the quarantine in this folder, in place of that of the identity.
    pub fn quarantine_beside(mut self, folder: impl Into<PathBuf>) -> Self {
        self.quarantine = Some(folder.into());
        self
    }

    /// Holds the server to what it announced in its list. Else it is asked first.
    pub fn listed(mut self, transfer: Transfer) -> Self {
        self.listed = Some(transfer);
        self
    }

    /// Takes files too that were not sealed, which the server could read and change.
    pub fn accept_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Accept;
        self
    }

    /// Throws away what an earlier process left of it, in place of going on there.
    pub fn afresh(mut self) -> Self {
        self.beginning = Beginning::Fresh;
        self
    }

    /// Leaves this much room on the disk. A file that is fetched before it is opened, as those of the
    /// published clients and those to people are, is opened beside the sealed one only where that leaves
    /// as much; else it is opened where it lies, and fetched again if that is cut short.
    pub fn spare_bytes(mut self, bytes: u64) -> Self {
        self.spare_bytes = bytes;
        self
    }

    /// Places the tars of folders as they came, in place of unpacking them.
    pub fn keep_packed(mut self) -> Self {
        self.folders = Folders::Packed;
        self
    }

    /// Writes the one file that it is there, in place of placing it: when all of it was checked. What is
    /// needed on the way is in the folder, and nothing is there when it was done.
    ///
    /// It is flushed once all of it was written, and the server, which may delete the file then, is told
    /// after that: whoever has a disk brings it there when flushed.
    pub fn write_to(mut self, sink: impl Write + Send + 'static) -> Self {
        self.sink = Some(Sink::new(sink));
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }
}
