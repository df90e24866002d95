//! Files on their way out: what they are, and that they stay so.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use agentdrop_protocol::FileName;
use agentdrop_protocol::limits::{MAX_FILES, MAX_SEALED_BYTES};
use agentdrop_seal::TAG_BYTES;
use rustix::fs::OFlags;

use crate::error::{Error, Result, SendProblem};

/// A piece of a file on its way: large enough that switching threads costs nothing.
pub(super) const PIECE_BYTES: usize = 256 * 1024;
const MAX_PLAINTEXT_BYTES: u64 = MAX_SEALED_BYTES - TAG_BYTES as u64;

/// A file to be sent.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) name: FileName,
    pub(super) bytes: u64,
    file: File,
    /// What it is known by, as it was opened; no two versions of a file have the same, unless
    /// somebody takes pains.
    stamp: String,
}

impl Source {
    fn open(path: PathBuf) -> Result<Self> {
        let wrong = |problem| Error::Send {
            path: path.clone(),
            problem,
        };
        let name = path.file_name().and_then(|it| it.to_str());
        let name = name.and_then(|it| it.parse().ok());
        let check = |kind: fs::FileType| {
            if kind.is_dir() {
                Err(wrong(SendProblem::Folder))
            } else if kind.is_file() {
                Ok(())
            } else {
                Err(wrong(SendProblem::NotAFile))
            }
        };
        // Before opening, for opening a device can do something; after it, for it can be another by then.
        check(
            fs::metadata(&path)
                .map_err(Error::io("read", &path))?
                .file_type(),
        )?;
        let name = name.ok_or_else(|| wrong(SendProblem::Name))?;
        let file = File::options()
            .read(true)
            // A pipe that took its place would wait for a writer for ever.
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path)
            .map_err(Error::io("read", &path))?;
        let about = file.metadata().map_err(Error::io("read", &path))?;
        check(about.file_type())?;
        if about.len() > MAX_PLAINTEXT_BYTES {
            return Err(wrong(SendProblem::TooLarge));
        }
        Ok(Self {
            name,
            bytes: about.len(),
            stamp: stamp(&about),
            file,
            path,
        })
    }

    /// What tells this version of it from every other.
    pub(super) fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Where it is, whatever it is called by; nothing, if it cannot be read again.
    pub(super) fn canonical(&self) -> Result<Option<PathBuf>> {
        let path = fs::canonicalize(&self.path);
        path.map(Some).map_err(Error::io("find", &self.path))
    }

    pub(super) fn read_whole(&mut self, piece: &mut [u8]) -> Result<()> {
        let read = self.file.read_exact(piece);
        read.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => changed(&self.path),
            _ => Error::io("read", &self.path)(error),
        })
    }

    /// Back to the beginning, to be read once more.
    pub(super) fn rewind(&mut self) -> Result<()> {
        self.file.rewind().map_err(Error::io("read", &self.path))
    }

    /// Refuses a file of which there is more than there was, or that somebody wrote to meanwhile.
    pub(super) fn expect_end(&self) -> Result<()> {
        let more = io::copy(&mut (&self.file).take(1), &mut io::sink());
        let more = more.map_err(Error::io("read", &self.path))?;
        let about = self.file.metadata();
        let about = about.map_err(Error::io("read", &self.path))?;
        if more > 0 || stamp(&about) != self.stamp {
            return Err(changed(&self.path));
        }
        Ok(())
    }
}

/// Which file it is, how long, and when it was written to.
fn stamp(about: &fs::Metadata) -> String {
    let (device, inode) = (about.dev(), about.ino());
    let (size, seconds, nanos) = (about.size(), about.mtime(), about.mtime_nsec());
    format!("{device}:{inode}:{size}:{seconds}.{nanos:09}")
}

pub(super) async fn open_all(paths: Vec<PathBuf>) -> Result<Vec<Source>> {
    let count = paths.len();
    if count == 0 || count > MAX_FILES {
        return Err(Error::FileCount(count));
    }
    let opening = move || paths.into_iter().map(Source::open).collect();
    tokio::task::spawn_blocking(opening)
        .await
        .expect("opening files does not panic")
}

pub(super) fn changed(path: &Path) -> Error {
    Error::Send {
        path: path.to_owned(),
        problem: SendProblem::Changed,
    }
}
