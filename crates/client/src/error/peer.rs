//! Why another agent, or what it is said to have sent, is not believed.

use agentdrop_protocol::{AgentId, TransferId};

use super::text::{shell_quoted, shown};

/// Whom it is about: as people know it, and as no two agents are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The agent.
    pub agent: AgentId,
    /// What it was called, with its account; whoever owns it chose that.
    pub label: String,
}

/// Why another agent, or what it is said to have sent, is not believed; nothing was sent or released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// What the server says of the agent's keys is over.
    #[error("the keys of `{0}` are over: it has not renewed them")]
    BundleExpired(Peer),
    /// The agent did not say what the server says that it said.
    #[error("the keys that the server gives for `{0}` are not signed by it")]
    BundleNotGenuine(Peer),
    /// It was known to speak the native envelope, and is said not to any more.
    #[error("`{0}` had signed keys, and now the server gives a key without a signature")]
    Downgraded(Peer),
    /// It says itself that it accepts weaker sealing than before.
    #[error("`{0}` accepts weaker sealing than before")]
    DowngradedBySuite(Peer),
    /// What is imported contradicts what is known; nothing was imported.
    #[error("what is imported contradicts what is known of {0}")]
    ImportContradicts(String),
    /// What is imported cannot be understood.
    #[error("what is imported is no list of known agents: {0}")]
    ImportMalformed(String),
    /// Its identity key is another than the known one, and the known one does not say so.
    #[error("the key of `{peer}` is another: known is {known}, offered is {offered}")]
    KeyChanged {
        /// The agent.
        peer: Peer,
        /// The key that is known: a fingerprint, or an X25519 key of the compatible formats.
        known: String,
        /// The key that the server offers.
        offered: String,
    },
    /// The same identity signed two rows of keys.
    #[error("the identity of `{0}` signed two things that contradict each other")]
    KeyForked(Peer),
    /// The keys are older than those that are known.
    #[error("the server gives older keys for `{0}` than those that are known")]
    KeyRolledBack(Peer),
    /// The name was another agent's before.
    #[error("`{name}` was agent {before}, and now the server says that it is agent {now}")]
    NameMoved {
        /// The name.
        name: String,
        /// The agent that is known by it.
        before: AgentId,
        /// The agent that it leads to.
        now: AgentId,
    },
    /// Nothing is known of it, or nothing is to be decided.
    #[error("there is nothing to decide about agent {0}")]
    NothingToDecide(AgentId),
    /// What was shown to the person who decides is not what there is to decide by now.
    #[error("what is known of `{0}` changed meanwhile")]
    OfferChanged(Peer),
    /// The recipient did not sign it, or not of this transfer.
    #[error("the receipt of {0} is not genuine")]
    ReceiptNotGenuine(TransferId),
    /// It was received before.
    #[error("{0} was received already")]
    Replayed(TransferId),
    /// It is older than what is remembered of its sender.
    #[error("{0} is older than what is remembered of its sender")]
    SequenceTooOld(TransferId),
}

impl PeerError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::BundleExpired(_) => "BUNDLE_EXPIRED",
            Self::BundleNotGenuine(_) => "BUNDLE_NOT_GENUINE",
            Self::Downgraded(_) | Self::DowngradedBySuite(_) => "PEER_DOWNGRADED",
            Self::ImportContradicts(_) => "TRUST_IMPORT_CONTRADICTS",
            Self::ImportMalformed(_) => "TRUST_IMPORT_MALFORMED",
            Self::KeyChanged { .. } => "PEER_KEY_CHANGED",
            Self::KeyForked(_) => "PEER_KEY_FORKED",
            Self::KeyRolledBack(_) => "PEER_KEY_ROLLED_BACK",
            Self::NameMoved { .. } => "PEER_NAME_MOVED",
            Self::NothingToDecide(_) => "NOTHING_TO_DECIDE",
            Self::OfferChanged(_) => "PEER_OFFER_CHANGED",
            Self::ReceiptNotGenuine(_) => "RECEIPT_NOT_GENUINE",
            Self::Replayed(_) => "REPLAYED",
            Self::SequenceTooOld(_) => "SEQUENCE_TOO_OLD",
        }
    }

    pub(super) fn hint(&self) -> String {
        match self {
            Self::BundleExpired(_) => {
                "its owner has to start it, which renews them; if they are new, check the clock"
                    .into()
            }
            Self::BundleNotGenuine(_) => "do not trust this server before you know why".into(),
            Self::Downgraded(peer) => peer.decide("whether it was set back to an older program"),
            Self::DowngradedBySuite(peer) => peer.decide("whether that is meant"),
            Self::ImportContradicts(_) => {
                "compare them with their owners first; `--force` takes what is imported".into()
            }
            Self::ImportMalformed(_) => "it is what `agentdrop trust export` writes".into(),
            Self::KeyChanged { peer, .. } => peer.decide("which key is right"),
            Self::KeyForked(peer) => peer.decide("whether its identity was copied or stolen"),
            Self::KeyRolledBack(peer) => peer.decide("whether it was restored from a copy"),
            Self::NameMoved { before, now, .. } => format!(
                "ask its owner: if it is another agent, name it by its id, {now}; if it was registered anew, forget the old one with `agentdrop trust reset {before}`"
            ),
            Self::NothingToDecide(_) => "`agentdrop trust` lists what is known".into(),
            Self::OfferChanged(_) => "look at it again with `agentdrop trust`".into(),
            Self::ReceiptNotGenuine(_) => {
                "the recipient did not say this: do not trust this server before you know why"
                    .into()
            }
            Self::Replayed(_) => "it is here already; what came again was thrown away".into(),
            Self::SequenceTooOld(_) => "ask the sender to send it again".into(),
        }
    }
}

impl Peer {
    /// The command that decides names the agent by its id: a label can be two agents' at a time.
    fn decide(&self, what: &str) -> String {
        format!(
            "ask its owner {what}, then: agentdrop trust accept {}",
            shell_quoted(&self.agent.to_string())
        )
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.label.is_empty() {
            return write!(f, "{}", self.agent);
        }
        f.write_str(&shown(&self.label))
    }
}
