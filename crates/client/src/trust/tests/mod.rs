mod bounds;
mod decisions;
mod exchange;
mod meeting;
mod round_trip;

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use agentdrop_seal::identity::{
    Bundle, IdentityKey, KemKey, Rotation, SignedBundle, SignedRotation, VerifiedBundle,
};
use tempfile::TempDir;

use super::*;
use crate::error::{Error, Result};

const AGENT: AgentId = AgentId::from_bytes([0xa; 16]);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_790_000_000_001);
const END: Timestamp = Timestamp::from_millis(1_790_000_000_002);

/// Another agent, honest or not, and what it signs.
struct Other {
    identity: IdentityKey,
    kem: KemKey,
    last: Option<Bundle>,
    rotations: Vec<SignedRotation>,
}

impl Other {
    fn new() -> Self {
        Self {
            identity: IdentityKey::generate().unwrap(),
            kem: KemKey::generate().unwrap(),
            last: None,
            rotations: Vec::new(),
        }
    }

    /// The next bundle, in which something may be otherwise.
    fn next_with(&mut self, change: impl FnOnce(&mut Bundle)) -> SignedBundle {
        let mut bundle = Bundle {
            agent: AGENT,
            version: self.last.as_ref().map_or(1, |it| it.version + 1),
            identity: self.identity.public_key(),
            kem: self.kem.public_key().clone(),
            compatible: xk(9),
            min_suite: self.last.as_ref().map_or(0, |it| it.min_suite),
            not_after: END,
            previous: self.last.as_ref().map(Bundle::hash),
        };
        change(&mut bundle);
        let signed = self.identity.sign_bundle(bundle);
        self.last = Some(signed.bundle.clone());
        signed
    }

    fn next(&mut self) -> SignedBundle {
        self.next_with(|_| ())
    }

    fn rotate(&mut self) -> SignedBundle {
        let (new, last) = (Self::new().identity, self.last.clone().unwrap());
        self.rotations.push(self.identity.sign_rotation(Rotation {
            agent: AGENT,
            from: self.identity.public_key(),
            to: new.public_key(),
            since: last.version + 1,
            previous: last.hash(),
        }));
        self.identity = new;
        self.next()
    }
}

struct Here {
    _folder: TempDir,
    known: KnownAgents,
}

impl Here {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownAgents::load(folder.path()).unwrap();
        Self {
            _folder: folder,
            known,
        }
    }

    fn meet(&self, bundle: &SignedBundle, rotations: &[SignedRotation]) -> Result<Met> {
        self.known.meet(AGENT, "worker", bundle, rotations, NOW)
    }

    fn met(&self, bundle: &SignedBundle) -> MetHow {
        self.meet(bundle, &[]).unwrap().how
    }

    fn refused(&self, bundle: &SignedBundle) -> &'static str {
        self.meet(bundle, &[]).unwrap_err().code()
    }

    fn meet_compatible(&self, byte: u8) -> Result<MetHow> {
        self.known.meet_compatible(AGENT, "worker", xk(byte), NOW)
    }

    fn knows(&self) -> Known {
        self.known.look_up(AGENT).unwrap().unwrap()
    }

    fn offer(&self) -> Offer {
        self.knows().refused.unwrap().offer
    }
}

fn xk(byte: u8) -> EncryptionPublicKey {
    EncryptionPublicKey::try_from([byte; 32]).unwrap()
}

fn code<T>(result: Result<T>) -> &'static str {
    result.map(drop).map_err(|it: Error| it.code()).unwrap_err()
}

fn verified(bundle: &SignedBundle) -> VerifiedBundle {
    bundle.clone().check(AGENT, None, NOW).unwrap()
}
