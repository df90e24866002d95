//! Pairings: which agents of connected accounts exchange files, and which way.

use serde::{Deserialize, Serialize};

use crate::text::Name;
use crate::{
    AccountId, AgentId, AgentRef, ConnectionId, EncryptionPublicKey, PairingId, Slug, Timestamp,
};

super::define_choice! {
    /// Where a pairing stands.
    PairingStatus {
        /// One side waits for the other to confirm it.
        Pending = "pending",
        /// Its agents exchange files.
        Active = "active",
        /// It is over.
        Revoked = "revoked",
    }
}

super::define_choice! {
    /// Which way files may go, as one side sees it.
    Permission {
        /// Both ways.
        Both = "both",
        /// From this side to the other.
        SendOnly = "send_only",
        /// From the other side to this one.
        ReceiveOnly = "receive_only",
    }
}

/// Which way a file goes, as one side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From this side to the other.
    Send,
    /// From the other side to this one.
    Receive,
}

impl Permission {
    /// The same, as the other side sees it.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Both => Self::Both,
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
        }
    }

    /// Whether files may go this way.
    pub const fn allows(self, direction: Direction) -> bool {
        matches!(
            (self, direction),
            (Self::Both, _)
                | (Self::SendOnly, Direction::Send)
                | (Self::ReceiveOnly, Direction::Receive)
        )
    }
}

/// Proposes to pair an own agent with one of the connected account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatePairing {
    /// The own agent, by id or slug.
    pub my_agent_id: AgentRef,
    /// The other account's agent, by id or slug.
    pub their_agent_id: AgentRef,
    /// Which way files may go, as the proposer sees it; both ways, if nothing is said.
    #[serde(default)]
    pub permission: Option<Permission>,
}

/// An agent of a pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairedAgent {
    /// The agent.
    pub id: AgentId,
    /// The name it goes by.
    pub agent_id: Slug,
    /// What it is called.
    pub name: Name,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The fingerprint of its identity, `adk1…`; absent where it has published no bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_fingerprint: Option<String>,
}

/// A proposed pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedPairing {
    /// The pairing.
    pub id: PairingId,
    /// The connection it is under.
    pub connection_id: ConnectionId,
    /// `pending`.
    pub status: PairingStatus,
    /// The own agent.
    pub my_agent: PairedAgent,
    /// The other account's.
    pub their_agent: PairedAgent,
    /// Which way files may go, as the proposer sees it.
    pub permission: Permission,
    /// The account that proposed it.
    pub proposed_by: AccountId,
    /// When.
    pub created_at: Timestamp,
}

/// A pairing, as one of its two accounts sees it. Of its agents, `a` is the one with the lower
/// id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairing {
    /// The pairing.
    pub id: PairingId,
    /// The connection it is under.
    pub connection_id: ConnectionId,
    /// One agent.
    pub agent_a: PairedAgent,
    /// The other.
    pub agent_b: PairedAgent,
    /// Where it stands.
    pub status: PairingStatus,
    /// Which way files may go, as the viewer sees it.
    pub permission: Permission,
    /// The same, as the account sees it that proposed the pairing.
    pub raw_permission: Permission,
    /// The account that proposed the pairing.
    pub proposed_by: AccountId,
    /// The account that set the terms as they are; the other one agrees to them.
    pub terms_by: AccountId,
    /// The key of `a`, raw; absent while it has none.
    pub agent_a_public_key: Option<EncryptionPublicKey>,
    /// The version of the key of `a`.
    pub agent_a_key_version: u32,
    /// The key of `b`, raw; absent while it has none.
    pub agent_b_public_key: Option<EncryptionPublicKey>,
    /// The version of the key of `b`.
    pub agent_b_key_version: u32,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was confirmed as it stands.
    pub confirmed_at: Option<Timestamp>,
    /// Since when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// The pairings under a connection, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairings {
    /// The pairings.
    pub pairings: Vec<Pairing>,
}

/// Agrees to a pairing. What is said here is what it has to be: it may have been changed since it
/// was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmPairing {
    /// Which way files go, as the caller sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
    /// The public key of the other side's agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub their_public_key: Option<EncryptionPublicKey>,
    /// The fingerprint of the identity of the other side's agent, `adk1…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 62, max_length = 62))]
    pub their_key_fingerprint: Option<String>,
}

/// A confirmed pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmedPairing {
    /// The pairing.
    pub id: PairingId,
    /// `active`.
    pub status: PairingStatus,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// What was done, for people.
    pub message: String,
}

/// Changes which way files may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatePairing {
    /// Which way, as the caller sees it.
    pub permission: Permission,
}

/// A pairing whose terms the other side has to confirm again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatedPairing {
    /// The pairing.
    pub id: PairingId,
    /// Which way files may go, as the caller sees it.
    pub permission: Permission,
    /// `pending`.
    pub status: PairingStatus,
    /// What was done, for people.
    pub message: String,
}

/// A pairing that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedPairing {
    /// The pairing.
    pub id: PairingId,
    /// `revoked`.
    pub status: PairingStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_may_send_the_other_may_receive() {
        use Direction::{Receive, Send};
        for it in [
            Permission::Both,
            Permission::SendOnly,
            Permission::ReceiveOnly,
        ] {
            assert_eq!(it.allows(Send), it.flipped().allows(Receive));
            assert_eq!(it.allows(Receive), it.flipped().allows(Send));
            assert_eq!(it.flipped().flipped(), it);
        }
        assert!(Permission::Both.allows(Send) && Permission::Both.allows(Receive));
        assert!(Permission::SendOnly.allows(Send) && !Permission::SendOnly.allows(Receive));
        assert!(!Permission::ReceiveOnly.allows(Send) && Permission::ReceiveOnly.allows(Receive));
    }
}
