//! The file of an agent's keys, and what may be done to it: pure, so that every step can be tried.

use std::time::Duration;

use agentdrop_protocol::limits::MAX_LIFETIME;
use agentdrop_protocol::wire::receive_passwords::Base64Bytes;
use agentdrop_protocol::{AgentId, EncryptionPublicKey, SignedStatement, Timestamp};
use agentdrop_seal::SealError;
use agentdrop_seal::identity::{
    Bundle, IdentityKey, KemKey, KemKeyId, Rotation, SignedBundle, SignedRotation,
};
use serde::{Deserialize, Serialize};

use super::Draft;
use super::seed::Seed;

/// After so long the key in the bundle is replaced.
const KEM_LIFE: Duration = Duration::from_hours(30 * 24);
/// How long a bundle may be believed: the life of its key, and two months in which an agent that
/// sleeps can still be sent to. Whoever steals the key reads what was sealed in that time; and a
/// server that withholds the next bundle gains so much and no more.
const BUNDLE_LIFE: Duration = Duration::from_hours(90 * 24);
/// A sender whose clock is behind seals for a bundle whose time is over.
const CLOCKS: Duration = Duration::from_hours(30 * 24);
/// The compatible formats are accepted still: others who know this agent by its bundle do not use
/// them, and those of the published clients know nothing of it.
const MIN_SUITE: u8 = 0;

/// The keys of an agent, as they are kept. Another field is another version of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) agent_id: AgentId,
    pub(super) identity: Seed,
    /// The last bundle that the server took; none before the first.
    pub(super) bundle: Option<SignedStatement>,
    /// The key in it, or in the first while the server has not taken it.
    pub(super) kem: CurrentKem,
    pub(super) old_kem: Vec<OldKem>,
    /// How the identity keys followed each other, oldest first.
    pub(super) rotations: Vec<SignedStatement>,
    pub(super) draft: Option<DraftKeys>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CurrentKem {
    id: Base64Bytes<16>,
    seed: Seed,
    since: Timestamp,
    /// The latest until which a bundle with it can be believed.
    not_after: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OldKem {
    id: Base64Bytes<16>,
    seed: Seed,
    erase_after: Timestamp,
}

/// What becomes current once the server took it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DraftKeys {
    pub(super) bundle: SignedStatement,
    pub(super) rotation: Option<SignedStatement>,
    identity: Option<Seed>,
    kem: Option<CurrentKem>,
}

/// Which keys the next bundle has anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// The key that is sealed for, if its time has come.
    Due,
    /// That and the identity.
    Identity,
}

impl CurrentKem {
    fn generate(now: Timestamp) -> Result<(Self, KemKey), SealError> {
        let key = KemKey::generate()?;
        let kept = Self {
            id: Base64Bytes(key.id().0),
            seed: Seed::of_kem(&key),
            since: now,
            not_after: now.plus(BUNDLE_LIFE),
        };
        Ok((kept, key))
    }

    fn is_old(&self, now: Timestamp) -> bool {
        now.since(self.since) >= KEM_LIFE
    }

    /// What was sealed for it in the last moment arrives, at the latest, when that expires.
    fn retired(self) -> OldKem {
        OldKem {
            id: self.id,
            seed: self.seed,
            erase_after: self.not_after.plus(CLOCKS).plus(MAX_LIFETIME),
        }
    }
}

impl Keys {
    /// The keys of an agent that has none, with its first bundle as a draft.
    pub(super) fn generate(
        agent: AgentId,
        xk: EncryptionPublicKey,
        now: Timestamp,
    ) -> Result<Self, SealError> {
        let identity = IdentityKey::generate()?;
        let (kem, key) = CurrentKem::generate(now)?;
        let bundle = identity.sign_bundle(Bundle {
            agent,
            version: 1,
            identity: identity.public_key(),
            kem: key.public_key().clone(),
            compatible: xk,
            min_suite: MIN_SUITE,
            not_after: kem.not_after,
            previous: None,
        });
        Ok(Self {
            agent_id: agent,
            identity: Seed::of_identity(&identity),
            bundle: None,
            kem,
            old_kem: Vec::new(),
            rotations: Vec::new(),
            draft: Some(DraftKeys {
                bundle: statement(bundle.to_bytes()),
                rotation: None,
                identity: None,
                kem: None,
            }),
        })
    }

    /// Drafts the bundle after `last`, if anything in it is to be another; says whether it did.
    pub(super) fn draft_after(
        &mut self,
        last: &Bundle,
        xk: EncryptionPublicKey,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<bool, SealError> {
        let old = self.identity.to_identity();
        let renews_kem = renewal == Renewal::Identity || self.kem.is_old(now);
        if !renews_kem && last.compatible == xk {
            return Ok(false);
        }
        let fresh = renews_kem.then(|| CurrentKem::generate(now)).transpose()?;
        let (kem, public) = match fresh {
            Some((kept, key)) => (Some(kept), key.public_key().clone()),
            None => (None, last.kem.clone()),
        };
        let new = (renewal == Renewal::Identity).then(IdentityKey::generate);
        let new = new.transpose()?;
        let signer = new.as_ref().unwrap_or(&old);
        let version = last.version.saturating_add(1);
        let bundle = signer.sign_bundle(Bundle {
            agent: last.agent,
            version,
            identity: signer.public_key(),
            kem: public,
            compatible: xk,
            // A smaller one than before is refused by whoever knows this agent.
            min_suite: last.min_suite,
            not_after: now.plus(BUNDLE_LIFE),
            previous: Some(last.hash()),
        });
        let rotation = new.as_ref().map(|new| {
            old.sign_rotation(Rotation {
                agent: last.agent,
                from: old.public_key(),
                to: new.public_key(),
                since: version,
                previous: last.hash(),
            })
        });
        self.draft = Some(DraftKeys {
            bundle: statement(bundle.to_bytes()),
            rotation: rotation.map(|it| statement(it.to_bytes())),
            identity: new.as_ref().map(Seed::of_identity),
            kem,
        });
        Ok(true)
    }

    /// Makes the draft current.
    pub(super) fn commit(&mut self, not_after: Timestamp) {
        let Some(draft) = self.draft.take() else {
            return;
        };
        if let Some(kem) = draft.kem {
            let old = std::mem::replace(&mut self.kem, kem);
            self.old_kem.push(old.retired());
        } else {
            self.kem.not_after = self.kem.not_after.max(not_after);
        }
        if let Some(identity) = draft.identity {
            self.identity = identity;
        }
        self.rotations.extend(draft.rotation);
        self.bundle = Some(draft.bundle);
    }

    /// The key of this id, also one that the server may have taken without our knowing.
    pub(super) fn kem(&self, id: KemKeyId) -> Option<KemKey> {
        let drafted = self.draft.as_ref().and_then(|it| it.kem.as_ref());
        let current = [Some(&self.kem), drafted].into_iter().flatten();
        let current = current.map(|it| (&it.id, &it.seed));
        let old = self.old_kem.iter().map(|it| (&it.id, &it.seed));
        let mut found = current.chain(old).filter(|it| it.0.0 == id.0);
        found.next().map(|it| it.1.to_kem())
    }

    /// Erases what nothing can come for any more; says whether there was any.
    pub(super) fn sweep(&mut self, now: Timestamp) -> bool {
        let before = self.old_kem.len();
        self.old_kem.retain(|it| it.erase_after > now);
        self.old_kem.len() < before
    }

    /// The bundle that the server took last, unless it took none.
    pub(super) fn published(&self) -> Result<Option<SignedBundle>, &'static str> {
        self.bundle.as_ref().map(read_bundle).transpose()
    }

    pub(super) fn drafted(&self) -> Result<Option<Draft>, &'static str> {
        let Some(draft) = &self.draft else {
            return Ok(None);
        };
        Ok(Some(Draft {
            bundle: read_bundle(&draft.bundle)?,
            rotation: draft.rotation.as_ref().map(read_rotation).transpose()?,
        }))
    }

    pub(super) fn rotated(&self) -> Result<Vec<SignedRotation>, &'static str> {
        self.rotations.iter().map(read_rotation).collect()
    }

    /// Forgets a draft that the server says not to have. Its key is kept as an old one: the server may
    /// have shown it to others all the same.
    pub(super) fn drop_draft(&mut self) {
        let kem = self.draft.take().and_then(|it| it.kem);
        self.old_kem.extend(kem.map(CurrentKem::retired));
    }

    /// Goes on from a bundle that a later copy of these keys signed. The key in it is not here, so
    /// that the next bundle is due at once.
    pub(super) fn adopt(&mut self, bundle: &SignedBundle) {
        self.drop_draft();
        self.bundle = Some(statement(bundle.to_bytes()));
        self.kem.since = Timestamp::from_millis(0);
    }

    /// Signs the first bundle once more, which the server never took and whose time is over.
    pub(super) fn redraft_first(&mut self, first: Bundle, now: Timestamp) {
        self.kem.not_after = now.plus(BUNDLE_LIFE);
        let not_after = self.kem.not_after;
        let bundle = Bundle { not_after, ..first };
        let bundle = self.identity.to_identity().sign_bundle(bundle);
        self.draft = Some(DraftKeys {
            bundle: statement(bundle.to_bytes()),
            rotation: None,
            identity: None,
            kem: None,
        });
    }
}

fn read_bundle(statement: &SignedStatement) -> Result<SignedBundle, &'static str> {
    SignedBundle::read(statement.as_bytes()).map_err(|_| "it has a bundle that is none")
}

fn read_rotation(statement: &SignedStatement) -> Result<SignedRotation, &'static str> {
    SignedRotation::read(statement.as_bytes()).map_err(|_| "it has a rotation that is none")
}

fn statement(bytes: Vec<u8>) -> SignedStatement {
    SignedStatement::new(bytes).expect("what an agent signs is shorter than the wire takes")
}
