//! Packing what an agent keeps.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use tar::{Builder, Header};
use zeroize::Zeroizing;

use super::{FILES, FOLDERS, MAX_FILE_BYTES};
use crate::error::{Error, Result};
use crate::private_file::check_private;
use crate::state_file::{Held, StateFile};

/// What stands for the files that are locked, and is never written.
type Nothing = ();

/// A tar of all files, as they are at one moment: nobody changes any while it is made.
pub(super) fn pack(folder: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let _held = hold(folder)?;
    let mut names: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    for below in FOLDERS {
        names.extend(files_in(folder, below)?);
    }
    // Room for all of it: a buffer that grows leaves copies of keys behind.
    let sizes = names.iter().map(|it| fs::metadata(folder.join(it)));
    let size: u64 = sizes.filter_map(|it| Some(it.ok()?.len() + 1024)).sum();
    let room = usize::try_from(size).unwrap_or_default() + 2048;
    let mut packed = Zeroizing::new(Vec::with_capacity(room));
    let mut tar = Builder::new(&mut *packed);
    for name in names {
        let path = folder.join(&name);
        let Some(content) = read(&path)? else {
            continue;
        };
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        let appended = tar.append_data(&mut header, &name, &content[..]);
        appended.map_err(Error::io("pack", &path))?;
    }
    tar.into_inner().map_err(Error::io("pack", folder))?;
    Ok(packed)
}

/// Keeps all other processes from changing anything.
pub(super) fn hold(folder: &Path) -> Result<Vec<Held<Nothing>>> {
    let mut held = Vec::new();
    for name in ["keys", "known_agents", "sequence"] {
        let lock = format!("{name}.lock");
        held.push(StateFile::<Nothing>::new(folder, name, &lock, 0).hold()?);
    }
    for name in FOLDERS {
        let (below, lock) = (folder.join(name), format!("{name}.lock"));
        if below.is_dir() {
            held.push(StateFile::<Nothing>::new(&below, name, &lock, 0).hold()?);
        }
    }
    Ok(held)
}

/// The state files in a folder below.
fn files_in(folder: &Path, below: &str) -> Result<Vec<PathBuf>> {
    let path = folder.join(below);
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io("read", &path))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io("read", &path))?.file_name();
        if name.to_str().is_some_and(super::unpack::is_state) {
            names.push(Path::new(below).join(name));
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(Error::io("read", path))?,
    };
    check_private(&file, path, MAX_FILE_BYTES)?;
    let bytes = file.metadata().map_or(0, |it| it.len());
    let room = usize::try_from(bytes).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    let reading = (&file).take(MAX_FILE_BYTES).read_to_end(&mut content);
    reading.map_err(Error::io("read", path))?;
    Ok(Some(content))
}
