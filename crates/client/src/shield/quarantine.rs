//! What the scanner keeps from the agent, until a person decides.
//!
//! Each transfer has a folder of its own in the folder of the identity, for its owner alone, with files
//! under names that say nothing, and what is known of them beside. It is there, and on disk, before the
//! server is told that anything arrived.
//!
//! It appears there whole, by a rename, and goes so: whatever ends a process leaves nothing of it, or all
//! of it. What has to be done once it is there waits beside it until it was done.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::{FileName, Timestamp, TransferId};
use agentdrop_seal::random_bytes;
use serde::{Deserialize, Serialize};

use super::{Mode, Scanned, open};
use crate::error::{Error, Result, ShieldError};
use crate::private_file::{delete_private, read_private, sync_folder_of, write_private};
use crate::receive::{Received, Security, lock, open_folder, open_target};

/// Where what is kept from the agent is.
#[derive(Clone, Debug)]
pub struct Quarantine {
    folder: PathBuf,
}

/// A transfer that is kept from the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// The transfer.
    pub id: TransferId,
    /// Who sent it, in the sender's words.
    pub sender: Label,
    /// The message beside the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// How it was protected on its way.
    pub security: Security,
    /// Whether it is refused, or waits to be decided about.
    pub mode: Mode,
    /// Since when it is here.
    pub since: Timestamp,
    /// The files, in the sender's order.
    pub files: Vec<HeldFile>,
    /// What was found.
    pub scanned: Vec<Scanned>,
}

/// A file that is kept from the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldFile {
    /// What its sender called it.
    pub name: FileName,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it is a folder, which its sender packed.
    pub is_folder: bool,
    /// What it is called here, which says nothing.
    stored: String,
}

/// A file on its way into quarantine.
pub(crate) struct Taken {
    pub(crate) from: PathBuf,
    pub(crate) name: FileName,
    pub(crate) bytes: u64,
    pub(crate) is_folder: bool,
}

const FOLDER: &str = "quarantine";
const ABOUT: &str = "about.json";
/// What is left to do, within the folder of a transfer, and what its name begins with outside of one.
const UNTOLD: &str = "untold.json";
const UNTOLD_OF: &str = ".untold-";
/// What the name of a folder begins with that is on its way in or out.
const MOVING: &str = ".moving-";
/// Of one file: a hundred files are still a small one.
const MAX_FINDINGS: usize = 5;

impl Held {
    /// The same for an agent, who should not read what its sender wrote beside the files.
    #[must_use]
    pub fn without_message(&self) -> Self {
        Self {
            message: None,
            ..self.clone()
        }
    }

    /// The worst of what was found, in one line.
    pub fn why(&self) -> String {
        let worst = self.scanned.iter().max_by_key(|it| it.report.threat_level);
        let reason = worst.and_then(|it| it.report.findings.first());
        reason.map_or_else(String::new, |it| format!("{}: {}", it.place, it.reason))
    }
}

impl Quarantine {
    /// That of an identity, or of whatever else has a folder of its own.
    pub fn beside(folder: &Path) -> Self {
        let folder = folder.join(FOLDER);
        Self { folder }
    }

    /// All that is there, the newest first. What cannot be read is left out.
    pub fn list(&self) -> Result<Vec<Held>> {
        self.sweep();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &self.folder)(error)),
        };
        let ids = entries
            .flatten()
            .filter_map(|it| it.file_name().to_str()?.parse().ok());
        let mut held: Vec<Held> = ids.filter_map(|id| self.look_up(id).ok()).collect();
        held.sort_by_key(|it| std::cmp::Reverse(it.since));
        Ok(held)
    }

    /// What is there of a transfer.
    pub fn look_up(&self, id: TransferId) -> Result<Held> {
        let path = self.folder_of(id).join(ABOUT);
        if !path.exists() {
            return Err(ShieldError::NotInQuarantine(id).into());
        }
        let about = read_private(&path)?;
        let spoiled = || ShieldError::Spoiled(id, "what is known of it cannot be read");
        let held: Held = serde_json::from_slice(&about).map_err(|_| spoiled())?;
        if held.id != id || !held.files.iter().all(HeldFile::is_ours) {
            return Err(spoiled().into());
        }
        Ok(held)
    }

    /// Whether something of a transfer is there.
    pub fn has(&self, id: TransferId) -> bool {
        self.folder_of(id).join(ABOUT).exists()
    }

    /// Takes files in: all of it is on disk when this returns, and `untold` with it. What is there of
    /// the transfer already stays.
    pub(crate) fn take(
        &self,
        received: &Received,
        mode: Mode,
        since: Timestamp,
        files: Vec<Taken>,
        scanned: Vec<Scanned>,
        untold: &[u8],
    ) -> Result<Held> {
        self.sweep();
        let to = self.folder_of(received.id);
        let failed = |error: io::Error| Error::io("write to", &to)(error);
        let moving = self.moving().map_err(failed)?;
        let mut held = Vec::new();
        for it in files {
            let stored = format!("{:032x}", u128::from_be_bytes(random_bytes()?));
            carry(&it.from, &moving.path.join(&stored)).map_err(failed)?;
            held.push(HeldFile {
                name: it.name,
                bytes: it.bytes,
                is_folder: it.is_folder,
                stored,
            });
        }
        let held = Held {
            id: received.id,
            sender: received.sender.clone(),
            message: received.message.clone(),
            security: received.security,
            mode,
            since,
            files: held,
            scanned: scanned.into_iter().map(shortened).collect(),
        };
        let about = serde_json::to_vec(&held).expect("it has text keys and no failing field");
        write_private(&moving.path.join(UNTOLD), untold)?;
        // With it are the names of the files on disk.
        write_private(&moving.path.join(ABOUT), &about)?;
        if let Err(error) = fs::rename(&moving.path, &to) {
            // Another process was faster, or nobody can read what is there.
            if let Ok(held) = self.look_up(received.id) {
                return Ok(held);
            }
            self.remove(received.id)?;
            fs::rename(&moving.path, &to).map_err(|_| failed(error))?;
        }
        sync_folder_of(&to)?;
        sync_folder_of(&self.folder)?;
        Ok(held)
    }

    /// What is left to do for a transfer, if anything is.
    pub(crate) fn untold(&self, id: TransferId) -> Result<Option<Vec<u8>>> {
        let places = self.places_of_untold(id);
        let Some(path) = places.iter().find(|it| it.exists()) else {
            return Ok(None);
        };
        Ok(Some(read_private(path)?.to_vec()))
    }

    /// Nothing is left to do for a transfer.
    pub(crate) fn told(&self, id: TransferId) -> Result<()> {
        for path in self.places_of_untold(id) {
            if path.exists() {
                delete_private(&path)?;
            }
        }
        Ok(())
    }

    fn places_of_untold(&self, id: TransferId) -> [PathBuf; 2] {
        let outside = self.folder.join(format!("{UNTOLD_OF}{id}"));
        [self.folder_of(id).join(UNTOLD), outside]
    }

    /// A file of a transfer, to be read.
    pub(crate) fn open(&self, held: &Held, file: &HeldFile) -> Result<File> {
        let path = self.folder_of(held.id).join(&file.stored);
        let opened = open(&path).map_err(Error::io("read", &path))?;
        let bytes = opened.metadata().map(|it| it.len());
        if !bytes.is_ok_and(|it| it == file.bytes) {
            let why = "a file is not as long as it was";
            return Err(ShieldError::Spoiled(held.id, why).into());
        }
        Ok(opened)
    }

    /// Deletes what is there of a transfer.
    pub fn discard(&self, id: TransferId) -> Result<()> {
        if !self.folder_of(id).exists() {
            return Err(ShieldError::NotInQuarantine(id).into());
        }
        self.remove(id)
    }

    fn remove(&self, id: TransferId) -> Result<()> {
        let folder = self.folder_of(id);
        let failed = |error: io::Error| Error::io("delete", &folder)(error);
        // Its sender is to be told all the same.
        let [inside, outside] = self.places_of_untold(id);
        match fs::rename(inside, outside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let moving = self.moving().map_err(failed)?;
        fs::rename(&folder, moving.path.join("0")).map_err(failed)?;
        sync_folder_of(&folder)
    }

    /// A new folder in here, which is this process's alone, and goes when this is dropped.
    fn moving(&self) -> io::Result<Moving> {
        let private = |path: &Path, recursive| {
            let mut folder = DirBuilder::new();
            folder.recursive(recursive).mode(0o700).create(path)
        };
        private(&self.folder, true)?;
        let within = open_target(&self.folder).map_err(io::Error::other)?;
        for _ in 0..10 {
            let random = u128::from_be_bytes(random_bytes().map_err(io::Error::other)?);
            let name = format!("{MOVING}{random:032x}");
            let path = self.folder.join(&name);
            private(&path, false)?;
            // Between the two, another that sweeps may have taken it for one that was left.
            if let Ok(folder) = open_folder(&within, &name)
                && lock(&folder, &within, &name)
            {
                return Ok(Moving {
                    path,
                    _lock: folder,
                });
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Removes what processes left that ended on their way.
    fn sweep(&self) {
        let (Ok(entries), Ok(within)) = (fs::read_dir(&self.folder), File::open(&self.folder))
        else {
            return;
        };
        let names = entries
            .flatten()
            .filter_map(|it| it.file_name().into_string().ok());
        for name in names.filter(|it| it.starts_with(MOVING)) {
            if let Ok(folder) = open_folder(&within, &name)
                && lock(&folder, &within, &name)
            {
                fs::remove_dir_all(self.folder.join(&name)).ok();
            }
        }
    }

    fn folder_of(&self, id: TransferId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

/// A folder on its way in or out.
struct Moving {
    path: PathBuf,
    /// As long as it is open, nobody sweeps it.
    _lock: File,
}

impl Drop for Moving {
    fn drop(&mut self) {
        // It may have got its name.
        fs::remove_dir_all(&self.path).ok();
    }
}

impl HeldFile {
    fn is_ours(&self) -> bool {
        self.stored.len() == 32 && self.stored.bytes().all(|it| it.is_ascii_hexdigit())
    }
}

/// As much of a report as is kept: the worst of it.
fn shortened(mut scanned: Scanned) -> Scanned {
    let report = &mut scanned.report;
    let left_out = report.findings.len().saturating_sub(MAX_FINDINGS);
    report.more_findings += left_out as u64;
    report.findings.truncate(MAX_FINDINGS);
    report.injection_findings.truncate(MAX_FINDINGS);
    report.warnings.truncate(MAX_FINDINGS);
    scanned
}

/// Gives a file a second name, or copies it where that is another disk; for its owner alone.
fn carry(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_err() {
        let mut copy = File::create_new(to)?;
        io::copy(&mut open(from)?, &mut copy)?;
    }
    let file = open(to)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.sync_all()
}
