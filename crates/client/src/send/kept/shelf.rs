//! Where uploads are kept: a folder of files, one an upload, each locked by whoever goes on with it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentdrop_protocol::Timestamp;
use agentdrop_protocol::limits::UPLOAD_LIFETIME;
use agentdrop_seal::{random_bytes, sha256};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::notice::{Notice, Teller};
use super::{Head, Kept, Place, why};
use crate::error::{Error, Result};
use crate::private_file::{Reserved, WRITING, check_private};

/// Below the folder that the caller names.
const FOLDER: &str = "uploads";
const ENDING: &str = ".upload";
/// What is larger was not written by us: ten thousand parts take two hundred bytes each.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// What is older cannot go on: the server has thrown it away.
const MAX_AGE: Duration = UPLOAD_LIFETIME;

/// Uploads of the same files to the same recipient, on the same terms.
pub(in crate::send) struct Shelf {
    folder: PathBuf,
    /// What the names of their files begin with.
    prefix: String,
}

/// What was found on a shelf.
pub(in crate::send) enum Found {
    /// One that can go on, as far as can be said here.
    Kept(Box<Kept>),
    /// One that is too old.
    TooOld,
    Nothing,
}

impl Shelf {
    /// The one below `folder` for whatever `what` says.
    pub(in crate::send) fn new(folder: &Path, what: &impl Serialize) -> Self {
        let what = serde_json::to_vec(what).expect("texts are JSON");
        Self {
            folder: folder.join(FOLDER),
            prefix: hex(&sha256(&what)),
        }
    }

    /// Finds one that nobody else goes on with. What is too old is deleted, whosever it is.
    pub(in crate::send) fn find(&self, now: Timestamp, teller: &Teller) -> Found {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Found::Nothing;
        };
        let (mut found, mut too_old, mut others) = (None, false, 0);
        for path in entries.filter_map(|it| Some(it.ok()?.path())) {
            let name = path.file_name().and_then(|it| it.to_str());
            // What a crash left while it was written has keys too.
            let is_one = |it: &&str| it.ends_with(ENDING) || it.starts_with(WRITING);
            let Some(name) = name.filter(is_one) else {
                continue;
            };
            let is_ours = name.starts_with(&self.prefix);
            if is_old(&path, now) {
                too_old |= delete_unlocked(&path) && is_ours;
            } else if !is_ours {
                others += usize::from(name.ends_with(ENDING));
            } else if is_ours && found.is_none() {
                found = match read(&path, teller) {
                    Ok(found) => found,
                    Err(error) => {
                        let problem = why(&error);
                        teller.tell(Notice::Ignored { path, problem });
                        None
                    }
                };
            }
        }
        if others > 0 && found.is_none() {
            let (folder, count) = (self.folder.clone(), others);
            teller.tell(Notice::Others { folder, count });
        }
        match found {
            Some(kept) => Found::Kept(Box::new(kept)),
            None if too_old => Found::TooOld,
            None => Found::Nothing,
        }
    }

    /// Writes one down, and locks it.
    pub(super) fn place(&self, head: &Head) -> Result<Place> {
        let chance: [u8; 8] = random_bytes()?;
        let name = format!("{}-{}{ENDING}", self.prefix, hex(&chance));
        let path = self.folder.join(name);
        // Room for all of it: a buffer that grows leaves copies of the keys behind.
        let mut content = Zeroizing::new(Vec::with_capacity(1024 * 1024));
        serde_json::to_writer(&mut *content, head).expect("texts and numbers are JSON");
        content.push(b'\n');
        let reserved = Reserved::beside(&path)?;
        // Before it has its name: whoever else looks for one must not go on with this.
        lock(reserved.file()).map_err(Error::io("lock", &path))?;
        let file = reserved.create(&content).inspect_err(|_| {
            // It may have its name by now. Nothing will be written down in it, so that whoever went on
            // with it would not know what was sent with its keys.
            fs::remove_file(&path).ok();
        })?;
        Ok(Place { path, file })
    }
}

/// Deletes what is too old below a folder, whosever it is: it has keys, and cannot go on.
pub(in crate::send) fn sweep(folder: &Path, now: Timestamp) {
    let entries = fs::read_dir(folder.join(FOLDER)).into_iter().flatten();
    for path in entries.filter_map(|it| Some(it.ok()?.path())) {
        let name = path.file_name().and_then(|it| it.to_str());
        let is_one = |it: &str| it.ends_with(ENDING) || it.starts_with(WRITING);
        if name.is_some_and(is_one) && is_old(&path, now) {
            delete_unlocked(&path);
        }
    }
}

/// Reads one; nothing, if somebody goes on with it already.
fn read(path: &Path, teller: &Teller) -> Result<Option<Kept>> {
    let file = File::options().read(true).append(true).open(path);
    let mut file = file.map_err(Error::io("read", path))?;
    check_private(&file, path, MAX_BYTES)?;
    if lock(&file).is_err() {
        return Ok(None);
    }
    let about = file.metadata().map_err(Error::io("read", path))?;
    if about.nlink() == 0 {
        // Whoever went on with it has ended it.
        return Ok(None);
    }
    let room = usize::try_from(about.len()).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(room));
    let reading = (&file).take(MAX_BYTES).read_to_string(&mut text);
    reading.map_err(Error::io("read", path))?;
    let rubbish = || Error::io("understand", path)(std::io::ErrorKind::InvalidData.into());
    let (head, lines) = text.split_once('\n').ok_or_else(rubbish)?;
    let head: Head = serde_json::from_str(head).map_err(|_| rubbish())?;
    // A line that a crash cut off would spoil the one behind it.
    let whole = lines.rfind('\n').map_or(0, |it| it + 1);
    let kept_bytes = (text.len() - lines.len() + whole) as u64;
    let mended = file.set_len(kept_bytes);
    mended
        .and_then(|()| file.seek(SeekFrom::End(0)))
        .map_err(Error::io("write", path))?;
    let place = Place {
        path: path.to_owned(),
        file,
    };
    let kept = Kept::read(head, place, lines, teller).ok_or_else(rubbish)?;
    Ok(Some(kept))
}

fn is_old(path: &Path, now: Timestamp) -> bool {
    let written = fs::symlink_metadata(path).map(|it| it.mtime());
    let written = Timestamp::from_millis(written.unwrap_or(i64::MAX / 1_000).saturating_mul(1_000));
    // What was written in the time to come is of another clock, and may be of any age.
    now.since(written) > MAX_AGE
}

/// Deletes one that nobody goes on with.
fn delete_unlocked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    lock(&file).is_ok() && fs::remove_file(path).is_ok()
}

fn lock(file: &File) -> std::io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}
