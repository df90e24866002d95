//! Erasing what is over.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use agentdrop_protocol::Timestamp;

use super::Keyring;
use crate::error::Result;
use crate::private_file::WRITING;

/// Nobody writes a file for so long.
const LEFT_OVER: Duration = Duration::from_hours(1);

impl Keyring {
    /// Erases what is over: keys for which nothing can be on its way any more, and what a kill left of
    /// a file that was being written, for keys are in it too.
    pub fn sweep(&mut self, now: Timestamp) -> Result<()> {
        self.change(|_, held, mut keys| {
            if keys.sweep(now) {
                held.write(&keys)
            } else {
                Ok(())
            }
        })?;
        self.sweep_prekeys(now)?;
        if let Some(folder) = self.keys.path().parent() {
            delete_leftovers(folder, now);
        }
        Ok(())
    }
}

/// What cannot be deleted is found the next time.
fn delete_leftovers(folder: &Path, now: Timestamp) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let is_one = |it: &OsStr| it.to_str().is_some_and(|it| it.starts_with(WRITING));
        let written = entry.metadata().map_or(i64::MAX / 1_000, |it| it.mtime());
        let written = Timestamp::from_millis(written.saturating_mul(1_000));
        if is_one(&entry.file_name()) && now.since(written) > LEFT_OVER {
            fs::remove_file(entry.path()).ok();
        }
    }
}
