//! The audit log of an account: who did what, when, and from where.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, AgentId, Cursor, Timestamp};

super::define_choice! {
    /// What was done. A promise: entries keep the spelling that they were written with.
    Action {
        /// The account blocked another.
        AccountBlocked = "account.blocked",
        /// The account was made, with its first key.
        AccountCreated = "account.created",
        /// The operator gave the account another plan.
        AccountPlanChanged = "account.plan_changed",
        /// The account took a block back.
        AccountUnblocked = "account.unblocked",
        /// What the account says of itself, or its settings, were changed.
        AccountUpdated = "account.updated",
        /// The address of the account is known to be its owner's.
        AccountVerified = "account.verified",
        /// An agent published what it says of its keys.
        AgentBundlePublished = "agent.bundle_published",
        /// An agent got its key with a connection token.
        AgentConnected = "agent.connected",
        /// An agent was deleted, with all that belonged to it.
        AgentDeleted = "agent.deleted",
        /// The keys of an agent were wiped.
        AgentDisconnected = "agent.disconnected",
        /// An agent got another key.
        AgentKeyRotated = "agent.key_rotated",
        /// An agent was registered; in one step with its key.
        AgentRegistered = "agent.registered",
        /// What is said of an agent was changed.
        AgentUpdated = "agent.updated",
        /// A channel was made, or asked for by its second side.
        ChannelCreated = "channel.created",
        /// A channel was ended.
        ChannelRevoked = "channel.revoked",
        /// An invitation was accepted.
        ConnectionAccepted = "connection.accepted",
        /// An invitation was sent.
        ConnectionInvited = "connection.invited",
        /// An invitation was turned down.
        ConnectionRejected = "connection.rejected",
        /// A connection was ended, or an invitation taken back.
        ConnectionRevoked = "connection.revoked",
        /// An API key was made, of the account or of one agent.
        KeyCreated = "key.created",
        /// An API key was ended.
        KeyRevoked = "key.revoked",
        /// The terms of a pairing were changed.
        PairingChanged = "pairing.changed",
        /// A pairing was agreed to.
        PairingConfirmed = "pairing.confirmed",
        /// A pairing was proposed.
        PairingProposed = "pairing.proposed",
        /// A pairing was ended.
        PairingRevoked = "pairing.revoked",
        /// The password was set or changed.
        PasswordChanged = "password.changed",
        /// The owner is sent files under no key any more.
        ReceivePasswordRemoved = "receive_password.removed",
        /// The owner is sent files under this key from now on, or has another password for it.
        ReceivePasswordSet = "receive_password.set",
        /// Somebody signed in.
        SessionCreated = "session.created",
        /// Somebody signed out.
        SessionEnded = "session.ended",
        /// Somebody tried to sign in and was refused.
        SessionRefused = "session.refused",
        /// A transfer that waited for a person was encrypted for them, and is theirs alone.
        TransferActivated = "transfer.activated",
        /// A transfer was announced, whose files are still to come.
        TransferAnnounced = "transfer.announced",
        /// A transfer was sent: its files are there.
        TransferCreated = "transfer.created",
        /// A transfer was taken back, or thrown away.
        TransferDeleted = "transfer.deleted",
        /// The recipient said that a transfer arrived.
        TransferDelivered = "transfer.delivered",
        /// One of the downloads that a transfer allows was taken.
        TransferDownloaded = "transfer.downloaded",
        /// The time of a transfer ran out.
        TransferExpired = "transfer.expired",
        /// Another account sent a transfer.
        TransferReceived = "transfer.received",
        /// The recipient said that it did not take a transfer.
        TransferRejected = "transfer.rejected",
    }
}

super::define_choice! {
    /// What kind of party did something.
    ActorKind {
        /// Another account; which of its keys, agents or people is that account's own to know.
        Account = "account",
        /// A key of the account.
        AccountKey = "account_key",
        /// A key of one agent of the account.
        AgentKey = "agent_key",
        /// Whoever it was, without a credential.
        Anonymous = "anonymous",
        /// An agent of the account, with the token that connects it.
        ConnectionToken = "connection_token",
        /// The operator of the server.
        Operator = "operator",
        /// The server itself, for nobody.
        Server = "server",
        /// A person of the account who signed in.
        Session = "session",
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// What kind of party.
    pub kind: ActorKind,
    /// Which one: the id of the key, of the session, or of the other account.
    pub id: Option<String>,
    /// The agent, where one agent did it.
    pub agent_id: Option<AgentId>,
}

/// One entry: something that was done. `hash` is over `previous_hash` and all other fields, in the
/// canonical form that the documentation has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number in the log of its account, from 1 on and without gaps.
    pub seq: u64,
    /// When it was done.
    pub at: Timestamp,
    /// What was done.
    pub action: Action,
    /// Who did it.
    pub actor: AuditActor,
    /// From where; absent for the operator, and for what another account did.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub address: Option<IpAddr>,
    /// The id of the request; absent for the operator, and for what another account did.
    pub request_id: Option<String>,
    /// What it was done to: ids and agents' names, by what they are of.
    pub subject: BTreeMap<String, String>,
    /// The `hash` of the entry before, in hexadecimal digits; zeros for the first.
    pub previous_hash: String,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
}

/// A part of an account's log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLog {
    /// The account, which is part of what is hashed.
    pub account_id: AccountId,
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where older entries begin, if there may be some; with a filter, this part may be short, or
    /// empty, and there be more all the same.
    pub next_cursor: Option<Cursor>,
    /// Whether there may be more.
    pub has_more: bool,
}
