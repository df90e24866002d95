//! The keys of an agent beside its identity: what it signs with, what is sealed for it, and what it
//! last told the server of them.
//!
//! `keys.json` has the identity, the keys of bundles and the next bundle while it is a draft;
//! `prekeys.json` the keys that are used once. Either is replaced whole, and both are changed under
//! one lock. What is erased is not in the file any more; whether the disk still has it, the disk knows.
//!
//! **Publishing** takes two steps, because a kill can come between: the draft is on disk before the
//! server sees it, and becomes current when the server took it. Whoever finds a draft publishes that one
//! again, which is nothing new to the server. So no two bundles of one version are ever signed, but where the time of
//! one was over before the server took it.
//!
//! All of it waits for the disk and for other processes: asynchronous code calls it on a thread that may.

mod keys;
mod prekeys;
mod reconcile;
mod seed;
mod sweep;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use agentdrop_seal::identity::{
    Fingerprint, IdentityKey, IdentityPublicKey, KemKey, KemKeyId, SignedBundle, SignedRotation,
};
use agentdrop_seal::native::KeyKind;

use self::keys::{Keys, Renewal};
use self::prekeys::Prekeys;
use crate::error::{KeyringError, Result};
use crate::state_file::{Held, StateFile};

pub(crate) const KEYS: &str = "keys.json";
pub(crate) const PREKEYS: &str = "prekeys.json";
const LOCK: &str = "keys.lock";
const MAX_BYTES: usize = 1024 * 1024;
/// Before every time: a bundle of ours that is over is ours still.
const ALWAYS: Timestamp = Timestamp::from_millis(i64::MIN);

/// The keys of an agent, as they were when it was opened or last changed from here.
///
/// Others may change them meanwhile: each change reads what is there by then, under a lock, and
/// [`reload`](Self::reload) does for whoever lives long.
pub struct Keyring {
    agent: AgentId,
    keys: StateFile<Keys>,
    prekeys: StateFile<Prekeys>,
    identity: IdentityKey,
    published: Option<SignedBundle>,
    draft: Option<Draft>,
    rotations: Vec<SignedRotation>,
}

/// A bundle that the server has to be given, with what it needs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The bundle.
    pub bundle: SignedBundle,
    /// By the old identity, where the bundle is the first of another one.
    pub rotation: Option<SignedRotation>,
}

impl Keyring {
    /// Opens the keys of `agent` in the folder of its identity; nothing, if it has none yet.
    ///
    /// Keys of another agent, or that do not belong together, are refused.
    pub fn open(folder: &Path, agent: AgentId) -> Result<Option<Self>> {
        let (keys, prekeys) = files(folder);
        match keys.read()? {
            Some(read) => Self::new(agent, keys, prekeys, &read).map(Some),
            None => Ok(None),
        }
    }

    /// Makes keys for an agent that has none, whose X25519 key is `xk`. They are on disk when this
    /// returns, and their first bundle is a [draft](Self::draft).
    pub fn create(
        folder: &Path,
        agent: AgentId,
        xk: EncryptionPublicKey,
        now: Timestamp,
    ) -> Result<Self> {
        let (keys, prekeys) = files(folder);
        let held = keys.hold()?;
        if held.read()?.is_some() {
            return Err(KeyringError::Exists(keys.path().to_owned()).into());
        }
        let made = Keys::generate(agent, xk, now)?;
        held.write(&made)?;
        drop(held);
        Self::new(agent, keys, prekeys, &made)
    }

    /// What it signs with, and is known by.
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// The agent.
    pub const fn agent(&self) -> AgentId {
        self.agent
    }

    /// What people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.agent, &self.identity.public_key())
    }

    /// The last bundle that the server took; none before the first.
    pub const fn bundle(&self) -> Option<&SignedBundle> {
        self.published.as_ref()
    }

    /// What the server has to be given, if there is anything: a kill may have come before it was, or
    /// after.
    pub const fn draft(&self) -> Option<&Draft> {
        self.draft.as_ref()
    }

    /// What it was known by before, oldest first: something can be on its way that was sealed for it then.
    pub fn former_identities(&self) -> impl Iterator<Item = IdentityPublicKey> {
        self.rotations.iter().map(|it| it.rotation.from)
    }

    /// Prepares the next bundle, if it is time for another key, or if `xk` is another; nothing to do
    /// otherwise.
    ///
    /// Where there is a draft, this is it, whatever has changed since: ask again once it is
    /// [published](Self::published).
    pub fn next_bundle(
        &mut self,
        xk: EncryptionPublicKey,
        now: Timestamp,
    ) -> Result<Option<Draft>> {
        self.prepare(xk, Renewal::Due, now)
    }

    /// Prepares another identity, of which this one says that it is the agent's.
    ///
    /// Where there is a draft, this is it, and it may be none of another identity: publish it first.
    pub fn rotate_identity(
        &mut self,
        xk: EncryptionPublicKey,
        now: Timestamp,
    ) -> Result<Option<Draft>> {
        self.prepare(xk, Renewal::Identity, now)
    }

    /// The server took this bundle: it becomes current. Saying so once more changes nothing.
    pub fn published(&mut self, bundle: &SignedBundle) -> Result<()> {
        self.change(|keyring, held, mut keys| {
            if keyring.published.as_ref() == Some(bundle) {
                return Ok(());
            }
            if keyring.draft.as_ref().map(|it| &it.bundle) != Some(bundle) {
                return Err(KeyringError::Changed(keyring.keys.path().to_owned()).into());
            }
            keys.commit(bundle.bundle.not_after);
            held.write(&keys)?;
            keyring.take(&keys)
        })
    }

    /// The secret half of a key that something was sealed for, and which kind it is of; none, if it
    /// was erased, or was never ours.
    pub fn key_for(&self, id: KemKeyId) -> Result<Option<(KemKey, KeyKind)>> {
        // From disk each time: the other process may have made it, or erased it.
        let prekey = self.checked(self.prekeys.read()?)?.kem(id);
        let keys = self.read()?;
        self.expect_ours(keys.agent_id, self.keys.path())?;
        let found = match prekey {
            Some(key) => Some((key, KeyKind::Prekey)),
            None => keys.kem(id).map(|key| (key, KeyKind::Bundle)),
        };
        if found.as_ref().is_some_and(|it| it.0.id() != id) {
            return Err(self.keys.spoiled("a key in it is not the one it is called"));
        }
        Ok(found)
    }

    /// Reads what other processes have changed.
    pub fn reload(&mut self) -> Result<()> {
        let keys = self.read()?;
        self.take(&keys)
    }

    fn new(
        agent: AgentId,
        keys: StateFile<Keys>,
        prekeys: StateFile<Prekeys>,
        read: &Keys,
    ) -> Result<Self> {
        let mut keyring = Self {
            agent,
            keys,
            prekeys,
            identity: read.identity.to_identity(),
            published: None,
            draft: None,
            rotations: Vec::new(),
        };
        keyring.take(read)?;
        Ok(keyring)
    }

    fn prepare(
        &mut self,
        xk: EncryptionPublicKey,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Option<Draft>> {
        self.change(|keyring, held, mut keys| {
            if let (None, Some(last)) = (&keyring.draft, &keyring.published)
                && keys.draft_after(&last.bundle, xk, renewal, now)?
            {
                held.write(&keys)?;
                keyring.take(&keys)?;
            }
            Ok(keyring.draft.clone())
        })
    }

    /// Changes the keys as they are by now, while nobody else does.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Self, &Held<Keys>, Keys) -> Result<T>,
    ) -> Result<T> {
        let held = self.keys.hold()?;
        let keys = self.read()?;
        self.take(&keys)?;
        change(self, &held, keys)
    }

    fn read(&self) -> Result<Keys> {
        let missing = || KeyringError::Missing(self.keys.path().to_owned()).into();
        self.keys.read()?.ok_or_else(missing)
    }

    /// Takes over what was read, if it is ours and belongs together.
    fn take(&mut self, keys: &Keys) -> Result<()> {
        self.expect_ours(keys.agent_id, self.keys.path())?;
        let spoiled = |problem: &'static str| self.keys.spoiled(problem);
        let published = keys.published().map_err(spoiled)?;
        let draft = keys.drafted().map_err(spoiled)?;
        let rotations = keys.rotated().map_err(spoiled)?;
        let identity = keys.identity.to_identity();
        // With another identity than the bundle's, everything signed here would be refused there.
        let me = identity.public_key();
        let signed_by = |it: &SignedBundle, who: IdentityPublicKey| {
            it.bundle.identity == who && it.clone().check(self.agent, None, ALWAYS).is_ok()
        };
        let draft_is_mine = |it: &Draft| match &it.rotation {
            Some(rotation) => {
                let is_said = rotation.clone().check(self.agent, &me).is_ok();
                is_said && signed_by(&it.bundle, rotation.rotation.to)
            }
            None => signed_by(&it.bundle, me),
        };
        let published_is_mine = published.as_ref().is_none_or(|it| signed_by(it, me));
        if !published_is_mine || !draft.as_ref().is_none_or(draft_is_mine) {
            return Err(spoiled("its keys do not belong together"));
        }
        if published.is_none() && draft.is_none() {
            return Err(spoiled("it has no bundle"));
        }
        self.identity = identity;
        self.published = published;
        self.draft = draft;
        self.rotations = rotations;
        Ok(())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("agent", &self.agent)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// Whether this is a file of ours with keys in it.
pub(crate) fn is_keyring(name: &OsStr, content: &[u8]) -> bool {
    (name == KEYS && serde_json::from_slice::<Keys>(content).is_ok())
        || (name == PREKEYS && serde_json::from_slice::<Prekeys>(content).is_ok())
}

fn files(folder: &Path) -> (StateFile<Keys>, StateFile<Prekeys>) {
    (
        StateFile::new(folder, KEYS, LOCK, MAX_BYTES),
        StateFile::new(folder, PREKEYS, LOCK, MAX_BYTES),
    )
}
