//! Files on their way out: what they are, and that they stay so.

mod folder;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentdrop_protocol::FileName;
use agentdrop_protocol::limits::{MAX_FILES, MAX_SEALED_BYTES};
use agentdrop_seal::TAG_BYTES;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use self::folder::Folder;
use crate::error::{Error, Result, SendProblem};
use crate::identity::{self, is_identity};
use crate::keyring::{self, is_keyring};
use crate::private_file::MAX_BYTES as MAX_PRIVATE_BYTES;
use crate::saved_session::{self, is_session};

/// A piece of a file on its way: large enough that switching threads costs nothing.
pub(super) const PIECE_BYTES: usize = 256 * 1024;
const MAX_PLAINTEXT_BYTES: u64 = MAX_SEALED_BYTES - TAG_BYTES as u64;

/// What is to be sent, as the caller names it.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// A file, or a folder.
    Path(PathBuf),
    /// A file that is open, and what it is called.
    Open(FileName, Arc<File>),
}

/// What becomes of what is neither a file nor a folder, in a folder: links, pipes, sockets, devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Irregular {
    LeftOut,
    #[default]
    Refused,
}

/// A file to be sent, or a folder that is packed.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) name: FileName,
    pub(super) bytes: u64,
    content: Content,
    /// What it is known by, as it was opened; no two versions of a file have the same, unless
    /// somebody takes pains.
    stamp: String,
}

#[derive(Debug)]
enum Content {
    File(File),
    Folder(Box<Folder>),
    /// Nobody else knows it, and when it is closed it is gone.
    Open(Arc<File>),
}

impl Source {
    fn open(input: Input, irregular: Irregular) -> Result<Self> {
        let source = match input {
            Input::Path(path) => Self::at(path, irregular)?,
            Input::Open(name, file) => {
                let path = PathBuf::from(name.as_str());
                let about = file.metadata().map_err(Error::io("read", &path))?;
                Self {
                    path,
                    name,
                    bytes: about.len(),
                    stamp: stamp(&about),
                    content: Content::Open(file),
                }
            }
        };
        if source.bytes > MAX_PLAINTEXT_BYTES {
            return Err(wrong(&source.path, SendProblem::TooLarge));
        }
        Ok(source)
    }

    fn at(path: PathBuf, irregular: Irregular) -> Result<Self> {
        let check = |kind: fs::FileType| {
            if kind.is_file() {
                Ok(())
            } else {
                Err(wrong(&path, SendProblem::NotAFile))
            }
        };
        // Before opening, for opening a device can do something; after it, for it can be another by then.
        let kind = fs::metadata(&path).map_err(Error::io("read", &path))?;
        if kind.is_dir() {
            return Self::folder(path, irregular);
        }
        check(kind.file_type())?;
        let name = path.file_name().and_then(|it| it.to_str()?.parse().ok());
        let name = name.ok_or_else(|| wrong(&path, SendProblem::Name))?;
        let file = File::options()
            .read(true)
            // A pipe that took its place would wait for a writer for ever.
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path)
            .map_err(Error::io("read", &path))?;
        let about = file.metadata().map_err(Error::io("read", &path))?;
        check(about.file_type())?;
        refuse_keys(&path, about.len())?;
        Ok(Self {
            name,
            bytes: about.len(),
            stamp: stamp(&about),
            content: Content::File(file),
            path,
        })
    }

    fn folder(path: PathBuf, irregular: Irregular) -> Result<Self> {
        // `.` and `..` have names of their own.
        let named = fs::canonicalize(&path).map_err(Error::io("find", &path))?;
        let name = named.file_name().and_then(|it| it.to_str());
        let name = name.and_then(|it| format!("{it}.tar").parse().ok());
        let name = name.ok_or_else(|| wrong(&path, SendProblem::Name))?;
        let folder = Folder::find(&path, irregular)?;
        Ok(Self {
            name,
            bytes: folder.bytes()?,
            stamp: folder.stamp(),
            content: Content::Folder(Box::new(folder)),
            path,
        })
    }

    /// Whether it is a folder, packed.
    pub(super) const fn is_folder(&self) -> bool {
        matches!(self.content, Content::Folder(_))
    }

    /// What of it is not sent.
    pub(super) fn left_out(&self) -> Vec<PathBuf> {
        match &self.content {
            Content::Folder(folder) => folder.left_out().collect(),
            Content::File(_) | Content::Open(_) => Vec::new(),
        }
    }

    /// What tells this version of it from every other.
    pub(super) fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Where it is, whatever it is called by; nothing, if it cannot be read again.
    pub(super) fn canonical(&self) -> Result<Option<PathBuf>> {
        if matches!(self.content, Content::Open(_)) {
            return Ok(None);
        }
        let path = fs::canonicalize(&self.path);
        path.map(Some).map_err(Error::io("find", &self.path))
    }

    pub(super) fn read_whole(&mut self, piece: &mut [u8]) -> Result<()> {
        match &mut self.content {
            Content::File(file) => read_exact(file, piece, &self.path),
            Content::Open(file) => read_exact(&mut &**file, piece, &self.path),
            Content::Folder(folder) => folder.read_whole(piece),
        }
    }

    /// Back to the beginning, to be read once more.
    pub(super) fn rewind(&mut self) -> Result<()> {
        let rewound = match &mut self.content {
            Content::File(file) => file.rewind(),
            Content::Open(file) => (&**file).rewind(),
            Content::Folder(folder) => {
                folder.rewind();
                Ok(())
            }
        };
        rewound.map_err(Error::io("read", &self.path))
    }

    /// Refuses a file of which there is more than there was, or that somebody wrote to meanwhile.
    pub(super) fn expect_end(&self) -> Result<()> {
        let mut file = match &self.content {
            Content::File(file) => file,
            Content::Open(file) => file,
            Content::Folder(folder) => return folder.expect_end(),
        };
        let more = io::copy(&mut (&mut file).take(1), &mut io::sink());
        let more = more.map_err(Error::io("read", &self.path))?;
        let about = file.metadata().map_err(Error::io("read", &self.path))?;
        if more > 0 || stamp(&about) != self.stamp {
            return Err(changed(&self.path));
        }
        Ok(())
    }
}

fn read_exact(file: &mut impl Read, piece: &mut [u8], path: &Path) -> Result<()> {
    file.read_exact(piece).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => changed(path),
        _ => Error::io("read", path)(error),
    })
}

fn wrong(path: &Path, problem: SendProblem) -> Error {
    Error::Send {
        path: path.to_owned(),
        problem,
    }
}

/// Which file it is, how long, and when it was written to.
fn stamp(about: &fs::Metadata) -> String {
    let (device, inode) = (about.dev(), about.ino());
    let (size, seconds, nanos) = (about.size(), about.mtime(), about.mtime_nsec());
    format!("{device}:{inode}:{size}:{seconds}.{nanos:09}")
}

pub(super) async fn open_all(inputs: Vec<Input>, irregular: Irregular) -> Result<Vec<Source>> {
    let count = inputs.len();
    if count == 0 || count > MAX_FILES {
        return Err(Error::FileCount(count));
    }
    let opening = move || {
        let sources = inputs.into_iter().map(|it| Source::open(it, irregular));
        sources.collect()
    };
    tokio::task::spawn_blocking(opening)
        .await
        .expect("opening files does not panic")
}

pub(super) fn changed(path: &Path) -> Error {
    wrong(path, SendProblem::Changed)
}

/// Refuses a file of ours with a key in it: whoever has that is this agent, or this person.
fn refuse_keys(path: &Path, bytes: u64) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    let names = [
        identity::FILE,
        saved_session::FILE,
        keyring::KEYS,
        keyring::PREKEYS,
    ];
    if bytes > MAX_PRIVATE_BYTES || !names.iter().any(|it| name == *it) {
        return Ok(());
    }
    let content = fs::read(path).map(Zeroizing::new);
    let content = content.map_err(Error::io("read", path))?;
    if is_identity(name, &content) || is_session(name, &content) || is_keyring(name, &content) {
        return Err(wrong(path, SendProblem::Keys));
    }
    Ok(())
}
