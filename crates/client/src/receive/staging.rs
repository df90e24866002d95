//! A private folder inside the target, where received files wait until all of them are good.
//!
//! Everything is relative to open folders, so that no name can lead elsewhere, and no link is
//! followed. What is in the folder is believed by nobody: the state is sealed, and so are the files.

use std::collections::HashSet;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use agentdrop_protocol::TransferId;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstatvfs, fsync, mkdirat,
    openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::place;
use super::unpack::unpack;
use crate::error::{Error, Result};

pub(crate) const PREFIX: &str = ".agentdrop-incoming-";
pub(super) const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
const STATE: &str = "state";
const NEXT_STATE: &str = "state.next";
/// A hundred files and a message of 10,000 characters are a tenth of this.
const MAX_STATE_BYTES: u64 = 1024 * 1024;
/// How deep a folder in here can be that is removed; what is deeper was not made by us.
const MAX_DEPTH: u32 = 300;
/// Group and others, in any way.
const TOO_OPEN: u32 = 0o077;

/// A private folder inside the target. When this is dropped it goes, with what is in it, unless it
/// was [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Staging {
    pub(super) target_path: PathBuf,
    pub(super) target: File,
    pub(super) folder: File,
    name: String,
    kept: AtomicBool,
}

impl Staging {
    /// Makes a new one for a transfer; none, if somebody else of us is just doing that.
    ///
    /// All of us try the same names in the same order, so that of two who begin at once one finds its
    /// name taken. Names that are `taken` by what is not ours to use are passed over, and so is what
    /// another user put there.
    pub(super) fn make(
        target_path: &Path,
        target: &File,
        id: TransferId,
        taken: &HashSet<String>,
    ) -> Result<Option<Self>> {
        let failed = |error: io::Error| Error::io("write to", target_path)(error);
        let names = (0..=u32::MAX).map(|n| format!("{PREFIX}{id}-{n:08x}"));
        for name in names.filter(|it| !taken.contains(it)) {
            match mkdirat(target, &name, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => {
                    let other = open_folder(target, &name);
                    let is_gone = matches!(other, Err(Errno::NOENT));
                    if is_gone || other.is_ok_and(|it| check_private(&it).is_ok()) {
                        return Ok(None);
                    }
                    continue;
                }
                Err(error) => return Err(failed(error.into())),
            }
            let folder = match open_folder(target, &name) {
                Ok(folder) => folder,
                Err(Errno::NOENT) => return Ok(None),
                // It is not removed: by now that name may be another's of us.
                Err(error) => return Err(failed(error.into())),
            };
            // Between the two, whoever may write to the target could have put their own there.
            if folder.metadata().map_err(failed)?.uid() != our_uid() {
                return Err(failed(io::Error::other(
                    "a folder made there belongs to another user",
                )));
            }
            // Another that sweeps may have been faster, and have removed it.
            if !lock(&folder, target, &name) {
                return Ok(None);
            }
            let target = target.try_clone().map_err(failed)?;
            return Ok(Some(Self::new(target_path, target, folder, name)));
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    pub(super) fn new(target_path: &Path, target: File, folder: File, name: String) -> Self {
        Self {
            target_path: target_path.to_owned(),
            target,
            folder,
            name,
            kept: AtomicBool::new(false),
        }
    }

    /// Leaves what is here for the next process, however this one ends.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Whether it is ours alone. Some file systems know no owners, and the next process could not tell.
    pub(super) fn is_private(&self) -> bool {
        check_private(&self.folder).is_ok()
    }

    /// Removes it when it is dropped.
    pub(super) fn discard(&self) {
        self.kept.store(false, Ordering::Relaxed);
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.target_path.join(&self.name)
    }

    /// The file for the sealed bytes of file `n`, with those that are here, and how many they are.
    ///
    /// It has the mode of any new file, less what the umask takes away; until it is placed, its folder
    /// keeps others out.
    pub(super) fn part(&self, n: usize) -> Result<(File, u64)> {
        // Whoever opens a pipe waits for its other end, if that is not declined.
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(found) = openat(&self.folder, part(n), flags, Mode::empty()) {
            let found = File::from(found);
            let about = found.metadata().map_err(self.failed())?;
            // Of two names, the other would lead to whatever somebody else has there.
            if about.is_file() && about.uid() == our_uid() && about.nlink() == 1 {
                return Ok((found, about.len()));
            }
        }
        Ok((self.create(&part(n))?, 0))
    }

    /// An empty file in place of the sealed bytes of file `n`.
    pub(super) fn empty_part(&self, n: usize) -> Result<()> {
        self.create(&part(n)).map(drop)
    }

    /// Removes what is here of file `n`, sealed or opened.
    pub(super) fn forget_bytes(&self, n: usize) {
        for name in [part(n), opened(n), tree(n)] {
            remove(&self.folder, &*name, MAX_DEPTH).ok();
        }
    }

    /// A new file for what file `n` opens to.
    pub(super) fn opened(&self, n: usize) -> Result<File> {
        self.create(&opened(n))
    }

    /// Unpacks file `n`, and answers what the folder is called, or why it is not unpacked.
    pub(super) fn unpack(&self, n: usize, source: &str) -> Result<String, String> {
        let name = tree(n);
        remove(&self.folder, &*name, MAX_DEPTH).ok();
        let packed = place::open(&self.folder, source).map_err(|it| it.to_string())?;
        let room = packed.metadata().map(|it| it.len());
        let room = room.is_ok_and(|it| self.room().is_ok_and(|room| room > it));
        if !room {
            return Err("there is no room on the disk to unpack it".to_owned());
        }
        unpack(&packed, &self.folder, &name).inspect_err(|_| {
            remove(&self.folder, &*name, MAX_DEPTH).ok();
        })?;
        Ok(name)
    }

    fn create(&self, name: &str) -> Result<File> {
        remove(&self.folder, name, MAX_DEPTH).ok();
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, name, flags, mode);
        let file = file.map_err(|it| self.failed()(it.into()))?;
        Ok(file.into())
    }

    /// Writes the state, in place of the last one; it is on disk when this returns.
    pub(super) fn write_state(&self, content: &[u8]) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = || -> io::Result<()> {
            remove(&self.folder, NEXT_STATE, MAX_DEPTH).ok();
            let mode = Mode::RUSR | Mode::WUSR;
            let mut file = File::from(openat(&self.folder, NEXT_STATE, flags, mode)?);
            file.write_all(content)?;
            file.sync_all()?;
            renameat(&self.folder, NEXT_STATE, &self.folder, STATE)?;
            Ok(fsync(&self.folder)?)
        };
        written().map_err(self.failed())
    }

    /// How many bytes the disk takes still.
    pub(super) fn room(&self) -> Result<u64> {
        let about = fstatvfs(&self.folder).map_err(|it| self.failed()(it.into()))?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }

    /// Refuses what the disk has no room for.
    pub(super) fn require_room(&self, bytes: u64) -> Result<()> {
        let about = fstatvfs(&self.folder).map_err(|it| self.failed()(it.into()))?;
        // Some file systems do not say how large they are.
        if about.f_blocks > 0 && about.f_bavail.saturating_mul(about.f_frsize) < bytes {
            return Err(self.failed()(io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        Error::io("write to", self.target_path.clone())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Relaxed) {
            erase(&self.target, &self.name, &self.folder);
        }
    }
}

/// Opens the target, which is made if there is none.
pub(crate) fn open_target(path: &Path) -> Result<File> {
    fs::create_dir_all(path).map_err(Error::io("create", path))?;
    let opened = openat(CWD, path, FOLDER_FLAGS, Mode::empty());
    let opened = opened.map_err(|it| Error::io("write to", path)(it.into()))?;
    Ok(opened.into())
}

/// Opens a folder, unless it is a link to one.
pub(crate) fn open_folder(target: &File, name: &str) -> Result<File, Errno> {
    let flags = FOLDER_FLAGS | OFlags::NOFOLLOW;
    openat(target, name, flags, Mode::empty()).map(File::from)
}

/// Says why a folder is not ours alone, if it is not.
pub(super) fn check_private(folder: &File) -> Result<(), &'static str> {
    let about = folder.metadata().map_err(|_| "nothing is known of it")?;
    if about.uid() != our_uid() {
        return Err("it belongs to another user");
    }
    if about.mode() & TOO_OPEN != 0 {
        return Err("others may enter it");
    }
    Ok(())
}

/// Whether the folder is this process's alone from now on, and still has this name.
pub(crate) fn lock(folder: &File, target: &File, name: &str) -> bool {
    if flock(folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    let named = open_folder(target, name).map(|it| it.metadata());
    let same = |named: fs::Metadata| {
        let held = folder.metadata().ok()?;
        Some((named.dev(), named.ino()) == (held.dev(), held.ino()))
    };
    let named = named.ok().and_then(Result::ok);
    named.and_then(same).unwrap_or_default()
}

/// Reads the state in a folder that is ours alone; `None` where there is none.
pub(super) fn read_state(folder: &File) -> Result<Option<Vec<u8>>, &'static str> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(folder, STATE, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(_) => return Err("its state is no file that can be read"),
    };
    let about = file
        .metadata()
        .map_err(|_| "nothing is known of its state")?;
    if !about.is_file() || about.len() > MAX_STATE_BYTES {
        return Err("its state is no small file");
    }
    if about.uid() != our_uid() {
        return Err("its state belongs to another user");
    }
    if about.mode() & TOO_OPEN != 0 {
        return Err("others may read its state");
    }
    let mut content = Vec::new();
    let read = file.take(MAX_STATE_BYTES).read_to_end(&mut content);
    read.map_err(|_| "its state cannot be read")?;
    Ok(Some(content))
}

/// When something was last written in a folder, in seconds since 1970.
pub(super) fn last_written(folder: &File) -> io::Result<i64> {
    let mut last = folder.metadata()?.mtime();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if entry.file_name() != c".." {
            let about = statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            last = last.max(about.st_mtime);
        }
    }
    Ok(last)
}

/// How many sealed bytes are in a folder.
pub(super) fn part_bytes(folder: &File) -> u64 {
    let entries = Dir::read_from(folder).into_iter().flatten().flatten();
    let parts = entries.filter(|it| it.file_name().to_bytes().ends_with(b".part"));
    let sizes = parts.filter_map(|it| {
        let about = statat(folder, it.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        u64::try_from(about.st_size).ok()
    });
    sizes.sum()
}

/// Removes a folder of ours, and answers whether it is gone. What a person put into it stays, and the
/// folder with it.
pub(super) fn erase(target: &File, name: &str, folder: &File) -> bool {
    let Ok(entries) = Dir::read_from(folder) else {
        return false;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_ok_and(is_ours) {
            remove(folder, name, MAX_DEPTH).ok();
        }
    }
    unlinkat(target, name, AtFlags::REMOVEDIR).is_ok()
}

fn is_ours(name: &str) -> bool {
    let numbered = |suffix| {
        let n = name.strip_suffix(suffix);
        n.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    };
    [STATE, NEXT_STATE].contains(&name) || [".part", ".open", ".tree"].into_iter().any(numbered)
}

/// Removes what has a name, and if it is a folder what is in it, without following a link.
pub(super) fn remove(
    folder: &File,
    name: impl rustix::path::Arg + Copy,
    depth: u32,
) -> Result<(), Errno> {
    match unlinkat(folder, name, AtFlags::empty()) {
        // Which of the two a folder answers differs between systems.
        Err(Errno::ISDIR | Errno::PERM) => {}
        done => return done,
    }
    let below = depth.checked_sub(1).ok_or(Errno::LOOP)?;
    let flags = FOLDER_FLAGS | OFlags::NOFOLLOW;
    let inner = File::from(openat(folder, name, flags, Mode::empty())?);
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            remove_entry(&inner, entry.file_name(), entry.file_type(), below)?;
        }
    }
    unlinkat(folder, name, AtFlags::REMOVEDIR)
}

fn remove_entry(folder: &File, name: &CStr, kind: FileType, depth: u32) -> Result<(), Errno> {
    match kind {
        FileType::Directory | FileType::Unknown => remove(folder, name, depth),
        _ => unlinkat(folder, name, AtFlags::empty()),
    }
}

pub(super) fn part(n: usize) -> String {
    format!("{n}.part")
}

pub(super) fn opened(n: usize) -> String {
    format!("{n}.open")
}

fn tree(n: usize) -> String {
    format!("{n}.tree")
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
