//! Every way a request can fail, and the status and code it fails with; the one such place.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use agentdrop_domain::actor::ActorError;
use agentdrop_domain::agents::AgentError;
use agentdrop_domain::channels::ChannelError;
use agentdrop_domain::keys::KeyError;
use agentdrop_domain::transfers::TransferError;
use agentdrop_protocol::error_body::{ErrorObject, FieldError};
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
    /// A rule said no.
    Refused(ErrorCode, Cow<'static, str>),
    /// Ours to fix; the caller learns only that it happened, the log why.
    Internal(Box<dyn StdError + Send + Sync>),
    /// A part of the server is down or full; the caller learns which kind, the log why.
    Broken(ErrorCode, Box<dyn StdError + Send + Sync>),
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
    fn parts(
        self,
    ) -> (
        ErrorCode,
        Cow<'static, str>,
        Vec<FieldError>,
        Option<Failure>,
    ) {
        match self {
            Self::NotFound => (
                ErrorCode::NotFound,
                "there is nothing here for you".into(),
                vec![],
                None,
            ),
            Self::Invalid(details) => (
                ErrorCode::ValidationError,
                "Invalid request parameters".into(),
                details,
                None,
            ),
            Self::Refused(code, message) => (code, message, vec![], None),
            Self::Internal(error) => {
                let message = "the server failed; its log has the reason under this request id";
                (
                    ErrorCode::Internal,
                    message.into(),
                    vec![],
                    Some(Failure::new(&*error)),
                )
            }
            Self::Broken(code, error) => (
                code,
                code.meaning().into(),
                vec![],
                Some(Failure::new(&*error)),
            ),
        }
    }
}

/// Why the server failed, for its log.
#[derive(Clone, Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
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
        let (code, message, details, failure) = self.parts();
        let retry_after = (code == ErrorCode::Unavailable).then_some(5);
        let error = ErrorObject {
            code,
            message: message.into_owned(),
            status: code.status(),
            request_id: String::new(),
            details,
            retry_after,
        };
        let mut response = status(code).into_response();
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

impl From<ActorError> for ApiError {
    fn from(error: ActorError) -> Self {
        match error {
            ActorError::AccountKeyRequired | ActorError::AnotherAgent => {
                Self::refused(ErrorCode::ScopeMismatch, error.to_string())
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
            StoreError::Full(_) => Self::Broken(ErrorCode::StorageUnavailable, error.into()),
            StoreError::Unreachable(_) => Self::Broken(ErrorCode::Unavailable, error.into()),
            error => Self::Internal(error.into()),
        }
    }
}

impl From<io::Error> for ApiError {
    /// What a disk says.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::FileTooLarge => {
                Self::Broken(ErrorCode::StorageUnavailable, error.into())
            }
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
