//! Every way a request can fail, and the status and code it fails with; the one such place.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

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
use agentdrop_protocol::error_body::{Candidate, ErrorObject, FieldError};
use agentdrop_protocol::{ErrorBody, ErrorCode};
use agentdrop_store::{Constraint, Error as StoreError};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::at_rest::AtRestError;
use crate::clock::NoChance;

/// What a handler answers.
pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// A failed request.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The caller asked for what is not there, or not theirs: which of the two, it does not learn.
    NotFound,
    /// The fields that are wrong.
    Invalid(Vec<FieldError>),
    /// Agents of several accounts go by the name; these accounts.
    Ambiguous(Vec<Candidate>),
    /// The caller has done this too often; how long to wait, and what it was.
    Limited(Duration, Cow<'static, str>),
    /// The transfers of this month are used up; how long until the next one begins.
    OutOfTransfers(Duration, Cow<'static, str>),
    /// As many strangers were written to as may be; how long until there is room for another.
    TooManyStrangers(Duration, Cow<'static, str>),
    /// These files of a transfer have not come.
    FilesMissing(Vec<FieldError>),
    /// A rule said no.
    Refused(ErrorCode, Cow<'static, str>),
    /// Ours to fix; the caller learns only that it happened, the log why.
    Internal(Box<dyn StdError + Send + Sync>),
    /// A part of the server is down or full; the caller learns which kind, the log why.
    Broken(ErrorCode, Box<dyn StdError + Send + Sync>),
    /// Others got in the way; nothing was kept, and tried again it may go through.
    GaveWay(Box<dyn StdError + Send + Sync>),
}

impl ApiError {
    /// A rule said no.
    pub(crate) fn refused(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(code, message.into())
    }

    /// One field is wrong.
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// What the answer says, and what the log does.
    fn parts(self) -> (ErrorObject, Option<Failure>) {
        match self {
            Self::NotFound => {
                let message = "there is nothing here for you";
                (said(ErrorCode::NotFound, message), None)
            }
            Self::Invalid(details) => {
                let error = said(ErrorCode::ValidationError, "Invalid request parameters");
                (ErrorObject { details, ..error }, None)
            }
            Self::FilesMissing(details) => {
                let message = "files of the transfer have not come yet; send them, then confirm it";
                let error = said(ErrorCode::FilesMissing, message);
                (ErrorObject { details, ..error }, None)
            }
            Self::Ambiguous(candidates) => {
                let error = said(ErrorCode::AmbiguousRecipient, AMBIGUOUS);
                (
                    ErrorObject {
                        candidates,
                        ..error
                    },
                    None,
                )
            }
            Self::Limited(wait, message) => (waits(ErrorCode::RateLimited, wait, message), None),
            Self::OutOfTransfers(wait, message) => {
                (waits(ErrorCode::TransferLimitReached, wait, message), None)
            }
            Self::TooManyStrangers(wait, message) => {
                (waits(ErrorCode::InviteRateLimit, wait, message), None)
            }
            Self::Refused(code, message) => (said(code, message), None),
            Self::Internal(error) => {
                let message = "the server failed; its log has the reason under this request id";
                let failure = Failure::new(&*error);
                (said(ErrorCode::Internal, message), Some(failure))
            }
            Self::Broken(code, error) => broken(code, &*error),
            Self::GaveWay(error) => broken(ErrorCode::Unavailable, &*error),
        }
    }

    /// Whether the credential is missing, or is none that works.
    pub(crate) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused(code, _) if code.status() == 401)
    }
}

/// An error that is over after a while.
fn waits(code: ErrorCode, wait: Duration, message: Cow<'static, str>) -> ErrorObject {
    // Of a part of a second the whole.
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    ErrorObject {
        retry_after: Some(u64::try_from(seconds).unwrap_or(u64::MAX)),
        ..said(code, message)
    }
}

fn broken(code: ErrorCode, error: &(dyn StdError + 'static)) -> (ErrorObject, Option<Failure>) {
    let said = ErrorObject {
        retry_after: (code == ErrorCode::Unavailable).then_some(5),
        ..said(code, code.meaning())
    };
    (said, Some(Failure::new(error)))
}

/// What the contract says, word for word.
const AMBIGUOUS: &str = "Multiple agents with this agent_id exist across paired accounts. Pass \
                         `recipient_account` (email or account UUID) to disambiguate.";

/// An error that says no more than this; the request id is filled in by [`finish`].
fn said(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> ErrorObject {
    ErrorObject {
        code,
        message: message.into().into_owned(),
        status: code.status(),
        request_id: String::new(),
        details: vec![],
        candidates: vec![],
        retry_after: None,
    }
}

/// Why the server failed, for its log.
#[derive(Clone, Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Why a request failed that is answered already.
    pub(crate) fn of(error: ApiError) -> Self {
        let (said, failure) = error.parts();
        failure.unwrap_or(Self(said.message))
    }

    fn new(error: &(dyn StdError + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        Self(chain)
    }
}

impl IntoResponse for ApiError {
    /// The request id is filled in by [`finish`], which knows it.
    fn into_response(self) -> Response {
        let (error, failure) = self.parts();
        let mut response = status(error.code).into_response();
        if let Some(failure) = failure {
            response.extensions_mut().insert(failure);
        }
        response.extensions_mut().insert(error);
        response
    }
}

/// Gives an error answer its body, with the id of the request.
pub(crate) fn finish(mut response: Response, request_id: &str) -> Response {
    let Some(mut error) = response.extensions_mut().remove::<ErrorObject>() else {
        return response;
    };
    request_id.clone_into(&mut error.request_id);
    let (code, retry_after) = (error.code, error.retry_after);
    let (parts, _) = response.into_parts();
    let mut finished = (status(code), Json(ErrorBody { error })).into_response();
    // What the router added, an `Allow` for one, stays; the empty body's length does not.
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            finished.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(seconds) = retry_after {
        finished
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if code.status() == 401 {
        finished
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    *finished.extensions_mut() = parts.extensions;
    finished
}

fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

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

/// Of two transfers that their senders gave one id, the first has it.
pub(crate) fn transfer_exists() -> ApiError {
    let message = "there is a transfer of this id; take another one";
    ApiError::refused(ErrorCode::TransferExists, message)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn whoever_had_to_give_way_is_told_to_try_again() {
        for error in [StoreError::GaveWay, StoreError::Unreachable] {
            let error = ApiError::from(error(Arc::new(io::Error::other("deadlock"))));
            let answer = finish(error.into_response(), "some-id");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()[header::RETRY_AFTER], "5");
        }
    }
}
