//! What happens to an account, as it happens: `GET /v1/events` and `GET /v1/events/stream`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::transfers::Transfer;
use crate::Timestamp;

super::define_choice! {
    /// What happened.
    EventKind {
        /// An agent, one's own or one that is paired with it, has another key.
        AgentKeyRotated = "agent.key_rotated",
        /// An invitation was accepted.
        ConnectionAccepted = "connection.accepted",
        /// An invitation was sent.
        ConnectionInvited = "connection.invited",
        /// A connection was ended, or an invitation taken back.
        ConnectionRevoked = "connection.revoked",
        /// The terms of a pairing were changed, and wait for the other side.
        PairingChanged = "pairing.changed",
        /// A pairing was agreed to.
        PairingConfirmed = "pairing.confirmed",
        /// A pairing was proposed.
        PairingProposed = "pairing.proposed",
        /// A pairing was ended.
        PairingRevoked = "pairing.revoked",
        /// What waited for a person was encrypted for them, and is theirs alone.
        TransferActivated = "transfer.activated",
        /// What was sent can be received.
        TransferCreated = "transfer.created",
        /// A transfer was taken back, or thrown away.
        TransferDeleted = "transfer.deleted",
        /// The recipient said that a transfer arrived.
        TransferDelivered = "transfer.delivered",
        /// One of the downloads that a transfer allows was taken.
        TransferDownloaded = "transfer.downloaded",
        /// The time of a transfer ran out.
        TransferExpired = "transfer.expired",
        /// The recipient said that it did not take a transfer.
        TransferRejected = "transfer.rejected",
    }
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its number, which is its entry's in the audit log of the account: ascending, with gaps.
    pub id: u64,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it happened.
    pub created_at: Timestamp,
    /// What it happened to.
    pub data: EventData,
}

/// What something happened to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum EventData {
    /// A transfer, as it is by now.
    Transfer(Box<Transfer>),
    /// Anything else: ids and agents' names, by what they are of.
    Things(BTreeMap<String, String>),
}

/// What happened behind a number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventList {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// What to ask for next, as `since`.
    pub next_since: u64,
    /// Whether there is more by now.
    pub has_more: bool,
}
