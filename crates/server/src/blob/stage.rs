//! A blob that is coming in to a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::mem;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::local::blocking;
use crate::clock::random;

/// Bytes that are gathered before they go to the disk: enough to make a trip to another thread
/// cheap, few enough for many uploads at once.
const GATHER: usize = 512 * 1024;

/// A blob that is coming in. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Staging {
    staged: Staged,
    file: Option<File>,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

/// A blob that came in whole and outlives a power cut. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    kept: bool,
}

impl Staging {
    pub(super) async fn new(folder: &Path) -> io::Result<Self> {
        let name: [u8; 16] = random().map_err(io::Error::other)?;
        let path = folder.join(hex::encode(name));
        blocking(move || {
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            let staged = Staged { path, kept: false };
            Ok(Self {
                staged,
                file: Some(file),
                gathered: Vec::new(),
                gathered_bytes: 0,
            })
        })
        .await
    }

    /// Takes bytes in.
    pub(super) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        if self.gathered_bytes < GATHER {
            return Ok(());
        }
        self.flush().await
    }

    /// Writes the rest and waits for the disk.
    pub(super) async fn finish(mut self) -> io::Result<Staged> {
        self.flush().await?;
        let file = self.file.take().ok_or(io::ErrorKind::BrokenPipe)?;
        blocking(move || file.sync_data()).await?;
        Ok(self.staged)
    }

    async fn flush(&mut self) -> io::Result<()> {
        // If this is not waited for to its end, the file is gone and a further write fails.
        let mut file = self.file.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let gathered = mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        self.file = Some(
            blocking(move || {
                write_all(&mut file, &gathered)?;
                Ok(file)
            })
            .await?,
        );
        Ok(())
    }
}

impl Staged {
    /// Puts it where nothing is; two that come there at once do not replace each other.
    pub(super) fn place_at(mut self, path: &Path) -> io::Result<()> {
        match renameat_with(CWD, &self.path, CWD, path, RenameFlags::NOREPLACE) {
            // A file system that cannot do that at once has links, which fail too if the name is taken.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::hard_link(&self.path, path)?;
                fs::remove_file(&self.path)?;
            }
            done => done?,
        }
        self.kept = true;
        Ok(())
    }

    pub(super) fn rename_to(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            // What stays behind is deleted at the next start.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn write_all(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|it| IoSlice::new(it)).collect();
    let mut rest = &mut slices[..];
    // Drops leading empty pieces, without which a write of nothing would look like a full disk.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut rest, n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
