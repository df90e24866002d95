//! How received files get to where they go.
//!
//! Names of strangers are used only as the last component of a rename that replaces nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use agentdrop_protocol::FileName;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fsync, linkat, mkdirat, openat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::staging::Staging;
use super::state::Marked;
use crate::error::{Error, Result};

/// Names that are tried for one file.
const MAX_NAMES: u32 = 10_000;

/// What waits to be placed.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    /// Which file of the grant it is.
    pub(super) n: usize,
    /// What it is called while it waits.
    pub(super) source: String,
    /// What its sender called it.
    pub(super) name: FileName,
    /// How many bytes it has.
    pub(super) bytes: u64,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
}

/// What an earlier process placed.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) n: usize,
    /// What it is called there.
    pub(super) name: FileName,
    pub(super) path: PathBuf,
}

/// Says what each can be known by once it is placed.
pub(super) fn mark(staging: &Staging, ready: &[Ready], already: &[Placed]) -> Result<Vec<Marked>> {
    let marked = |it: &Ready| {
        let is_placed = already.iter().find(|placed| placed.n == it.n);
        let mark = match is_placed {
            Some(placed) => open(&staging.target, placed.name.as_str()).and_then(|it| mark_of(&it)),
            None => open(&staging.folder, &it.source).and_then(|it| mark_of(&it)),
        };
        Ok(Marked {
            n: it.n,
            name: it.name.clone(),
            bytes: it.bytes,
            is_folder: it.is_folder,
            mark: mark.map_err(Error::io("place", it.name.as_str()))?,
        })
    };
    ready.iter().map(marked).collect()
}

/// Finds those of the files that were placed, under their name or that name with a number.
pub(super) fn find(staging: &Staging, files: &[Marked]) -> Vec<Placed> {
    let found = files.iter().filter_map(|file| {
        let cleaned = cleaned(&file.name, file.is_folder);
        for n in 0..MAX_NAMES {
            let name = numbered(&cleaned, n);
            match open(&staging.target, name.as_str()) {
                Ok(there) if mark_of(&there).is_ok_and(|it| it == file.mark) => {
                    let path = staging.target_path.join(name.as_str());
                    let n = file.n;
                    return Some(Placed { n, name, path });
                }
                // Behind the first name that nobody has, it is not.
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                _ => {}
            }
        }
        None
    });
    found.collect()
}

/// Places all that is ready, each under its name or that name with a number, and answers where.
///
/// Either all are placed or none.
pub(super) fn place(
    staging: &Staging,
    ready: &[Ready],
    already: &[Placed],
) -> Result<Vec<PathBuf>> {
    let (folder, target) = (&staging.folder, &staging.target);
    let mut paths = Vec::new();
    let mut placed: Vec<(&Ready, FileName)> = Vec::new();
    for it in ready {
        if let Some(there) = already.iter().find(|there| there.n == it.n) {
            paths.push(there.path.clone());
            continue;
        }
        match place_one(staging, it) {
            Ok(name) => {
                paths.push(staging.target_path.join(name.as_str()));
                placed.push((it, name));
            }
            Err(error) => {
                for (it, name) in placed {
                    move_to(target, name.as_str(), folder, &it.source).ok();
                }
                let path = staging.target_path.join(it.name.as_str());
                return Err(Error::io("place", path)(error));
            }
        }
    }
    // The names are on disk when the folder is, and before the sender is told.
    let synced = fsync(target);
    synced.map_err(|it| Error::io("write", &*staging.target_path)(it.into()))?;
    Ok(paths)
}

fn place_one(staging: &Staging, ready: &Ready) -> io::Result<FileName> {
    let cleaned = cleaned(&ready.name, ready.is_folder);
    for n in 0..MAX_NAMES {
        let name = numbered(&cleaned, n);
        let moved = move_to(
            &staging.folder,
            &ready.source,
            &staging.target,
            name.as_str(),
        );
        match moved {
            Ok(()) => return Ok(name),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EXIST.into())
}

/// What a file or folder is called here, if nothing else is.
fn cleaned(name: &FileName, is_folder: bool) -> FileName {
    let whole = name.as_str();
    let packed = whole.strip_suffix(".tar").filter(|_| is_folder);
    FileName::cleaned(packed.unwrap_or(whole))
}

fn numbered(name: &FileName, n: u32) -> FileName {
    if n == 0 {
        name.clone()
    } else {
        name.numbered(n)
    }
}

pub(super) fn open(folder: &File, name: &str) -> io::Result<File> {
    // Whoever opens a pipe waits for its other end, if that is not declined.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::empty())?.into())
}

/// Inodes are given again, but hardly to what was written in the same nanosecond.
fn mark_of(file: &File) -> io::Result<(u64, i64, i64)> {
    let about = file.metadata()?;
    Ok((about.ino(), about.mtime(), about.mtime_nsec()))
}

/// Renames without replacing: where the file system cannot do that at once, by a link, which fails too
/// if the name is taken. A folder has no second name: it replaces an empty one that was made for it.
fn move_to(from: &File, old: &str, to: &File, new: &str) -> Result<(), Errno> {
    match renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if is_folder(from, old) => {
            folder_to(from, old, to, new)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_to(from, old, to, new),
        done => done,
    }
}

fn is_folder(within: &File, name: &str) -> bool {
    let about = statat(within, name, AtFlags::SYMLINK_NOFOLLOW);
    about.is_ok_and(|it| FileType::from_raw_mode(it.st_mode).is_dir())
}

fn folder_to(from: &File, old: &str, to: &File, new: &str) -> Result<(), Errno> {
    mkdirat(to, new, Mode::RWXU)?;
    match renameat(from, old, to, new) {
        // Somebody was faster, and put something there: it stays, as whatever has that name.
        Err(Errno::NOTEMPTY | Errno::NOTDIR) => Err(Errno::EXIST),
        Err(error) => {
            unlinkat(to, new, AtFlags::REMOVEDIR).ok();
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

fn link_to(from: &File, old: &str, to: &File, new: &str) -> Result<(), Errno> {
    linkat(from, old, to, new, AtFlags::empty())?;
    unlinkat(from, old, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use agentdrop_protocol::TransferId;
    use rustix::fs::mknodat;

    use super::*;
    use crate::receive::staging::{open_target, opened};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn staging(target: &Path, contents: &[&str]) -> Staging {
        let id = TransferId::from_bytes([1; 16]);
        let (folder, none) = (open_target(target).unwrap(), HashSet::new());
        let staging = Staging::make(target, &folder, id, &none);
        let staging = staging.unwrap().unwrap();
        for (n, content) in contents.iter().enumerate() {
            let mut file = staging.opened(n).unwrap();
            file.write_all(content.as_bytes()).unwrap();
        }
        staging
    }

    fn ready(names: &[&str]) -> Vec<Ready> {
        let ready = names.iter().enumerate().map(|(n, name)| Ready {
            n,
            source: opened(n),
            name: FileName::cleaned(name),
            bytes: 3,
            is_folder: false,
        });
        ready.collect()
    }

    fn placed(staging: &Staging, names: &[&str]) -> Result<Vec<PathBuf>> {
        place(staging, &ready(names), &[])
    }

    #[test]
    fn nothing_is_replaced_and_both_of_two_equal_names_are_kept() {
        let target = tempfile::tempdir().unwrap();
        File::create(target.path().join("a.txt")).unwrap();
        let staging = staging(target.path(), &["one", "two"]);
        let placed = placed(&staging, &["a.txt", "a.txt"]).unwrap();
        drop(staging);
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
        placed(&staging(target.path(), &["one"]), &["a"]).unwrap();
        assert!(!goal.exists());
        assert_eq!(names(target.path()), ["a", "a (1)"]);
    }

    #[test]
    fn what_waits_is_private_and_goes_when_it_is_dropped() {
        let target = tempfile::tempdir().unwrap();
        let staging = staging(target.path(), &["one"]);
        let folder = staging.path();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("0.open")) & 0o600, 0o600);
        drop(staging);
        assert_eq!(names(target.path()), [""; 0]);
    }

    #[test]
    fn where_one_cannot_be_placed_none_is() {
        let target = tempfile::tempdir().unwrap();
        let staging = staging(target.path(), &["one"]);
        // The second was never opened, so it cannot be placed.
        let error = placed(&staging, &["a", "b"]).unwrap_err();
        assert_eq!(error.code(), "IO");
        drop(staging);
        assert_eq!(names(target.path()), [""; 0]);
    }

    #[test]
    fn what_was_placed_is_known_again_and_not_placed_twice() {
        let target = tempfile::tempdir().unwrap();
        File::create(target.path().join("a")).unwrap();
        let staging = staging(target.path(), &["one", "two"]);
        let marks = mark(&staging, &ready(&["a", "b"]), &[]).unwrap();
        assert!(find(&staging, &marks).is_empty());
        // As far as a process came that was killed in between.
        placed(&staging, &["a"]).unwrap();
        let already = find(&staging, &marks);
        assert_eq!(already.len(), 1);
        assert_eq!(already[0].path, target.path().join("a (1)"));
        let paths = place(&staging, &ready(&["a", "b"]), &already).unwrap();
        assert_eq!(paths, ["a (1)", "b"].map(|it| target.path().join(it)));
        drop(staging);
        assert_eq!(names(target.path()), ["a", "a (1)", "b"]);
    }

    #[test]
    fn what_took_the_place_of_what_was_placed_is_not_followed_and_not_waited_for() {
        let target = tempfile::tempdir().unwrap();
        let staging = staging(target.path(), &["one"]);
        let ready = ready(&["a"]);
        let marks = mark(&staging, &ready, &[]).unwrap();
        placed(&staging, &["a"]).unwrap();
        let already = find(&staging, &marks);
        fs::rename(target.path().join("a"), target.path().join("b")).unwrap();
        symlink("b", target.path().join("a")).unwrap();
        assert_eq!(mark(&staging, &ready, &already).unwrap_err().code(), "IO");
        fs::remove_file(target.path().join("a")).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(&staging.target, "a", FileType::Fifo, mode, 0).unwrap();
        let another = mark(&staging, &ready, &already).unwrap();
        assert_ne!(another[0].mark, marks[0].mark);
    }

    #[test]
    fn a_link_does_what_a_rename_does() {
        let target = tempfile::tempdir().unwrap();
        let staging = staging(target.path(), &["one"]);
        let (from, to) = (&staging.folder, &staging.target);
        link_to(from, "0.open", to, "a").unwrap();
        staging.opened(0).unwrap();
        assert_eq!(link_to(from, "0.open", to, "a"), Err(Errno::EXIST));
        assert_eq!(fs::read(target.path().join("a")).unwrap(), b"one");
    }

    #[test]
    fn a_folder_goes_where_nothing_is_also_without_a_rename_that_knows_that() {
        let target = tempfile::tempdir().unwrap();
        let staging = staging(target.path(), &[]);
        let (from, to) = (&staging.folder, &staging.target);
        let make = || {
            fs::create_dir(staging.path().join("0.tree")).unwrap();
            let mut file = File::create(staging.path().join("0.tree/a")).unwrap();
            file.write_all(b"one").unwrap();
        };
        make();
        assert!(is_folder(from, "0.tree"));
        folder_to(from, "0.tree", to, "report").unwrap();
        assert_eq!(fs::read(target.path().join("report/a")).unwrap(), b"one");
        make();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir(target.path().join("empty")).unwrap();
        File::create(target.path().join("file")).unwrap();
        symlink(elsewhere.path(), target.path().join("link")).unwrap();
        for taken in ["report", "empty", "file", "link"] {
            let placed = folder_to(from, "0.tree", to, taken);
            assert_eq!(placed, Err(Errno::EXIST), "{taken}");
        }
        assert_eq!(names(elsewhere.path()), [""; 0]);
        assert_eq!(names(&target.path().join("empty")), [""; 0]);
        assert_eq!(names(&staging.path()), ["0.tree"]);
    }
}
