//! Takes back what was never made durable: a page here and there, and a name.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::model::Chance;

const PAGE: u64 = 4096;

/// The names that each folder durably has, and what they are of.
pub(super) struct Names(HashMap<PathBuf, HashMap<String, Identity>>);

/// What a file or a folder is known by, whatever its name: file systems give the inode of what was
/// deleted to what is made next, so the nanosecond in which it was made belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity {
    inode: u64,
    /// Since 1970; none where the file system does not tell.
    made: u128,
}

/// What was taken back.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) pages: u64,
    pub(super) names: u64,
    ends: u64,
}

/// What was in a file before it was written to.
struct Before {
    offset: u64,
    length: u64,
    size: u64,
    bytes: Vec<u8>,
}

impl Identity {
    fn of(entry: &fs::DirEntry) -> Self {
        let it = entry.metadata().unwrap();
        let made = it
            .created()
            .map_or(0, |it| it.duration_since(UNIX_EPOCH).unwrap().as_nanos());
        let inode = it.ino();
        Self { inode, made }
    }

    /// As the log has it: `inode.made`.
    fn read(written: &str) -> Self {
        let (inode, made) = written.split_once('.').unwrap();
        let (inode, made) = (inode.parse().unwrap(), made.parse().unwrap());
        Self { inode, made }
    }
}

impl Names {
    /// Those that are there.
    pub(super) fn of(root: &Path) -> Self {
        let mut names = HashMap::new();
        for folder in folders(root) {
            let entries = fs::read_dir(&folder).unwrap().map(Result::unwrap);
            let entries = entries.map(|it| (name(&it), Identity::of(&it)));
            names.insert(folder, entries.collect());
        }
        Self(names)
    }
}

impl Undone {
    /// While nobody writes: takes back, by chance, what the log at `undo` says was not made durable,
    /// and forgets the log.
    pub(super) fn undo(&mut self, root: &Path, undo: &Path, durable: Names, chance: &mut Chance) {
        let (mut durable, mut written) = (durable, HashMap::<u64, Vec<Before>>::new());
        let mut log = BufReader::new(File::open(undo).unwrap());
        while let Some((kind, inode, before)) = record(&mut log) {
            match kind {
                b'W' => written.entry(inode).or_default().push(before),
                b'S' | b'B' => drop(written.remove(&inode)),
                _ => {
                    let listed = String::from_utf8(before.bytes).unwrap();
                    let (folder, entries) = listed.split_once('\n').unwrap();
                    let entries = entries.lines().filter_map(|it| {
                        let (identity, name) = it.split_once(' ').unwrap();
                        let is_name = name != "." && name != "..";
                        is_name.then(|| (name.to_owned(), Identity::read(identity)))
                    });
                    durable.0.insert(folder.into(), entries.collect());
                }
            }
        }
        for folder in folders(root) {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                // The index of SQLite's log is made anew after a power cut.
                let is_index = path.to_string_lossy().ends_with("-shm");
                if path.is_file() && !is_index {
                    let inode = path.metadata().unwrap().ino();
                    let writes = written.remove(&inode).unwrap_or_default();
                    self.tear(&path, &writes, chance);
                }
            }
        }
        self.lose_names(root, &durable, chance);
        fs::remove_file(undo).unwrap();
    }

    fn tear(&mut self, path: &Path, writes: &[Before], chance: &mut Chance) {
        if writes.is_empty() || chance.below(4) == 0 {
            return;
        }
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let size = file.metadata().unwrap().len();
        for before in writes.iter().rev() {
            let (mut at, end) = (before.offset, before.offset + before.length);
            while at < end.min(size) {
                let next = (at / PAGE + 1) * PAGE;
                let length = usize::try_from(next.min(end).min(size) - at).unwrap();
                if chance.below(2) == 0 {
                    // Behind the old end there was nothing, which reads as zeros.
                    let from = usize::try_from(at - before.offset).unwrap();
                    let old = before.bytes.get(from..).unwrap_or_default();
                    let mut page: Vec<_> = old.iter().copied().take(length).collect();
                    page.resize(length, 0);
                    file.write_all_at(&page, at).unwrap();
                    self.pages += 1;
                }
                at = next;
            }
        }
        if writes[0].size < size && chance.below(2) == 0 {
            file.set_len(writes[0].size).unwrap();
            self.ends += 1;
        }
    }

    fn lose_names(&mut self, root: &Path, durable: &Names, chance: &mut Chance) {
        let mut there = HashSet::new();
        for folder in folders(root) {
            let Ok(entries) = fs::read_dir(&folder) else {
                // It was lost itself.
                continue;
            };
            let known = durable.0.get(&folder);
            for entry in entries.map(Result::unwrap) {
                let (path, identity) = (entry.path(), Identity::of(&entry));
                let is_durable = known.is_some_and(|it| it.get(&name(&entry)) == Some(&identity));
                if is_durable || chance.below(2) == 0 || !there.insert(identity) {
                    continue;
                }
                self.names += 1;
                let old = durable.0.iter().find_map(|(folder, names)| {
                    let (name, _) = names.iter().find(|it| *it.1 == identity)?;
                    Some(folder.join(name)).filter(|it| !it.exists())
                });
                match old {
                    // It was renamed.
                    Some(old) if old.parent().unwrap().exists() => fs::rename(path, old).unwrap(),
                    _ if path.is_dir() => fs::remove_dir_all(path).unwrap(),
                    _ => fs::remove_file(path).unwrap(),
                }
            }
        }
    }
}

/// All folders from `root` on.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(folders(&path));
        }
    }
    found
}

fn name(entry: &fs::DirEntry) -> String {
    entry.file_name().into_string().unwrap()
}

/// The next record, if it was written whole.
fn record(log: &mut impl Read) -> Option<(u8, u64, Before)> {
    let mut head = [0; 48];
    log.read_exact(&mut head).ok()?;
    let field = |n: usize| {
        let bytes = head[n * 8..][..8].try_into().unwrap();
        u64::from_ne_bytes(bytes)
    };
    let mut bytes = vec![0; usize::try_from(field(5)).unwrap()];
    log.read_exact(&mut bytes).ok()?;
    let before = Before {
        offset: field(2),
        length: field(3),
        size: field(4),
        bytes,
    };
    Some((u8::try_from(field(0)).unwrap(), field(1), before))
}
