//! Putting what was exported where it belongs: names are data, and nothing is there until all of it was
//! looked at.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tar::{Archive, EntryType};
use zeroize::Zeroizing;

use super::{FILES, FOLDERS, MAX_FILE_BYTES};
use crate::error::{Error, MovingError, Result};
use crate::identity::Identity;
use crate::keyring::Keyring;
use crate::private_file::{sync_folder_of, write_private};
use crate::trust::KnownAgents;

/// Keeps a private key out of a repository, where a folder like this would be committed unseen.
const IGNORE_FILE: (&str, &[u8]) = (".gitignore", b"*\n");

pub(super) fn unpack(folder: &Path, packed: &[u8]) -> Result<()> {
    let parent = folder.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    if fs::read_dir(folder).is_ok_and(|mut it| it.next().is_some()) || folder.is_file() {
        return Err(MovingError::NotEmpty(folder.to_owned()).into());
    }
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let staged = tempfile::Builder::new()
        .prefix(".importing-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(Error::io("create a folder in", parent))?;
    write(staged.path(), packed)?;
    look_at(staged.path())?;
    // A folder in which something is does not give way to it.
    fs::rename(staged.path(), folder).map_err(Error::io("create", folder))?;
    // It is elsewhere by now, and not to be deleted.
    drop(staged.keep());
    sync_folder_of(folder)
}

fn write(staged: &Path, packed: &[u8]) -> Result<()> {
    let broken = |it: std::io::Error| MovingError::Malformed(it.to_string());
    let mut seen = BTreeSet::new();
    for entry in Archive::new(packed).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        let is_file = entry.header().entry_type() == EntryType::Regular;
        if !is_file || !is_ours(&name) || entry.size() > MAX_FILE_BYTES {
            let what = format!("{} does not belong there", name.display());
            return Err(MovingError::Malformed(what).into());
        }
        if !seen.insert(name.clone()) {
            let what = format!("{} is in it twice", name.display());
            return Err(MovingError::Malformed(what).into());
        }
        let room = usize::try_from(entry.size()).unwrap_or_default() + 1;
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        entry.read_to_end(&mut content).map_err(broken)?;
        write_private(&staged.join(&name), &content)?;
    }
    write_private(&staged.join(IGNORE_FILE.0), IGNORE_FILE.1)
}

/// Whether it can be used as it is.
fn look_at(staged: &Path) -> Result<()> {
    let malformed = |it: Error| MovingError::Malformed(it.to_string());
    let identity = Identity::load(staged).map_err(malformed)?;
    if let Some(agent) = identity.agent_uuid() {
        Keyring::open(staged, agent).map_err(malformed)?;
    }
    KnownAgents::load(staged).map_err(malformed)?;
    Ok(())
}

/// Whether a file of this name moves with an identity.
fn is_ours(name: &Path) -> bool {
    let parts: Option<Vec<&str>> = name
        .components()
        .map(|it| it.as_os_str().to_str())
        .collect();
    match parts.as_deref() {
        Some([name]) => FILES.contains(name),
        Some([folder, name]) => FOLDERS.contains(folder) && is_state(name),
        _ => false,
    }
}

/// Whether it is a file of one transfer or one agent, by its name.
pub(super) fn is_state(name: &str) -> bool {
    let stem = name.strip_suffix(".json");
    stem.is_some_and(|it| {
        let plain = |it: u8| it.is_ascii_alphanumeric() || b"_-".contains(&it);
        !it.is_empty() && it.bytes().all(plain)
    })
}
