//! Who else has a folder of blobs in use.
//!
//! Several servers may share one, on one machine or by a network's file system. Each has a folder
//! of its own for what is still coming in, and locks a file in it for as long as it lives: what is
//! in one whose file can be locked belongs to nobody any more. The lock goes with its process,
//! however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fresh;
use super::local::make_folder;

/// The file in each server's folder that it locks.
const LOCK: &str = "lock";

/// A server's place in a folder of blobs. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    /// Where it has what is coming in.
    pub(super) staging: PathBuf,
    /// When it came, by the clock of the disk, if nobody else was there: what was written before
    /// is being written no more.
    pub(super) alone_since: Option<SystemTime>,
    lock: File,
}

impl Place {
    /// Takes a place, and throws away what never came in whole for servers that are gone.
    pub(super) fn take(root: &Path) -> io::Result<Self> {
        let all = root.join("staging");
        make_folder(&all)?;
        // One after the other: else one could take another's new folder for an abandoned one, or
        // two each think that they are alone.
        let starting = open_lock(&all.join(LOCK))?;
        starting.lock()?;
        let is_alone = clear(&all)?;
        let staging = fresh::path_in(&all)?;
        make_folder(&staging)?;
        let lock = open_lock(&staging.join(LOCK))?;
        lock.lock()?;
        let now = disk_time(&staging)?;
        Ok(Self {
            staging,
            alone_since: is_alone.then_some(now),
            lock,
        })
    }

    /// What time it is for the disk, which may be another machine's.
    pub(super) fn disk_time(&self) -> io::Result<SystemTime> {
        disk_time(&self.staging)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind goes when the next one comes.
        drop(fs::remove_dir_all(&self.staging));
        drop(self.lock.unlock());
    }
}

/// Deletes the folders of those who are gone; answers whether everybody is.
fn clear(all: &Path) -> io::Result<bool> {
    let mut is_alone = true;
    for entry in fs::read_dir(all)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if !entry.file_type()?.is_dir() {
            // A server from before there were several had its files here, and had them alone.
            if name != LOCK {
                gone(fs::remove_file(path))?;
            }
            continue;
        }
        let lock = match open_lock(&path.join(LOCK)) {
            // Its owner takes it away just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        };
        match lock.try_lock() {
            Ok(()) => gone(fs::remove_dir_all(path))?,
            Err(TryLockError::WouldBlock) => is_alone = false,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(is_alone)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(path)
}

/// What is not there any more is as good as deleted.
fn gone(deleted: io::Result<()>) -> io::Result<()> {
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn disk_time(folder: &Path) -> io::Result<SystemTime> {
    let (path, file) = fresh::file_in(folder)?;
    let time = file.metadata().and_then(|it| it.modified());
    drop(fs::remove_file(path));
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_for_one_who_lives_stays_and_for_one_who_is_gone_goes() {
        let root = tempfile::tempdir().unwrap();
        let first = Place::take(root.path()).unwrap();
        assert!(first.alone_since.is_some());
        let coming = first.staging.join("coming");
        File::create(&coming).unwrap();
        let second = Place::take(root.path()).unwrap();
        assert_eq!(second.alone_since, None);
        assert!(coming.exists());
        // Its process is killed: the lock goes, and the rest stays.
        let abandoned = first.staging.clone();
        first.lock.unlock().unwrap();
        let third = Place::take(root.path()).unwrap();
        assert!(!abandoned.exists());
        assert_eq!(third.alone_since, None, "the second is there");
        drop((second, third));
        let last = Place::take(root.path()).unwrap();
        assert!(last.alone_since.is_some());
        drop(first);
    }

    #[test]
    fn what_a_server_left_that_knew_of_no_others_goes() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("staging")).unwrap();
        let old = root.path().join("staging/0123");
        File::create(&old).unwrap();
        let place = Place::take(root.path()).unwrap();
        assert!(place.alone_since.is_some() && !old.exists());
    }
}
