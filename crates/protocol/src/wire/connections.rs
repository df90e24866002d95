//! Connections between accounts, from the invitation on.

use serde::{Deserialize, Serialize};

use super::agents::AgentType;
use crate::text::{Description, Email, InviteMessage, Name};
use crate::{AccountId, AgentId, ConnectionId, Slug, Timestamp};

super::define_choice! {
    /// Where a connection stands.
    ConnectionState {
        /// The invitation waits for an answer.
        Pending = "pending",
        /// Both accounts want it.
        Active = "active",
        /// The invitation was turned down, and nothing of it is left.
        Rejected = "rejected",
        /// One side ended it, or took the invitation back.
        Revoked = "revoked",
    }
}

super::define_choice! {
    /// Which connections a list has.
    ConnectionFilter {
        /// Those that are active, and invitations either way.
        All = "all",
        /// Those that are active.
        Active = "active",
        /// Invitations either way.
        Pending = "pending",
    }
}

/// Invites an account to be connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateConnection {
    /// Whose account it is; there need not be one yet.
    pub email: Email,
    /// What to tell its owner.
    #[serde(default)]
    pub message: Option<InviteMessage>,
}

/// An invitation that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedConnection {
    /// The connection.
    pub id: ConnectionId,
    /// `pending`.
    pub status: ConnectionState,
    /// Where the invitation went.
    pub invited_email: Email,
    /// What its sender told.
    pub message: Option<InviteMessage>,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// An account, as those see it that it deals with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OtherAccount {
    /// The account.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whom it belongs to.
    pub email: Email,
    /// Its picture; there is none so far.
    pub avatar_url: Option<String>,
}

/// An active connection, as one of its two accounts sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// The other account.
    pub other_account: OtherAccount,
    /// `active`.
    pub status: ConnectionState,
    /// The account that sent the invitation.
    pub invited_by: AccountId,
    /// What it told.
    pub message: Option<InviteMessage>,
    /// When the invitation was sent.
    pub created_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// How many pairings are active under it.
    pub pairing_count: u64,
    /// How many wait for this account to confirm them.
    pub pending_pairing_count: u64,
}

/// An invitation that an account was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncomingInvite {
    /// The connection.
    pub id: ConnectionId,
    /// Who sent it.
    pub from: OtherAccount,
    /// What its sender told.
    pub message: Option<InviteMessage>,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// An invitation that an account sent;
/// of the other account it says nothing, not even whether there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutgoingInvite {
    /// The connection.
    pub id: ConnectionId,
    /// Where it went.
    pub to_email: Email,
    /// What its sender told.
    pub message: Option<InviteMessage>,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// The connections of an account, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connections {
    /// Those that are active.
    pub connections: Vec<Connection>,
    /// The same, under the name that the guide has.
    pub active: Vec<Connection>,
    /// Invitations it was sent.
    pub pending_incoming: Vec<IncomingInvite>,
    /// Invitations it sent.
    pub pending_outgoing: Vec<OutgoingInvite>,
    /// How many pairings wait for it to confirm them, under all its connections.
    pub pending_pairings_count: u64,
}

/// An accepted invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AcceptedConnection {
    /// The connection.
    pub id: ConnectionId,
    /// `active`.
    pub status: ConnectionState,
    /// What was done, for people.
    pub message: String,
}

/// An invitation that was turned down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedConnection {
    /// What the connection was.
    pub id: ConnectionId,
    /// `rejected`.
    pub status: ConnectionState,
}

/// A connection that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedConnection {
    /// The connection.
    pub id: ConnectionId,
    /// `revoked`.
    pub status: ConnectionState,
    /// How many pairings ended with it.
    pub pairings_revoked: u64,
}

/// An agent of the other account that may be paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionAgent {
    /// The agent.
    pub id: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// What it is called.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// What it is built with.
    pub agent_type: AgentType,
    /// The fingerprint of its identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_fingerprint: Option<String>,
}

/// The agents of the other account that may be paired, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionAgents {
    /// The agents.
    pub agents: Vec<ConnectionAgent>,
}
