//! Files and folders of a name that was drawn, which nobody else has.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::clock::random;

/// A path in this folder where nothing is.
pub(super) fn path_in(folder: &Path) -> io::Result<PathBuf> {
    let name: [u8; 16] = random().map_err(io::Error::other)?;
    Ok(folder.join(hex::encode(name)))
}

/// A new file in this folder, empty and for its owner alone, and where it is.
pub(super) fn file_in(folder: &Path) -> io::Result<(PathBuf, File)> {
    let path = path_in(folder)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    Ok((path, file))
}
