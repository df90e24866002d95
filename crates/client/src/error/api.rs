//! What the server answers when it refuses or fails.

use std::fmt;
use std::time::Duration;

use agentdrop_protocol::error_body::{Candidate, FieldError};
use agentdrop_protocol::{ErrorBody, ErrorCode};

use super::shown;

/// Fields of a server's error that are repeated.
const MAX_DETAILS: usize = 20;
/// Accounts that may be meant, of which as many are repeated.
const MAX_CANDIDATES: usize = 20;

/// An error that the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What kind of error it is.
    pub code: ErrorCode,
    /// What happened, in the server's words, made printable.
    pub message: String,
    /// Which fields are wrong, and why.
    pub details: Vec<FieldError>,
    /// The accounts whose agents go by a name that is ambiguous.
    pub candidates: Vec<Candidate>,
    /// The request, as the server's log names it.
    pub request_id: Option<String>,
    /// How long to wait before another try.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// Reads an error's body; whatever is no error body becomes an error that knows its status only.
    pub(crate) fn read(
        status: http::StatusCode,
        body: &[u8],
        retry_after: Option<Duration>,
    ) -> Self {
        let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
            return Self::bare(status, retry_after);
        };
        let details = error.details.into_iter().take(MAX_DETAILS);
        let candidates = error.candidates.into_iter().take(MAX_CANDIDATES);
        Self {
            status: status.as_u16(),
            code: error.code,
            message: shown(&error.message),
            details: details
                .map(|it| FieldError {
                    field: shown(&it.field),
                    message: shown(&it.message),
                })
                .collect(),
            candidates: candidates
                .map(|it| Candidate {
                    email_masked: shown(&it.email_masked),
                    ..it
                })
                .collect(),
            request_id: Some(shown(&error.request_id)).filter(|it| !it.is_empty()),
            retry_after: retry_after.or_else(|| error.retry_after.map(Duration::from_secs)),
        }
    }

    /// An error without a body worth reading.
    pub(crate) fn bare(status: http::StatusCode, retry_after: Option<Duration>) -> Self {
        Self {
            status: status.as_u16(),
            code: ErrorCode::Unknown,
            message: format!("the server answered {status}"),
            details: Vec::new(),
            candidates: Vec::new(),
            request_id: None,
            retry_after,
        }
    }

    /// Whether the server's API said it. Else a proxy may have, a network's sign-in page, or a bucket:
    /// then it says nothing of what the server has.
    pub fn is_of_api(&self) -> bool {
        self.code != ErrorCode::Unknown || self.request_id.is_some()
    }

    /// Whether the API said that there is no such thing, or none any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_of_api() && matches!(self.status, 404 | 410)
    }

    pub(super) fn hint(&self) -> Option<String> {
        if let Some(request_id) = self.request_id.as_ref().filter(|_| self.status >= 500) {
            return Some(format!("the server's log has more under {request_id}"));
        }
        let hint = match self.code {
            ErrorCode::KeyRevoked | ErrorCode::Unauthorized => {
                "check the API key, and that it is one of this server; a session that is over is begun anew with `agentdrop login`"
            }
            ErrorCode::AddressNotVerified => {
                "`agentdrop account verify` has a link mailed; follow it, and send again"
            }
            ErrorCode::ScopeMismatch => "use a key of the account, `agd_live_…`",
            ErrorCode::AmbiguousRecipient => "say which account is meant",
            ErrorCode::AgentExists => "choose another name, or delete the agent that has it",
            ErrorCode::KeyChanged => "send it again; it is sealed for the new key then",
            ErrorCode::Gone => "ask the sender to send it again",
            ErrorCode::NotFound => "check the name, and that the key belongs to the right account",
            ErrorCode::SignupClosed => {
                "ask the operator, who makes accounts with `agentdrop admin account create`"
            }
            ErrorCode::KeyLimitReached => "revoke a key, or ask the operator for a larger plan",
            ErrorCode::PlanLimitReached => {
                "end what is no longer needed, or ask the operator for a larger plan"
            }
            ErrorCode::StorageFull => "delete transfers, or ask the operator for a larger plan",
            ErrorCode::StorageUnavailable | ErrorCode::Unavailable => "try again later",
            ErrorCode::TransferLimitReached => {
                let wait = self.retry_after.unwrap_or_default().as_secs();
                let days = wait.div_ceil(24 * 60 * 60);
                return Some(format!(
                    "wait for the next month, within {days} d, or ask the operator for a larger plan"
                ));
            }
            _ if self.status == 429 => {
                let wait = self.retry_after.map_or(60, |it| it.as_secs());
                return Some(format!("try again in {wait} s"));
            }
            _ if !self.is_of_api() => {
                "that is no answer of AgentDrop's own: a proxy, or a network's sign-in page, may be in between"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (n, detail) in self.details.iter().enumerate() {
            let separator = if n == 0 { ": " } else { "; " };
            write!(f, "{separator}`{}` {}", detail.field, detail.message)?;
        }
        for (n, it) in self.candidates.iter().enumerate() {
            let separator = if n == 0 { ": " } else { "; " };
            let (name, email) = (shown(it.account_name.as_str()), &it.email_masked);
            write!(f, "{separator}{name}, {email}, {}", it.account_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_is_read_and_made_printable() {
        let body =
            br#"{"error":{"code":"VALIDATION_ERROR","message":"no\u001b[2Jgood","status":400,
            "request_id":"r-1","details":[{"field":"name","message":"must not be empty"}]}}"#;
        let error = ApiError::read(http::StatusCode::BAD_REQUEST, body, None);
        assert_eq!(error.code, ErrorCode::ValidationError);
        assert_eq!(
            error.to_string(),
            r"no\u{1b}[2Jgood: `name` must not be empty"
        );
        assert_eq!(error.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn who_may_be_meant_is_said() {
        let body = br#"{"error":{"code":"AMBIGUOUS_RECIPIENT","message":"which `bob`","status":400,
            "candidates":[
                {"account_id":"019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6","account_name":"One",
                 "email_masked":"on*@example.org"},
                {"account_id":"019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f7","account_name":"Two",
                 "email_masked":"\u001b[2J@example.org"}]}}"#;
        let error = ApiError::read(http::StatusCode::BAD_REQUEST, body, None);
        assert_eq!(error.candidates.len(), 2);
        assert_eq!(
            error.to_string(),
            "which `bob`: One, on*@example.org, 019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6; \
             Two, \\u{1b}[2J@example.org, 019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f7"
        );
    }

    #[test]
    fn whatever_else_comes_is_an_error_of_its_status() {
        for body in [&b""[..], b"<html>", b"{}", br#"{"error":"text"}"#, b"\xff"] {
            let error = ApiError::read(http::StatusCode::BAD_GATEWAY, body, None);
            assert_eq!(error.code, ErrorCode::Unknown);
            assert!(!error.is_of_api());
            assert_eq!(error.to_string(), "the server answered 502 Bad Gateway");
        }
    }
}
