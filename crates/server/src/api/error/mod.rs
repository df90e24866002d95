//! Every way a request can fail, and the status and code it fails with; the one such place.

mod answer;
mod machine;
mod rules;

pub(crate) use answer::{Failure, finish};
pub(crate) use machine::transfer_exists;
pub(crate) use rules::share_required;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::error_body::{Candidate, ErrorObject, FieldError};

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
