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

/// The body of an `AMBIGUOUS_RECIPIENT`: any other error's, and who may be meant.
///
/// Whoever reads an [`ErrorBody`] reads this too, and passes over the candidates; any
/// [`ErrorBody`] is read as one of these, without candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AmbiguousBody {
    /// What went wrong.
    pub error: AmbiguousObject,
}

/// What went wrong, and who may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AmbiguousObject {
    /// What went wrong.
    #[serde(flatten)]
    pub error: ErrorObject,
    /// The accounts whose agents go by the name; `recipient_account` says which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
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
