//! What the server itself stumbles over: its database, its disk or bucket, its keys.

use std::io;

use agentdrop_protocol::ErrorCode;
use agentdrop_store::{Constraint, Error as StoreError};

use super::ApiError;
use crate::at_rest::AtRestError;
use crate::clock::NoChance;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::AccountEmail) => Self::refused(
                ErrorCode::AccountExists,
                "an account with this e-mail address exists",
            ),
            StoreError::Conflict(Constraint::AgentSlug) => Self::refused(
                ErrorCode::AgentExists,
                "the account has an agent of this name; take another, or delete that one",
            ),
            StoreError::Conflict(Constraint::ConnectionPair) => Self::refused(
                ErrorCode::InvitePending,
                "an invitation between the two waits for an answer already",
            ),
            StoreError::Conflict(Constraint::PairingAgents) => Self::refused(
                ErrorCode::PairingExists,
                "the two agents have a pairing that is active or waits to be confirmed",
            ),
            StoreError::Conflict(Constraint::TransferId) => transfer_exists(),
            StoreError::Full(_) => Self::Broken(ErrorCode::StorageUnavailable, error.into()),
            StoreError::GaveWay(_) => Self::GaveWay(error.into()),
            StoreError::Unreachable(_) => Self::Broken(ErrorCode::Unavailable, error.into()),
            error => Self::Internal(error.into()),
        }
    }
}

/// Of two transfers that their senders gave one id, the first has it.
pub(crate) fn transfer_exists() -> ApiError {
    let message = "there is a transfer of this id; take another one";
    ApiError::refused(ErrorCode::TransferExists, message)
}

impl From<io::Error> for ApiError {
    /// What a disk says, or a bucket.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::FileTooLarge => {
                Self::Broken(ErrorCode::StorageUnavailable, error.into())
            }
            // Its sender's doing, and nothing that we could mend.
            io::ErrorKind::StaleNetworkFileHandle => {
                let message =
                    "its sender put other bytes in the place of those that were confirmed";
                Self::refused(ErrorCode::Gone, message)
            }
            // A bucket is away, and no disk says that.
            io::ErrorKind::HostUnreachable => Self::Broken(ErrorCode::Unavailable, error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}

impl From<AtRestError> for ApiError {
    fn from(error: AtRestError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<NoChance> for ApiError {
    fn from(error: NoChance) -> Self {
        Self::Internal(error.into())
    }
}
