//! Keys that are used once.
//!
//! What is on disk are their seeds; their signatures are made when they are asked for, so that they are
//! those of the identity there is by then.

use std::time::Duration;

use agentdrop_protocol::limits::{MAX_LIFETIME, UPLOAD_LIFETIME};
use agentdrop_protocol::wire::receive_passwords::Base64Bytes;
use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::{IdentityKey, KemKey, KemKeyId, Prekey, SignedPrekey};
use serde::{Deserialize, Serialize};

use super::Keyring;
use super::seed::Seed;
use crate::error::{KeyringError, Result};

/// An agent that sleeps for less is sealed for with prekeys still. The server takes none that lasts for
/// more than 90 days by its own clock, which may be behind.
const PREKEY_LIFE: Duration = Duration::from_hours(60 * 24);
/// Seeds that are kept at a time. A sender that asks for prekeys and uses none makes others be made;
/// where there are so many, the key in the bundle has to do.
const MAX_PREKEYS: usize = 4_096;

/// The file of the keys that are used once. Another field is another version of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Prekeys {
    agent_id: AgentId,
    prekeys: Vec<KeptPrekey>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptPrekey {
    id: Base64Bytes<16>,
    seed: Seed,
    not_after: Timestamp,
    /// Whether the server is known to have it.
    published: bool,
}

impl Keyring {
    /// Makes keys that are used once, for the server to hand out. They are on disk when this returns.
    ///
    /// There are fewer than `count`, or none, where too many are kept that nobody has used.
    pub fn new_prekeys(&self, count: usize, now: Timestamp) -> Result<Vec<SignedPrekey>> {
        let held = self.prekeys.hold()?;
        let identity = self.signer()?;
        let mut kept = self.checked(held.read()?)?;
        let room = MAX_PREKEYS.saturating_sub(kept.prekeys.len());
        let not_after = now.plus(PREKEY_LIFE);
        let mut signed = Vec::new();
        for _ in 0..count.min(room) {
            let key = KemKey::generate()?;
            kept.prekeys.push(KeptPrekey {
                id: Base64Bytes(key.id().0),
                seed: Seed::of_kem(&key),
                not_after,
                published: false,
            });
            signed.push(sign(self.agent, &identity, &key, not_after));
        }
        if !signed.is_empty() {
            held.write(&kept)?;
        }
        Ok(signed)
    }

    /// The prekeys of which it is not known whether the server has them: a kill came between. To give
    /// them to it again is nothing new to it.
    pub fn unpublished_prekeys(&self, now: Timestamp) -> Result<Vec<SignedPrekey>> {
        let held = self.prekeys.hold()?;
        let identity = self.signer()?;
        let kept = self.checked(held.read()?)?;
        let open = kept
            .prekeys
            .iter()
            .filter(|it| !it.published && it.not_after > now);
        let signed = open.map(|it| sign(self.agent, &identity, &it.seed.to_kem(), it.not_after));
        Ok(signed.collect())
    }

    /// The server has these prekeys.
    pub fn prekeys_published(&self, prekeys: &[SignedPrekey]) -> Result<()> {
        let held = self.prekeys.hold()?;
        let mut kept = self.checked(held.read()?)?;
        let ids: Vec<_> = prekeys.iter().map(|it| it.prekey.kem.id().0).collect();
        let named = kept.prekeys.iter_mut().filter(|it| ids.contains(&it.id.0));
        for prekey in named {
            prekey.published = true;
        }
        held.write(&kept)
    }

    /// Erases the secret half of a prekey that was used, or is not to be; says whether there was one.
    pub fn erase_prekey(&self, id: KemKeyId) -> Result<bool> {
        let held = self.prekeys.hold()?;
        let mut kept = self.checked(held.read()?)?;
        let before = kept.prekeys.len();
        kept.prekeys.retain(|it| it.id.0 != id.0);
        if kept.prekeys.len() == before {
            return Ok(false);
        }
        held.write(&kept)?;
        Ok(true)
    }

    /// Erases those for which nothing can come any more; says whether there were any.
    pub(super) fn sweep_prekeys(&self, now: Timestamp) -> Result<bool> {
        let held = self.prekeys.hold()?;
        let mut kept = self.checked(held.read()?)?;
        let before = kept.prekeys.len();
        kept.prekeys.retain(|it| it.erase_after() > now);
        if kept.prekeys.len() == before {
            return Ok(false);
        }
        held.write(&kept)?;
        Ok(true)
    }

    /// The identity there is by now: another process may have rotated it.
    fn signer(&self) -> Result<IdentityKey> {
        let keys = self.read()?;
        self.expect_ours(keys.agent_id, self.keys.path())?;
        Ok(keys.identity.to_identity())
    }

    pub(super) fn checked(&self, read: Option<Prekeys>) -> Result<Prekeys> {
        let kept = read.unwrap_or(Prekeys {
            agent_id: self.agent,
            prekeys: Vec::new(),
        });
        self.expect_ours(kept.agent_id, self.prekeys.path())?;
        Ok(kept)
    }

    pub(super) fn expect_ours(&self, found: AgentId, path: &std::path::Path) -> Result<()> {
        if found == self.agent {
            return Ok(());
        }
        Err(KeyringError::OtherAgent {
            path: path.to_owned(),
            found,
            expected: self.agent,
        }
        .into())
    }
}

impl Prekeys {
    pub(super) fn kem(&self, id: KemKeyId) -> Option<KemKey> {
        let found = self.prekeys.iter().find(|it| it.id.0 == id.0);
        found.map(|it| it.seed.to_kem())
    }
}

impl KeptPrekey {
    /// What was sealed in its last moment is announced by a day later, and expires so long after.
    fn erase_after(&self) -> Timestamp {
        self.not_after.plus(UPLOAD_LIFETIME).plus(MAX_LIFETIME)
    }
}

fn sign(
    agent: AgentId,
    identity: &IdentityKey,
    key: &KemKey,
    not_after: Timestamp,
) -> SignedPrekey {
    identity.sign_prekey(Prekey {
        agent,
        kem: key.public_key().clone(),
        not_after,
    })
}
