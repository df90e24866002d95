//! Why what an agent is said to say of itself is not believed.

use crate::Malformed;

/// Why something signed is not believed. Nothing of it is secret, so each reason has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// It accepts weaker sealing than the agent did before.
    #[error("it accepts weaker sealing than this agent did before")]
    Downgraded,
    /// It is over.
    #[error("the time is over that its signer gave it")]
    Expired,
    /// The signature is not by the key that it has to be by.
    #[error("the signature is not genuine")]
    Forged,
    /// It contradicts what the same key signed before.
    #[error("it contradicts what the same agent signed before")]
    Forked,
    /// Its bytes mean nothing.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is of another agent.
    #[error("it is of another agent")]
    OtherAgent,
    /// It is of another identity key than the one that is known.
    #[error("the agent has another identity key than the one that is known")]
    OtherIdentity,
    /// It is of another transfer.
    #[error("it is of another transfer")]
    OtherTransfer,
    /// It is older than what is known.
    #[error("it is older than what is known of this agent")]
    RolledBack,
}
