//! Erasing what is over.

use agentdrop_protocol::Timestamp;

use super::Keyring;
use crate::error::Result;
use crate::state_file::sweep_leftovers;

impl Keyring {
    /// Erases what is over: keys for which nothing can be on its way any more, and what a kill left of
    /// a file that was being written, for keys are in it too.
    pub fn sweep(&mut self, now: Timestamp) -> Result<()> {
        self.change(|_, held, mut keys| {
            if keys.sweep(now) {
                held.write(&keys)?;
            }
            Ok(())
        })?;
        self.sweep_prekeys(now)?;
        if let Some(folder) = self.keys.path().parent() {
            sweep_leftovers(folder, now);
        }
        Ok(())
    }
}
