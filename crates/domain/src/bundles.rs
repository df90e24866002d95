//! What agents publish of their keys, as it is kept. What the bytes say, and whether they are
//! genuine, is not known here.

use agentdrop_protocol::{AgentId, SignedStatement, SigningPublicKey, Timestamp};

/// The last bundle that an agent published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The agent.
    pub agent: AgentId,
    /// Which of its bundles: the next has one more.
    pub version: u64,
    /// What the next has to refer to.
    pub hash: [u8; 32],
    /// The identity key that signed it.
    pub identity: SigningPublicKey,
    /// The weakest suite that the agent accepts.
    pub min_suite: u8,
    /// The bundle itself. It goes with the agent's keys; the rest stays, for those who know the
    /// agent refuse what does not go on from there.
    pub signed: Option<SignedStatement>,
}

/// A key of an agent for one envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prekey {
    /// Which one.
    pub id: [u8; 16],
    /// Until when something may be sealed for it.
    pub not_after: Timestamp,
    /// The key itself.
    pub signed: SignedStatement,
}
