//! Where the bytes of files are.

mod local;
mod stage;

pub(crate) use local::{Blob, Blobs};
pub(crate) use stage::{Staged, Staging};

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::TransferId;

/// Names the bytes of one file: its transfer, and its place among the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobKey {
    pub(crate) transfer: TransferId,
    pub(crate) position: u32,
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.transfer, self.position)
    }
}

impl FromStr for BlobKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (transfer, position) = text.split_once('.').ok_or(())?;
        let transfer = transfer.parse().map_err(|_| ())?;
        Ok(Self {
            transfer,
            position: position.parse().map_err(|_| ())?,
        })
    }
}
