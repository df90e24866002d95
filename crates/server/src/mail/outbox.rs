//! Where mails go that no server is there for: files in the data directory, one a mail.
//!
//! Whoever tries the server out on their own machine reads them there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use agentdrop_protocol::{MailId, Timestamp};
use tokio::task::spawn_blocking;

/// A folder of mails.
#[derive(Clone, Debug)]
pub(super) struct Outbox(PathBuf);

impl Outbox {
    /// Opens the folder, making it for its owner alone if it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Puts a mail there, whole or not at all: `<milliseconds>-<id>.eml`.
    pub(super) async fn put(
        &self,
        id: MailId,
        written: Timestamp,
        message: Vec<u8>,
    ) -> io::Result<()> {
        let name = format!("{}-{id}", written.as_millis());
        let (part, whole) = (
            self.0.join(format!("{name}.part")),
            self.0.join(format!("{name}.eml")),
        );
        let folder = self.0.clone();
        let put = move || {
            // There is one already where a server stopped in the middle of it.
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(&message)?;
            file.sync_all()?;
            fs::rename(&part, &whole)?;
            File::open(folder)?.sync_all()
        };
        spawn_blocking(put).await.map_err(io::Error::other)?
    }
}
