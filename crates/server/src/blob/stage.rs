//! A blob that is coming in to a folder.

use std::fs::{self, File};
use std::io::{self, IoSlice, Write as _};
use std::mem;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::local::blocking;
use super::{SMALL, fresh};

/// Bytes that are gathered before they go to the disk: enough to make a trip to another thread
/// cheap, few enough for many uploads at once.
const GATHER: usize = 512 * 1024;

/// A blob that is coming in. Dropping it leaves nothing behind.
///
/// Of what is small there is no file, unless it is asked for.
#[derive(Debug)]
pub(crate) struct Staging {
    target: Target,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

/// Where the bytes go.
#[derive(Debug)]
enum Target {
    /// To a file that is to be made in this folder.
    In(PathBuf),
    Open(Staged, File),
    /// Nowhere: a write was not waited for to its end.
    Gone,
}

/// A blob that came in whole and outlives a power cut. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    kept: bool,
}

impl Staging {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self {
            target: Target::In(folder),
            gathered: Vec::new(),
            gathered_bytes: 0,
        }
    }

    /// Takes bytes in.
    pub(super) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        let enough = match self.target {
            // A disk that is full is noticed early.
            Target::In(_) => SMALL + 1,
            _ => GATHER,
        };
        if self.gathered_bytes < enough {
            return Ok(());
        }
        let (mut target, gathered) = self.take();
        self.target = blocking(move || {
            target.write_all(&gathered)?;
            Ok(target)
        })
        .await?;
        Ok(())
    }

    /// All bytes, if they are so few that there is no file of them.
    pub(super) fn into_small(self) -> Result<Vec<u8>, Self> {
        match self.target {
            // In one piece: each may be a part of something larger, which it keeps in memory.
            Target::In(_) => Ok(self.gathered.concat()),
            _ => Err(self),
        }
    }

    /// Writes the rest and waits for the disk.
    pub(super) async fn finish(mut self) -> io::Result<Staged> {
        let (mut target, gathered) = self.take();
        blocking(move || {
            target.write_all(&gathered)?;
            match target {
                Target::Open(staged, file) => file.sync_data().map(|()| staged),
                _ => Err(io::ErrorKind::BrokenPipe.into()),
            }
        })
        .await
    }

    /// What is to be written, and where. If that is not waited for to its end, the file is gone and a
    /// further write fails.
    fn take(&mut self) -> (Target, Vec<Bytes>) {
        self.gathered_bytes = 0;
        let target = mem::replace(&mut self.target, Target::Gone);
        (target, mem::take(&mut self.gathered))
    }
}

impl Target {
    /// Writes to the file, which is made if there is none yet.
    fn write_all(&mut self, pieces: &[Bytes]) -> io::Result<()> {
        if let Self::In(folder) = self {
            let (staged, file) = Staged::make(folder)?;
            *self = Self::Open(staged, file);
        }
        match self {
            Self::Open(_, file) => write_all(file, pieces),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Staged {
    /// A new file, empty.
    fn make(folder: &Path) -> io::Result<(Self, File)> {
        let (path, file) = fresh::file_in(folder)?;
        Ok((Self { path, kept: false }, file))
    }

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
