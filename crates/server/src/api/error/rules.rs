//! What a rule refuses, and with which code.

use agentdrop_domain::accounts::AccountError;
use agentdrop_domain::actor::ActorError;
use agentdrop_domain::agents::AgentError;
use agentdrop_domain::blocks::BlockError;
use agentdrop_domain::channels::ChannelError;
use agentdrop_domain::connections::ConnectionError;
use agentdrop_domain::keys::KeyError;
use agentdrop_domain::links::LinkError;
use agentdrop_domain::pairings::PairingError;
use agentdrop_domain::people::PersonError;
use agentdrop_domain::plans::PlanError;
use agentdrop_domain::policy::PolicyError;
use agentdrop_domain::transfers::TransferError;
use agentdrop_domain::uploads::UploadError;
use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::error_body::FieldError;

use super::ApiError;

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::PasswordIsKnown => Self::invalid("password", error.to_string()),
        }
    }
}

impl From<ActorError> for ApiError {
    fn from(error: ActorError) -> Self {
        match error {
            ActorError::AccountKeyRequired | ActorError::AnotherAgent => {
                Self::refused(ErrorCode::ScopeMismatch, error.to_string())
            }
            ActorError::SessionRequired => {
                Self::refused(ErrorCode::SessionRequired, error.to_string())
            }
        }
    }
}

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::AlreadyDisconnected => {
                Self::refused(ErrorCode::AlreadyDisconnected, error.to_string())
            }
        }
    }
}

impl From<ChannelError> for ApiError {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::AlreadyRevoked => {
                Self::refused(ErrorCode::AlreadyRevoked, error.to_string())
            }
            ChannelError::SameAgent => Self::invalid("target_agent_id", error.to_string()),
        }
    }
}

impl From<BlockError> for ApiError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::NoAccount => Self::refused(ErrorCode::Forbidden, error.to_string()),
        }
    }
}

impl From<ConnectionError> for ApiError {
    fn from(error: ConnectionError) -> Self {
        let code = match error {
            ConnectionError::AlreadyConnected => ErrorCode::AlreadyConnected,
            ConnectionError::AlreadyProcessed => ErrorCode::AlreadyProcessed,
            ConnectionError::AlreadyRevoked => ErrorCode::ConnectionAlreadyRevoked,
            ConnectionError::InvitePending => ErrorCode::InvitePending,
            ConnectionError::NotAParty => return Self::NotFound,
            ConnectionError::OwnInvite => ErrorCode::Forbidden,
            ConnectionError::SelfConnection => ErrorCode::SelfConnection,
        };
        Self::refused(code, error.to_string())
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        let code = match error {
            LinkError::Gone => ErrorCode::Gone,
            LinkError::NotReady => ErrorCode::TransferInvalidStatus,
        };
        Self::refused(code, error.to_string())
    }
}

impl From<PairingError> for ApiError {
    fn from(error: PairingError) -> Self {
        let code = match error {
            PairingError::AgentNotAvailable => ErrorCode::AgentNotAvailable,
            PairingError::AgentNotConnected => ErrorCode::AgentNotConnected,
            PairingError::AgentNotFound => ErrorCode::AgentNotFound,
            PairingError::AlreadyRevoked => ErrorCode::AlreadyRevoked,
            PairingError::CannotConfirmOwn => ErrorCode::CannotConfirmOwn,
            PairingError::ConnectionNotActive => ErrorCode::ConnectionNotActive,
            PairingError::InvalidStatus(_) => ErrorCode::InvalidStatus,
            PairingError::NotAParty => return Self::NotFound,
            PairingError::TargetNotConnected => ErrorCode::TargetNotConnected,
        };
        Self::refused(code, error.to_string())
    }
}

impl From<PersonError> for ApiError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::KeyChanged => Self::refused(ErrorCode::KeyChanged, error.to_string()),
            PersonError::SenderNotVerified => {
                Self::refused(ErrorCode::AddressNotVerified, error.to_string())
            }
            PersonError::TooManyStrangers { resets_in } => {
                Self::TooManyStrangers(resets_in, error.to_string().into())
            }
        }
    }
}

impl From<PlanError> for ApiError {
    fn from(error: PlanError) -> Self {
        let code = match error {
            PlanError::Agents(_) | PlanError::Connections(_) | PlanError::Pairings(_) => {
                ErrorCode::PlanLimitReached
            }
            PlanError::File(_) => ErrorCode::FileTooLarge,
            PlanError::Keys(_) => ErrorCode::KeyLimitReached,
            PlanError::Lifetime(_) => return Self::invalid("expires_in", error.to_string()),
            PlanError::Storage(_) => ErrorCode::StorageFull,
            PlanError::Transfers { resets_in, .. } => {
                return Self::OutOfTransfers(resets_in, error.to_string().into());
            }
        };
        Self::refused(code, error.to_string())
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::ShareRequired => share_required(),
        }
    }
}

/// The same for a name that nobody has and for a name that somebody else's agent has.
pub(crate) fn share_required() -> ApiError {
    let message = "there is no agent of this name that shares files with the sender";
    ApiError::refused(ErrorCode::ShareRequired, message)
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Revoked => Self::NotFound,
            KeyError::SelfRevoke => Self::refused(ErrorCode::SelfRevoke, error.to_string()),
        }
    }
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Deleted
            | TransferError::Exhausted
            | TransferError::Expired
            | TransferError::NotReady => Self::refused(ErrorCode::Gone, error.to_string()),
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        let code = match &error {
            UploadError::AlreadyCompleted => ErrorCode::AlreadyCompleted,
            UploadError::AlreadyConfirmed => ErrorCode::AlreadyConfirmed,
            UploadError::DuplicatePart(_) => ErrorCode::DuplicatePart,
            UploadError::FilesMissing(places) => {
                let missing = places.iter().map(|it| FieldError {
                    field: format!("files[{it}]"),
                    message: "has not come".to_owned(),
                });
                return Self::FilesMissing(missing.collect());
            }
            UploadError::InvalidPart(_) => ErrorCode::InvalidPart,
            UploadError::InvalidPartOrder => ErrorCode::InvalidPartOrder,
            UploadError::NoSuchPart => return Self::NotFound,
            UploadError::PartsMissing(_) => ErrorCode::PartsMissing,
            UploadError::SizeMismatch { .. } => ErrorCode::SizeMismatch,
            UploadError::Transfer(error) => return (*error).into(),
        };
        Self::refused(code, error.to_string())
    }
}
