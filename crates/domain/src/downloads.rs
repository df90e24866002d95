//! Grants to download a transfer.

use agentdrop_protocol::limits::GRANT_LIFETIME;
use agentdrop_protocol::text::Reason;
use agentdrop_protocol::wire::transfers::DeliveryStatus;
use agentdrop_protocol::{AccountId, AgentId, DownloadId, SignedStatement, Timestamp, TransferId};

/// One of the downloads that a transfer allows. Fetching and resuming under it costs no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// The grant.
    pub id: DownloadId,
    /// The transfer.
    pub transfer: TransferId,
    /// The account it was granted to.
    pub account: AccountId,
    /// The agent it was granted to, if one asked as itself.
    pub agent: Option<AgentId>,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Until when its addresses work.
    pub expires_at: Timestamp,
    /// How it ended, if its holder said so.
    pub outcome: Option<Outcome>,
}

/// How a download ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Received or rejected.
    pub status: DeliveryStatus,
    /// Why, if the recipient said so.
    pub reason: Option<Reason>,
    /// When.
    pub at: Timestamp,
    /// What the recipient signed of it, if it did.
    pub receipt: Option<SignedStatement>,
}

/// Until when the addresses of a grant work: an hour, and not past the transfer's own end.
pub fn grant_until(now: Timestamp, transfer_expires_at: Timestamp) -> Timestamp {
    now.plus(GRANT_LIFETIME).min(transfer_expires_at)
}
