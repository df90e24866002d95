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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::identity::Draft;
    use crate::moving::MovingKey;

    fn packed(files: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, kind, content) in files {
            let mut header = tar::Header::new_gnu();
            // As a hostile hand writes it: `append_data` refuses `..`.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_entry_type(*kind);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn identity(folder: &Path) {
        let agent = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap();
        let draft = Draft::new(folder).unwrap();
        let url = "https://drop.example.org".to_owned();
        draft
            .finish("alice".parse().unwrap(), agent, url.clone(), url)
            .unwrap();
    }

    fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let files = entries.filter(|it| it.extension().is_some_and(|it| it == "json"));
        files
            .map(|it| (it.file_name().unwrap().into(), fs::read(&it).unwrap()))
            .collect()
    }

    #[test]
    fn what_was_exported_is_there_again_and_for_its_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        identity(&old);
        let key = age::x25519::Identity::generate();
        let to = MovingKey::recipient(&key.to_public().to_string()).unwrap();
        let exported = Identity::export(&old, &to).unwrap();
        assert!(exported.starts_with(b"age-encryption.org/v1"));
        let text = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
        let with = MovingKey::key_file(&format!("# created\n{text}\n")).unwrap();
        Identity::import(&new, &exported, &with).unwrap();
        assert_eq!(contents(&old), contents(&new));
        let mode = |it: &Path| fs::metadata(it).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&new), mode(&new.join("config.json"))), (0o700, 0o600));

        let again = Identity::import(&new, &exported, &with).unwrap_err();
        assert_eq!(again.code(), "FOLDER_NOT_EMPTY");
        let stranger = age::x25519::Identity::generate().to_string();
        let stranger = age::secrecy::ExposeSecret::expose_secret(&stranger).to_owned();
        let stranger = MovingKey::key_file(&stranger).unwrap();
        let third = place.path().join("third");
        let mut changed = exported.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (bytes, key) in [(&exported, &stranger), (&changed, &with)] {
            let refused = Identity::import(&third, bytes, key).unwrap_err();
            assert_eq!(refused.code(), "EXPORT_NOT_OPENED");
        }
        assert!(!third.exists());
    }

    #[test]
    fn what_does_not_belong_there_is_refused_and_nothing_is_left() {
        let place = tempfile::tempdir().unwrap();
        let old = place.path().join("old");
        identity(&old);
        let config = fs::read(old.join("config.json")).unwrap();
        let file = EntryType::Regular;
        let good = ("config.json", file, &config[..]);
        let new = place.path().join("new");
        for bad in [
            ("../escape.json", file, &b"x"[..]),
            ("/tmp/config.json", file, b"x"),
            ("sent/../../x.json", file, b"x"),
            ("session.json", file, b"x"),
            ("sent/x", file, b"x"),
            ("sent/deep/x.json", file, b"x"),
            ("keys.json", EntryType::Symlink, b""),
            ("keys.json", file, b"{}"),
            good,
        ] {
            let refused = unpack(&new, &packed(&[good, bad])).unwrap_err();
            assert_eq!(refused.code(), "EXPORT_MALFORMED", "{}", bad.0);
        }
        let refused = unpack(&new, &packed(&[])).unwrap_err();
        assert_eq!(refused.code(), "EXPORT_MALFORMED");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        unpack(&new, &packed(&[good])).unwrap();
    }
}
