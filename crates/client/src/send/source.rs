//! Files on their way out: what they are, and that they stay so.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
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
    pub(super) file: File,
    pub(super) bytes: u64,
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
            file,
            bytes: about.len(),
            path,
        })
    }
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

pub(super) fn read_whole(file: &mut File, piece: &mut [u8], path: &Path) -> Result<()> {
    file.read_exact(piece).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => changed(path),
        _ => Error::io("read", path)(error),
    })
}

/// Back to the beginning, to be read once more.
pub(super) fn rewind(file: &mut File, path: &Path) -> Result<()> {
    file.rewind().map_err(Error::io("read", path))
}

pub(super) fn expect_end(file: &mut File, path: &Path) -> Result<()> {
    let more = io::copy(&mut file.take(1), &mut io::sink());
    match more.map_err(Error::io("read", path))? {
        0 => Ok(()),
        _ => Err(changed(path)),
    }
}
