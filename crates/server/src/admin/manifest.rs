//! What says that a backup is whole: the last file that is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use agentdrop_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

const FILE: &str = "backup.json";
/// The form of backups that this version makes, and the only one that it reads.
const FORMAT: u32 = 1;

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The version that made it.
    pub version: String,
    /// When it was begun: what came later is not in it.
    pub made_at: Timestamp,
    /// Rows of the database.
    pub rows: u64,
    /// Transfers whose bytes are there.
    pub transfers: u64,
    /// Blobs that have them.
    pub blobs: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// Whether the server key is there.
    pub server_key: bool,
}

impl Manifest {
    pub(super) fn new(made_at: Timestamp, rows: u64, server_key: bool) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            rows,
            transfers: 0,
            blobs: 0,
            bytes: 0,
            server_key,
        }
    }

    /// Reads that of the backup in `folder`, which is whole then.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let none = |why: String| Error::NoBackup(folder.to_owned(), why);
        let text = match fs::read(folder.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(none(format!("{FILE}, which is written last, is missing")));
            }
            read => read.map_err(|it| none(format!("{FILE} cannot be read: {it}")))?,
        };
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|it| none(format!("{FILE} is not what was written: {it}")))?;
        if manifest.format != FORMAT {
            let made_by = &manifest.version;
            return Err(none(format!(
                "it was made by AgentDrop {made_by}, in another form"
            )));
        }
        Ok(manifest)
    }

    /// Writes it into `folder`, whole or not at all; everything else there is on disk.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let coming = folder.join(format!("{FILE}.coming"));
        write_new(&coming, &text)?;
        fs::rename(coming, folder.join(FILE))?;
        sync(folder)
    }
}

/// Writes a file that was not there, for its owner alone.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the names in a folder, and its own, are on disk.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()?;
    let above = folder.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(above.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
