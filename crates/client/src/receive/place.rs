//! Where received files wait until all of them are good, and how they get to where they go.
//!
//! Everything is relative to open folders, so that no name can lead elsewhere: names of strangers are
//! used only as the last component of a rename that replaces nothing.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use agentdrop_protocol::FileName;
use agentdrop_protocol::limits::MAX_FILES;
use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, flock, fsync, linkat, mkdirat, openat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;

use crate::error::{Error, Result};

const PREFIX: &str = ".agentdrop-incoming-";
const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
/// Files that wait in one folder: of those to a person each can be there twice, sealed and opened,
/// and the envelope beside them.
const MAX_WAITING: usize = 2 * (MAX_FILES + 1);
/// Names that are tried for one file.
const MAX_NAMES: u32 = 10_000;

/// A private folder inside the target, which goes, with what is in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Quarantine {
    target_path: PathBuf,
    target: OwnedFd,
    name: String,
    folder: OwnedFd,
    files: usize,
}

impl Quarantine {
    /// Makes the folder, for `files` files, and the target, if there is none.
    pub(super) fn make(target_path: &Path, files: usize) -> Result<Self> {
        fs::create_dir_all(target_path).map_err(Error::io("create", target_path))?;
        let failed = |error: Errno| Error::io("write to", target_path)(error.into());
        let target = openat(CWD, target_path, FOLDER_FLAGS, Mode::empty()).map_err(failed)?;
        sweep(&target, target_path);
        let chance: [u8; 8] = agentdrop_seal::random_bytes()?;
        let name = format!("{PREFIX}{:016x}", u64::from_be_bytes(chance));
        mkdirat(&target, &name, Mode::RWXU).map_err(failed)?;
        let opened = openat(
            &target,
            &name,
            FOLDER_FLAGS | OFlags::NOFOLLOW,
            Mode::empty(),
        );
        let locked = opened.and_then(|it| flock(&it, FlockOperation::LockExclusive).map(|()| it));
        match locked {
            Ok(folder) => {
                let target_path = target_path.to_owned();
                Ok(Self {
                    target_path,
                    target,
                    name,
                    folder,
                    files,
                })
            }
            Err(error) => {
                unlinkat(&target, &name, AtFlags::REMOVEDIR).ok();
                Err(failed(error))
            }
        }
    }

    /// A new file for the bytes of file `n`, sealed and then opened, as it will be placed.
    ///
    /// It has the mode of any new file, less what the umask takes away; until it is placed, its folder
    /// keeps others out.
    pub(super) fn create(&self, n: usize) -> Result<File> {
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, waiting(n), flags, mode);
        let file =
            file.map_err(|it| Error::io("create a file in", &self.target_path)(it.into()))?;
        Ok(file.into())
    }

    /// Places all files, each under its name or that name with a number, and answers where.
    ///
    /// Either all are placed or none.
    pub(super) fn place(&self, names: &[FileName]) -> Result<Vec<PathBuf>> {
        let mut placed: Vec<FileName> = Vec::new();
        for (n, name) in names.iter().enumerate() {
            match self.place_one(&waiting(n), name) {
                Ok(name) => placed.push(name),
                Err(error) => {
                    for (n, name) in placed.iter().enumerate() {
                        move_to(&self.target, name.as_str(), &self.folder, &waiting(n)).ok();
                    }
                    return Err(Error::io("place", self.target_path.join(name.as_str()))(
                        error,
                    ));
                }
            }
        }
        // The names are on disk when the folder is, and before the sender is told.
        fsync(&self.target).map_err(|it| Error::io("write", &self.target_path)(it.into()))?;
        Ok(placed
            .iter()
            .map(|it| self.target_path.join(it.as_str()))
            .collect())
    }

    fn place_one(&self, from: &str, name: &FileName) -> io::Result<FileName> {
        for n in 0..MAX_NAMES {
            let name = if n == 0 {
                name.clone()
            } else {
                name.numbered(n)
            };
            match move_to(&self.folder, from, &self.target, name.as_str()) {
                Ok(()) => return Ok(name),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        empty(&self.folder, self.files);
        unlinkat(&self.target, &self.name, AtFlags::REMOVEDIR).ok();
    }
}

/// Removes what a process left that was killed. A folder whose process lives is locked by it.
///
/// Whatever cannot be removed stays: it is another user's, or a person put something into it.
fn sweep(target: &OwnedFd, target_path: &Path) {
    let Ok(entries) = fs::read_dir(target_path) else {
        return;
    };
    let names = entries.filter_map(|it| it.ok()?.file_name().into_string().ok());
    for name in names.filter(|it| it.starts_with(PREFIX)) {
        let folder = openat(
            target,
            &name,
            FOLDER_FLAGS | OFlags::NOFOLLOW,
            Mode::empty(),
        );
        let folder =
            folder.and_then(|it| flock(&it, FlockOperation::NonBlockingLockExclusive).map(|()| it));
        if let Ok(folder) = folder {
            empty(&folder, MAX_WAITING);
            unlinkat(target, &name, AtFlags::REMOVEDIR).ok();
        }
    }
}

fn empty(folder: &OwnedFd, files: usize) {
    for n in 0..files {
        unlinkat(folder, waiting(n), AtFlags::empty()).ok();
    }
}

fn waiting(n: usize) -> String {
    format!("{n}.part")
}

/// Renames without replacing: where the file system cannot do that at once, by a link, which fails too
/// if the name is taken.
fn move_to(from: &OwnedFd, old: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    match renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_to(from, old, to, new),
        done => done,
    }
}

fn link_to(from: &OwnedFd, old: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    linkat(from, old, to, new, AtFlags::empty())?;
    unlinkat(from, old, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn quarantine(target: &Path, contents: &[&str]) -> Quarantine {
        let quarantine = Quarantine::make(target, contents.len()).unwrap();
        for (n, content) in contents.iter().enumerate() {
            quarantine
                .create(n)
                .unwrap()
                .write_all(content.as_bytes())
                .unwrap();
        }
        quarantine
    }

    fn name(text: &str) -> FileName {
        FileName::cleaned(text)
    }

    #[test]
    fn nothing_is_replaced_and_both_of_two_equal_names_are_kept() {
        let target = tempfile::tempdir().unwrap();
        File::create(target.path().join("a.txt")).unwrap();
        let quarantine = quarantine(target.path(), &["one", "two"]);
        let placed = quarantine.place(&[name("a.txt"), name("a.txt")]).unwrap();
        drop(quarantine);
        assert_eq!(names(target.path()), ["a (1).txt", "a (2).txt", "a.txt"]);
        assert_eq!(fs::read(&placed[0]).unwrap(), b"one");
        assert_eq!(fs::read(&placed[1]).unwrap(), b"two");
        assert_eq!(fs::read(target.path().join("a.txt")).unwrap(), b"");
    }

    #[test]
    fn a_link_at_the_name_is_neither_followed_nor_replaced() {
        let (target, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let goal = elsewhere.path().join("goal");
        symlink(&goal, target.path().join("a")).unwrap();
        quarantine(target.path(), &["one"])
            .place(&[name("a")])
            .unwrap();
        assert!(!goal.exists());
        assert_eq!(names(target.path()), ["a", "a (1)"]);
    }

    #[test]
    fn what_waits_is_private_and_goes_when_it_is_dropped() {
        let target = tempfile::tempdir().unwrap();
        let quarantine = quarantine(target.path(), &["one"]);
        let folder = target.path().join(&quarantine.name);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("0.part")) & 0o600, 0o600);
        assert!(quarantine.create(0).is_err(), "it is there already");
        drop(quarantine);
        assert_eq!(names(target.path()), [""; 0]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_live_one_needs_is_not() {
        let target = tempfile::tempdir().unwrap();
        let alive = quarantine(target.path(), &["one"]);
        let dead = target.path().join(format!("{PREFIX}dead"));
        mkdirat(CWD, &dead, Mode::RWXU).unwrap();
        // Of the most files that one transfer can have, each sealed and opened.
        for n in [7, MAX_FILES, 2 * MAX_FILES + 1] {
            File::create(dead.join(waiting(n))).unwrap();
        }
        let next = quarantine(target.path(), &["two"]);
        let mut expected = [alive.name.clone(), next.name.clone()];
        expected.sort();
        assert_eq!(names(target.path()), expected);
        alive.place(&[name("a")]).unwrap();
    }

    #[test]
    fn where_one_cannot_be_placed_none_is() {
        let target = tempfile::tempdir().unwrap();
        let quarantine = quarantine(target.path(), &["one"]);
        // The second was never opened, so it cannot be placed.
        let error = quarantine.place(&[name("a"), name("b")]).unwrap_err();
        assert_eq!(error.code(), "IO");
        drop(quarantine);
        assert_eq!(names(target.path()), [""; 0]);
    }

    #[test]
    fn a_link_does_what_a_rename_does() {
        let target = tempfile::tempdir().unwrap();
        let quarantine = quarantine(target.path(), &["one"]);
        let (from, to) = (&quarantine.folder, &quarantine.target);
        link_to(from, "0.part", to, "a").unwrap();
        quarantine.create(0).unwrap();
        assert_eq!(link_to(from, "0.part", to, "a"), Err(Errno::EXIST));
        assert_eq!(fs::read(target.path().join("a")).unwrap(), b"one");
    }
}
