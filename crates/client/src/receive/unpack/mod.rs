//! Unpacking a folder that its sender packed.
//!
//! That a file is such a folder is the server's word, and what is in it the sender's: it is safe
//! whatever they say. Only files and folders are made, in a new folder, below which no link is; a name
//! leads no further than one step down, and what is there already is an error. There is no
//! compression, so it takes no more room than it came with. Of what the tar says of who may do what,
//! it is kept whether a file can be run.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};

use agentdrop_protocol::FileName;
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use tar::{Archive, EntryType, Header, PaxExtensions};

use super::staging::FOLDER_FLAGS;

const MAX_ENTRIES: usize = if cfg!(test) { 1_000 } else { 100_000 };
/// Steps down. Our sender packs folders 200 deep, and what is in the last.
const MAX_STEPS: usize = 202;
/// A path is a few thousand bytes at most, and little else is said beside it.
const MAX_EXTENDED_BYTES: u64 = 64 * 1024;
const ALL: u32 = 0o777;
const RUNNABLE: u32 = 0o111;

/// Makes the folder `name` in `folder`, and unpacks `packed` into it, or says why that is not done.
///
/// On an error, throw away what is there by then.
pub(super) fn unpack(packed: &File, folder: &File, name: &str) -> Result<(), String> {
    let failed = |error: Errno| error.to_string();
    mkdirat(folder, name, mode(ALL)).map_err(failed)?;
    let root = File::from(open_folder(folder, name).map_err(failed)?);
    Unpacking {
        bytes: packed.metadata().map_err(|it| it.to_string())?.len(),
        root: &root,
        seen: HashSet::new(),
    }
    .run(packed)?;
    sync(&root).map_err(|it| it.to_string())
}

struct Unpacking<'a> {
    /// How many there are of the tar.
    bytes: u64,
    root: &'a File,
    seen: HashSet<Vec<u8>>,
}

/// What an extended head says of the entry behind it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    bytes: Option<u64>,
}

impl Unpacking<'_> {
    fn run(mut self, packed: &File) -> Result<(), String> {
        let broken = |error: io::Error| format!("it is no tar that can be read: {error}");
        let mut archive = Archive::new(packed);
        let mut extended = None;
        // Raw, or the library would hold extended heads of any size in memory.
        for entry in archive.entries().map_err(broken)?.raw(true) {
            let mut entry = entry.map_err(broken)?;
            let (header, bytes) = (entry.header().clone(), entry.size());
            let end = entry.raw_file_position().checked_add(bytes);
            if end.is_none_or(|it| it > self.bytes) {
                return Err("an entry is longer than all of it".to_owned());
            }
            if header.entry_type() == EntryType::XHeader && extended.is_none() {
                if bytes > MAX_EXTENDED_BYTES {
                    return Err("an extended head is too long".to_owned());
                }
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(broken)?;
                extended = Some(Extended::read(&content)?);
                continue;
            }
            let extended = extended.take().unwrap_or_default();
            if extended.bytes.is_some_and(|it| it != bytes) {
                return Err("it says two lengths of one entry".to_owned());
            }
            let path = extended.path.unwrap_or_else(|| header.path_bytes().into());
            let steps = steps(&path, header.entry_type())?;
            if self.seen.len() == MAX_ENTRIES {
                return Err(format!("it has more than {MAX_ENTRIES} entries"));
            }
            if !self.seen.insert(steps.join("/").into_bytes()) {
                return Err("it has two entries of one name".to_owned());
            }
            self.make(&header, &steps, bytes, &mut entry)?;
        }
        Ok(())
    }

    fn make(
        &self,
        header: &Header,
        steps: &[&str],
        bytes: u64,
        content: &mut impl io::Read,
    ) -> Result<(), String> {
        let failed = |error: io::Error| error.to_string();
        match header.entry_type() {
            EntryType::Directory => self.folder(steps).map(drop),
            EntryType::Regular => {
                let (name, above) = steps.split_last().ok_or("an entry has no name")?;
                let within = self.folder(above)?;
                let runnable = header.mode().map_err(failed)? & RUNNABLE;
                let runnable = if runnable == 0 { 0 } else { RUNNABLE };
                let flags = OFlags::WRONLY
                    | OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let mode = mode((ALL & !RUNNABLE) | runnable);
                let file = openat(&within, *name, flags, mode);
                let mut file = File::from(file.map_err(taken)?);
                if io::copy(content, &mut file).map_err(failed)? != bytes {
                    return Err("an entry is shorter than it says".to_owned());
                }
                sync_each(&file).map_err(failed)
            }
            _ => Err("it has links, devices or other things that are no files".to_owned()),
        }
    }

    /// The folder that is so many steps down, which is made if there is none.
    fn folder(&self, steps: &[&str]) -> Result<File, String> {
        let mut folder = self.root.try_clone().map_err(|it| it.to_string())?;
        for step in steps {
            match mkdirat(&folder, *step, mode(ALL)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.to_string()),
            }
            folder = open_folder(&folder, step).map_err(taken)?.into();
        }
        Ok(folder)
    }
}

impl Extended {
    fn read(content: &[u8]) -> Result<Self, String> {
        let mut said = Self::default();
        for field in PaxExtensions::new(content) {
            let field = field.map_err(|it| format!("an extended head is wrong: {it}"))?;
            let twice = match field.key_bytes() {
                b"path" => said.path.replace(field.value_bytes().to_vec()).is_some(),
                b"size" => {
                    let bytes = field.value().ok().and_then(|it| it.parse().ok());
                    let bytes = bytes.ok_or("a length is no number")?;
                    said.bytes.replace(bytes).is_some()
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err("it has files with holes".to_owned());
                }
                _ => false,
            };
            if twice {
                return Err("an extended head says one thing twice".to_owned());
            }
        }
        Ok(said)
    }
}

/// The names on the way down to an entry.
fn steps(path: &[u8], kind: EntryType) -> Result<Vec<&str>, String> {
    let text = std::str::from_utf8(path).map_err(|_| "a name is no UTF-8")?;
    let folder = text.strip_suffix('/').filter(|_| kind.is_dir());
    let text = folder.unwrap_or(text);
    let steps: Vec<&str> = text.split('/').collect();
    let is_name = |it: &&str| !it.contains('\\') && it.parse::<FileName>().is_ok();
    if !steps.iter().all(is_name) {
        return Err("it has a name that leads elsewhere, or cannot be shown".to_owned());
    }
    if steps.len() > MAX_STEPS {
        return Err("its folders are too deep".to_owned());
    }
    Ok(steps)
}

fn open_folder(folder: &File, name: &str) -> Result<std::os::fd::OwnedFd, Errno> {
    openat(folder, name, FOLDER_FLAGS | OFlags::NOFOLLOW, Mode::empty())
}

fn taken(error: Errno) -> String {
    match error {
        Errno::EXIST | Errno::NOTDIR | Errno::LOOP => "it has two things of one name".to_owned(),
        error => error.to_string(),
    }
}

fn mode(bits: u32) -> Mode {
    Mode::from_bits_truncate(bits)
}

/// Writes all of a file system to its disk at once: many small files would take long one by one.
#[cfg(target_os = "linux")]
fn sync(root: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(root)?)
}

#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
const fn sync_each(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn sync(root: &File) -> io::Result<()> {
    root.sync_all()
}

#[cfg(not(target_os = "linux"))]
fn sync_each(file: &File) -> io::Result<()> {
    file.sync_all()
}

#[cfg(test)]
mod tests;
