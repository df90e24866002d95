//! What is known of one agent.

use agentdrop_protocol::wire::receive_passwords::Base64Bytes;
use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use agentdrop_seal::identity::{Fingerprint, IdentityPublicKey, Pin, VerifiedBundle};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Peer, shown};

/// Nobody has rotated more often while something was on its way.
const MAX_FORMER: usize = 8;
/// More is no name.
const MAX_LABEL_CHARS: usize = 200;

/// What is known of an agent. Another field is another version of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Known {
    /// What it was called when it was met; whoever owns it chose that. [`Known::label`] makes it fit to be shown.
    label: String,
    /// Its identity; none, while it has only been met with a compatible key.
    pub native: Option<NativePin>,
    /// The X25519 key it was last met with.
    pub compatible: EncryptionPublicKey,
    /// How it came to be known.
    pub how: How,
    /// Since when it is known by this key.
    pub since: Timestamp,
    /// What was offered for it and refused, if anything was.
    pub refused: Option<Refused>,
    /// What it was known by before it said, signed, that it is another: what it sent by then may still be
    /// on its way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<NativePin>,
}

/// By which identity an agent is known, and which of its bundles was the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativePin {
    #[serde(with = "identity_key")]
    identity: IdentityPublicKey,
    version: u64,
    hash: Base64Bytes<32>,
    min_suite: u8,
}

/// How an agent came to be known, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum How {
    /// The server said its key, and was believed.
    FirstUse,
    /// The key that it was known by named this one, however that was known; this one nobody compared.
    Rotated,
    /// Its key was shown to both sides before they paired.
    Pairing,
    /// People compared its key.
    Compared,
}

/// Something that was offered for an agent and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// What was offered.
    pub offer: Offer,
    /// When.
    pub at: Timestamp,
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Refusal {
    /// Another key, of which the known one says nothing.
    Changed,
    /// Two rows of bundles of one identity.
    Forked,
    /// A weaker suite than before.
    MinSuite,
    /// No signed key, where there was one.
    NoBundle,
    /// An older bundle.
    RolledBack,
}

/// What the server offers to know an agent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The identity, if there is one.
    pub native: Option<NativePin>,
    /// The X25519 key.
    pub compatible: EncryptionPublicKey,
}

impl Known {
    pub(super) fn new(label: &str, offer: &Offer, how: How, now: Timestamp) -> Self {
        Self {
            label: bounded(label),
            native: offer.native,
            compatible: offer.compatible,
            how,
            since: now,
            refused: None,
            former: Vec::new(),
        }
    }

    /// What it signed with before `since`, the latest first.
    pub fn former_identities(&self) -> impl Iterator<Item = IdentityPublicKey> {
        self.former.iter().rev().map(|it| it.identity)
    }

    /// What it is and was known to sign with, oldest first: the last is the one of now.
    pub fn identities(&self) -> Vec<IdentityPublicKey> {
        let all = self.former.iter().chain(&self.native);
        all.map(NativePin::identity).collect()
    }

    pub(super) fn keep_former(&mut self, old: Vec<NativePin>) {
        self.former.extend(old);
        let too_many = self.former.len().saturating_sub(MAX_FORMER);
        self.former.drain(..too_many);
    }

    /// What it was called when it was met, fit for one line of a terminal.
    pub fn label(&self) -> String {
        shown(&self.label)
    }

    /// What it is known by.
    pub const fn offer(&self) -> Offer {
        Offer {
            native: self.native,
            compatible: self.compatible,
        }
    }

    /// What it is known by: a fingerprint, or an X25519 key.
    pub fn shown_key(&self, agent: AgentId) -> String {
        self.offer().shown_key(agent)
    }

    /// Whether a person has to decide before anything is sent to it or received from it.
    ///
    /// What was merely withheld or old does not block: it is refused each time, and believing what
    /// fits again gives nothing away.
    pub fn is_blocked(&self) -> bool {
        self.block().is_some()
    }

    pub(super) fn block(&self) -> Option<&Refused> {
        self.refused.as_ref().filter(|it| it.why.blocks())
    }

    pub(super) fn peer(&self, agent: AgentId) -> Peer {
        let label = self.label.clone();
        Peer { agent, label }
    }
}

impl NativePin {
    /// The fingerprint of the agent that is known by this.
    pub fn fingerprint(&self, agent: AgentId) -> Fingerprint {
        Fingerprint::of(agent, &self.identity)
    }

    /// What envelopes and receipts of the agent are checked with.
    pub const fn identity(&self) -> IdentityPublicKey {
        self.identity
    }

    /// What bundles of the agent are checked against.
    pub const fn pin(&self) -> Pin {
        Pin {
            identity: self.identity,
            version: self.version,
            hash: self.hash.0,
            min_suite: self.min_suite,
        }
    }
}

impl From<Pin> for NativePin {
    fn from(pin: Pin) -> Self {
        Self {
            identity: pin.identity,
            version: pin.version,
            hash: Base64Bytes(pin.hash),
            min_suite: pin.min_suite,
        }
    }
}

impl Offer {
    pub(super) fn of(bundle: &VerifiedBundle) -> Self {
        Self {
            native: Some(bundle.pin().into()),
            compatible: bundle.bundle().compatible,
        }
    }

    pub(super) const fn of_compatible(compatible: EncryptionPublicKey) -> Self {
        Self {
            native: None,
            compatible,
        }
    }

    /// What people compare: a fingerprint, or an X25519 key.
    pub fn shown_key(&self, agent: AgentId) -> String {
        match self.native {
            Some(native) => native.fingerprint(agent).to_string(),
            None => self.compatible.to_string(),
        }
    }
}

impl Refusal {
    const fn blocks(self) -> bool {
        match self {
            Self::Changed | Self::Forked | Self::MinSuite => true,
            Self::NoBundle | Self::RolledBack => false,
        }
    }
}

fn bounded(label: &str) -> String {
    label.chars().take(MAX_LABEL_CHARS).collect()
}

mod identity_key {
    use serde::de::Error as _;

    use super::{Base64Bytes, Deserialize, Deserializer, IdentityPublicKey, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        key: &IdentityPublicKey,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        Base64Bytes(*key.as_bytes()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<IdentityPublicKey, D::Error> {
        let bytes = Base64Bytes::<32>::deserialize(from)?;
        IdentityPublicKey::from_bytes(&bytes.0).map_err(D::Error::custom)
    }
}
