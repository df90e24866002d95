//! What whoever sends large files is told.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What there is to know about an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// It goes on where it stopped.
    Resumes {
        /// Bytes that are there.
        there_bytes: u64,
        /// Bytes that there are of it.
        total_bytes: u64,
    },
    /// There was one that cannot go on.
    BeginsAnew(Anew),
    /// What was kept of one is not trusted, and left where it is.
    Ignored {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What it takes to go on with it is kept here, for as long as it can go on.
    Kept(PathBuf),
    /// Others are kept there that broke off, or are under way: what differs in its files, its recipient
    /// or its terms is another one.
    Others {
        /// Where they are.
        folder: PathBuf,
        /// How many.
        count: usize,
    },
    /// Nothing is kept of this one: if it breaks off, it cannot go on.
    NotKept(String),
}

/// Why an upload begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anew {
    /// A file is not what it was.
    FilesChanged,
    /// The recipient, or the sender, has another key or channel.
    KeyChanged,
    /// The server has nothing of it any more, or took it otherwise than it was sent.
    Gone,
    /// The day is over in which it had to end.
    TooOld,
}

impl fmt::Display for Anew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FilesChanged => "a file changed since",
            Self::KeyChanged => "the recipient has another key now",
            Self::Gone => "the server has nothing of it any more",
            Self::TooOld => "it was begun too long ago",
        })
    }
}

/// Who is told, if anyone is.
#[derive(Clone, Default)]
pub(super) struct Teller(Option<Arc<dyn Fn(Notice) + Send + Sync>>);

impl Teller {
    pub(super) fn new(told: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, notice: Notice) {
        if let Some(told) = &self.0 {
            told(notice);
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Teller(…)"
        } else {
            "Teller(none)"
        })
    }
}
