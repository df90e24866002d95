//! The body of every error answer.

use serde::{Deserialize, Serialize};

use crate::text::Name;
use crate::{AccountId, ErrorCode};

/// `{"error": {…}}`; `error` is always an object, whatever went wrong and wherever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorObject,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorObject {
    /// What kind of error it is, for programs.
    pub code: ErrorCode,
    /// What happened and what to do, for people.
    pub message: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// The request, as the server's log names it.
    #[serde(default)]
    pub request_id: String,
    /// Which fields are wrong, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<FieldError>,
    /// The accounts whose agents go by an ambiguous name; `recipient_account` says which is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Seconds to wait before another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field: a JSON path, a form field's name, a query parameter or a header.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// An account that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Candidate {
    /// The account.
    pub account_id: AccountId,
    /// What it is called.
    pub account_name: Name,
    /// Its address, as [`Email::masked`](crate::text::Email::masked) writes it.
    pub email_masked: String,
}
