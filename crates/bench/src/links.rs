//! The same bytes as the blobs of many transfers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use agentdrop_protocol::TransferId;

/// File systems let a file have some tens of thousands of names.
const NAMES: u32 = 30_000;

/// Gives a blob further names.
pub(crate) struct Links {
    blobs: PathBuf,
    source: PathBuf,
    names: u32,
}

impl Links {
    /// The one blob of `transfer`.
    pub(crate) fn new(blobs: &Path, transfer: TransferId) -> Self {
        Self {
            source: path(blobs, transfer),
            blobs: blobs.to_owned(),
            names: 1,
        }
    }

    /// Makes it that of `transfer`, too.
    pub(crate) fn link(&mut self, transfer: TransferId) -> io::Result<()> {
        let target = path(&self.blobs, transfer);
        if self.names < NAMES {
            fs::hard_link(&self.source, &target)?;
        } else {
            fs::copy(&self.source, &target)?;
            (self.source, self.names) = (target, 0);
        }
        self.names += 1;
        Ok(())
    }
}

/// Where the server has the first blob of a transfer.
fn path(blobs: &Path, transfer: TransferId) -> PathBuf {
    let last = transfer.as_bytes()[15];
    blobs.join(format!("{last:02x}/{transfer}.0"))
}
