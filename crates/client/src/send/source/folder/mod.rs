//! A folder on its way: packed as a tar while it is read, without a copy of it anywhere.
//!
//! What is in it is found ahead, so that the size is known and a second reading gives the same bytes: in
//! the order of the names, without owners, and whether a file can be run is all that is said of who may
//! do what. Names are those below the folder, so the tar has no folder of its own name.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use agentdrop_protocol::FileName;
use agentdrop_seal::sha256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::OFlags;
use tar::{Builder, EntryType, Header};

use super::{Irregular, changed, refuse_keys, stamp};
use crate::error::{Error, Result, SendProblem};
use crate::identity;
use crate::receive::INCOMING;

const BLOCK: u64 = 512;
/// What stands at the end: two empty blocks.
const END: u64 = 2 * BLOCK;
/// What a field of eleven octal digits holds; what is larger stands in an extended head as well.
const MAX_OCTAL: u64 = (1 << 33) - 1;
/// More are packed better by a tool that keeps no list of them.
const MAX_ENTRIES: usize = 100_000;
/// Deeper is no folder that somebody made.
const MAX_DEPTH: usize = 200;
/// So many of what is refused are named.
const MAX_NAMED: usize = 5;
const RUNNABLE: u32 = 0o111;

/// A folder, as it was found, and how far it was read.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    entries: Vec<Entry>,
    irregular: Irregular,
    /// What was left out, below the folder.
    left_out: Vec<PathBuf>,
    next: usize,
    /// Bytes that come before those of the open file, and how many of them are gone.
    ready: (Vec<u8>, usize),
    open: Option<Open>,
    ended: bool,
}

#[derive(Debug)]
struct Entry {
    /// Below the folder.
    path: PathBuf,
    mtime: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Folder,
    File {
        bytes: u64,
        runnable: bool,
        stamp: String,
    },
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    stamp: String,
    left: u64,
    padding: usize,
}

impl Folder {
    pub(super) fn find(root: &Path, irregular: Irregular) -> Result<Self> {
        let mut found = Found::default();
        walk(root, Path::new(""), 0, &mut found)?;
        let Found { entries, others } = found;
        if let (Irregular::Refused, Some((first, problem))) = (irregular, others.first()) {
            return Err(refused(root, first, *problem, &others));
        }
        Ok(Self {
            root: root.to_owned(),
            entries,
            irregular,
            left_out: others.into_iter().map(|it| it.0).collect(),
            next: 0,
            ready: (Vec::new(), 0),
            open: None,
            ended: false,
        })
    }

    /// How many bytes the tar has.
    pub(super) fn bytes(&self) -> Result<u64> {
        let mut bytes = END;
        for entry in &self.entries {
            bytes += self.head(entry)?.len() as u64;
            if let Kind::File { bytes: of_file, .. } = entry.kind {
                bytes += of_file.next_multiple_of(BLOCK);
            }
        }
        Ok(bytes)
    }

    /// What tells this version of it from every other.
    pub(super) fn stamp(&self) -> String {
        let mut all = Vec::new();
        for entry in &self.entries {
            let stamp = match &entry.kind {
                Kind::Folder => "folder",
                Kind::File { stamp, .. } => stamp,
            };
            all.extend_from_slice(entry.path.as_os_str().as_bytes());
            all.extend_from_slice(format!("\0{}\0{stamp}\0", entry.mtime).as_bytes());
        }
        STANDARD.encode(sha256(&all))
    }

    /// What is in the folder and is not sent, for it is neither a file nor a folder.
    pub(super) fn left_out(&self) -> impl Iterator<Item = PathBuf> {
        self.left_out.iter().map(|it| self.root.join(it))
    }

    pub(super) fn rewind(&mut self) {
        (self.next, self.ready, self.open) = (0, (Vec::new(), 0), None);
        self.ended = false;
    }

    /// Reads the next bytes of the tar, of which there are enough.
    pub(super) fn read_whole(&mut self, mut piece: &mut [u8]) -> Result<()> {
        while !piece.is_empty() {
            let (ready, gone) = &mut self.ready;
            let left = ready.get(*gone..).unwrap_or_default();
            if !left.is_empty() {
                let len = left.len().min(piece.len());
                let (now, later) = piece.split_at_mut(len);
                now.copy_from_slice(left.get(..len).unwrap_or_default());
                *gone += len;
                piece = later;
            } else if let Some(open) = &mut self.open {
                if open.left == 0 {
                    self.ready = (vec![0; open.padding], 0);
                    open.expect_end()?;
                    self.open = None;
                    continue;
                }
                let room = usize::try_from(open.left).unwrap_or(usize::MAX);
                let (now, later) = piece.split_at_mut(piece.len().min(room));
                super::read_exact(&mut open.file, now, &open.path)?;
                open.left -= now.len() as u64;
                piece = later;
            } else if let Some(entry) = self.entries.get(self.next) {
                self.next += 1;
                self.ready = (self.head(entry)?, 0);
                self.open = self.open(entry)?;
            } else if self.ended {
                return Err(changed(&self.root));
            } else {
                self.ended = true;
                self.ready = (vec![0; usize::try_from(END).unwrap_or_default()], 0);
            }
        }
        Ok(())
    }

    /// Refuses a folder that is not what it was.
    pub(super) fn expect_end(&self) -> Result<()> {
        if Self::find(&self.root, self.irregular)?.stamp() != self.stamp() {
            return Err(changed(&self.root));
        }
        Ok(())
    }

    fn open(&self, entry: &Entry) -> Result<Option<Open>> {
        let Kind::File { bytes, stamp, .. } = &entry.kind else {
            return Ok(None);
        };
        let path = self.root.join(&entry.path);
        let file = File::options()
            .read(true)
            // What took its place since must not be followed, and a pipe not be waited for.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(&path)
            .map_err(|error| match error.raw_os_error() {
                Some(it) if it == rustix::io::Errno::LOOP.raw_os_error() => changed(&path),
                _ => Error::io("read", &path)(error),
            })?;
        let open = Open {
            file,
            path,
            stamp: stamp.clone(),
            left: *bytes,
            padding: usize::try_from(bytes.next_multiple_of(BLOCK) - bytes).unwrap_or_default(),
        };
        open.expect_same()?;
        Ok(Some(open))
    }

    /// What stands before an entry.
    fn head(&self, entry: &Entry) -> Result<Vec<u8>> {
        let failed = |error| Error::io("pack", self.root.join(&entry.path))(error);
        let (kind, bytes, mode) = match &entry.kind {
            Kind::Folder => (EntryType::Directory, 0, 0o755),
            Kind::File {
                bytes,
                runnable: true,
                ..
            } => (EntryType::Regular, *bytes, 0o755),
            Kind::File { bytes, .. } => (EntryType::Regular, *bytes, 0o644),
        };
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(bytes);
        header.set_mode(mode);
        header.set_mtime(entry.mtime);
        for set in [Header::set_uid, Header::set_gid] {
            set(&mut header, 0);
        }
        let path = entry.path.as_os_str().as_bytes();
        let size = bytes.to_string();
        let mut extended = Vec::new();
        if header.set_path(&entry.path).is_err() {
            extended.push(("path", path));
            // Who reads no extended heads sees the end of it.
            let name = entry.path.file_name().unwrap_or_default().as_bytes();
            let name = name.get(..name.len().min(100)).unwrap_or_default();
            let field = header.as_old_mut().name.iter_mut();
            field.zip(name).for_each(|(to, from)| *to = *from);
        }
        if bytes > MAX_OCTAL {
            extended.push(("size", size.as_bytes()));
        }
        header.set_cksum();
        let mut builder = Builder::new(Vec::new());
        builder.append_pax_extensions(extended).map_err(failed)?;
        let mut head = builder.get_ref().clone();
        head.extend_from_slice(header.as_bytes());
        Ok(head)
    }
}

impl Open {
    fn expect_same(&self) -> Result<()> {
        let about = self.file.metadata();
        let about = about.map_err(Error::io("read", &self.path))?;
        if !about.is_file() || stamp(&about) != self.stamp {
            return Err(changed(&self.path));
        }
        Ok(())
    }

    fn expect_end(&self) -> Result<()> {
        let more = io::copy(&mut (&self.file).take(1), &mut io::sink());
        if more.map_err(Error::io("read", &self.path))? > 0 {
            return Err(changed(&self.path));
        }
        self.expect_same()
    }
}

/// Whether we made it, to keep keys in or what is on its way: it is no part of what somebody sends.
fn is_ours(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name == identity::FOLDER.as_bytes() || name.starts_with(INCOMING.as_bytes())
}

/// What was found below a folder.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    /// What is neither a file nor a folder.
    others: Vec<(PathBuf, SendProblem)>,
}

/// Names a few of those that are refused, so that nobody has to find them one by one.
fn refused(
    root: &Path,
    first: &Path,
    problem: SendProblem,
    others: &[(PathBuf, SendProblem)],
) -> Error {
    if others.len() == 1 {
        let path = root.join(first);
        return Error::Send { path, problem };
    }
    let named = others.iter().take(MAX_NAMED);
    Error::Irregular {
        folder: root.to_owned(),
        first: named.map(|it| it.0.clone()).collect(),
        count: others.len(),
    }
}

/// Finds what is below `at` in the order of the names, each folder before what is in it.
fn walk(root: &Path, at: &Path, depth: usize, found: &mut Found) -> Result<()> {
    let folder = root.join(at);
    let read = |path: &Path| Error::io("read", path.to_owned());
    let wrong = |path: &Path, problem| {
        let path = root.join(path);
        Error::Send { path, problem }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(read(&folder))? {
        names.push(entry.map_err(read(&folder))?.file_name());
        if found.entries.len() + found.others.len() + names.len() > MAX_ENTRIES {
            return Err(wrong(Path::new(""), SendProblem::TooMany));
        }
    }
    names.sort();
    for name in names {
        let path = at.join(&name);
        if is_ours(&name) {
            continue;
        }
        let text = name.to_str().and_then(|it| it.parse::<FileName>().ok());
        if text.is_none() {
            return Err(wrong(&path, SendProblem::Name));
        }
        let about = fs::symlink_metadata(root.join(&path)).map_err(read(&root.join(&path)))?;
        let kind = if about.is_dir() {
            Kind::Folder
        } else if about.is_file() {
            refuse_keys(&root.join(&path), about.len())?;
            Kind::File {
                bytes: about.len(),
                runnable: about.mode() & RUNNABLE != 0,
                stamp: stamp(&about),
            }
        } else {
            let is_link = about.is_symlink();
            let link = is_link.then_some(SendProblem::Link);
            let problem = link.unwrap_or(SendProblem::NotAFile);
            found.others.push((path, problem));
            continue;
        };
        let is_folder = matches!(kind, Kind::Folder);
        found.entries.push(Entry {
            path: path.clone(),
            // What was written before 1970 was not.
            mtime: u64::try_from(about.mtime()).unwrap_or_default(),
            kind,
        });
        if is_folder {
            if depth == MAX_DEPTH {
                return Err(wrong(&path, SendProblem::TooMany));
            }
            walk(root, &path, depth + 1, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
