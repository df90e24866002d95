//! Erasing what is over.

use agentdrop_protocol::Timestamp;

use super::{Draft, Keyring};
use crate::error::Result;
use crate::private_file::delete_private;
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

    /// Deletes keys whose first bundle no server took, and none will: nobody knows them, so that nothing
    /// is sealed for them. Says whether it did; where the server took one after all, they are kept.
    pub(crate) fn discard(&mut self, refused: &Draft) -> Result<bool> {
        self.change(|keyring, _held, _keys| {
            if keyring.published.is_some() || keyring.draft.as_ref() != Some(refused) {
                return Ok(false);
            }
            // Not those that are used once: of these keys the server got none, so that what is there
            // belongs to keys that were lost, and may come back.
            delete_private(keyring.keys.path())?;
            Ok(true)
        })
    }
}
