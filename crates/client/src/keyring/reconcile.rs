//! What the server says to have of this agent, against what was signed here.

use agentdrop_protocol::Timestamp;
use agentdrop_seal::identity::SignedBundle;

use super::{ALWAYS, Keyring};
use crate::error::{KeyringError, Result};

impl Keyring {
    /// Takes note of the bundle that the server says to have of this agent; none, if it says to have
    /// none. For whoever found a [draft](Self::draft), or was told that a bundle does not follow.
    ///
    /// If it is the draft, that becomes current. If it is the one before, and the draft's time is over
    /// by now, so that no server would take it, the draft is dropped: another can be prepared. Whatever
    /// else it is, is an error: somebody set the server back, or uses these keys elsewhere.
    pub fn reconcile(&mut self, server: Option<&SignedBundle>, now: Timestamp) -> Result<()> {
        self.change(|keyring, held, mut keys| {
            let drafted = keyring.draft.as_ref().map(|it| &it.bundle);
            let is_over = drafted.is_some_and(|it| it.bundle.not_after <= now);
            if let (Some(theirs), true) = (server, server == drafted) {
                keys.commit(theirs.bundle.not_after);
            } else if server != keyring.published.as_ref() {
                return Err(keyring.judge(server).into());
            } else if !is_over {
                return Ok(());
            } else if let (None, Some(first)) = (server, drafted) {
                keys.redraft_first(first.bundle.clone(), now);
            } else {
                keys.drop_draft();
            }
            held.write(&keys)?;
            keyring.take(&keys)
        })
    }

    /// Goes on from a later bundle that the server has, which a copy of this identity signed: a person
    /// says that these keys were restored from an older copy. The next bundle is due at once.
    ///
    /// What was sealed for the keys that only the other copy has cannot be opened here.
    pub fn adopt(&mut self, server: &SignedBundle) -> Result<()> {
        self.change(|keyring, held, mut keys| {
            match keyring.judge(Some(server)) {
                KeyringError::Behind(_) => {}
                error => return Err(error.into()),
            }
            keys.adopt(server);
            held.write(&keys)?;
            keyring.take(&keys)
        })
    }

    /// What it means that the server has neither the current bundle nor the draft, but this.
    fn judge(&self, server: Option<&SignedBundle>) -> KeyringError {
        let Some(theirs) = server else {
            return KeyringError::RolledBack;
        };
        // Not signed by the agent it names: the server made it up.
        if theirs.clone().check(self.agent, None, ALWAYS).is_err() {
            return KeyringError::Replaced;
        }
        let (theirs, me) = (&theirs.bundle, self.identity.public_key());
        let version = self.published.as_ref().map_or(0, |it| it.bundle.version);
        let was_me = self.former_identities().any(|it| it == theirs.identity);
        if theirs.version < version && (was_me || theirs.identity == me) {
            KeyringError::RolledBack
        } else if theirs.version > version && theirs.identity == me {
            KeyringError::Behind(self.keys.path().to_owned())
        } else {
            KeyringError::Replaced
        }
    }
}
