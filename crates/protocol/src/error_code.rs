//! Every code that an error answer may carry, with its HTTP status and its meaning.

use std::fmt;

/// Defines the codes: name, wire spelling, HTTP status, meaning.
macro_rules! define_codes {
    ($($name:ident $wire:literal $status:literal $meaning:literal)*) => {
        /// What kind of error it is; a promise to clients, which branch on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $(#[doc = $meaning] #[serde(rename = $wire)] $name,)*
            /// A code that this version does not know; clients only, servers never send it.
            #[serde(other)]
            Unknown,
        }

        impl ErrorCode {
            /// Every code that a server sends.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as the wire spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $wire,)* Self::Unknown => "UNKNOWN" }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* Self::Unknown => 500 }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* Self::Unknown => "Unknown." }
            }
        }
    };
}

define_codes! {
    AccountExists "ACCOUNT_EXISTS" 409 "An account with this e-mail address exists."
    AgentExists "AGENT_EXISTS" 409 "The account has an agent of this name."
    AlreadyDisconnected "ALREADY_DISCONNECTED" 409 "The agent is disconnected."
    AlreadyRevoked "ALREADY_REVOKED" 400 "The channel is revoked."
    BodyTooLarge "BODY_TOO_LARGE" 413 "The body, or a field of it, is larger than the server reads."
    FileTooLarge "FILE_TOO_LARGE" 413 "A file is larger than the server takes."
    Forbidden "FORBIDDEN" 403 "The caller may know of this, and may not do that."
    Gone "GONE" 410 "The transfer has expired, was deleted, or was downloaded as often as allowed."
    Internal "INTERNAL" 500 "The server failed; the request id names the failure in its log."
    KeyRevoked "KEY_REVOKED" 401 "The API key was revoked."
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "The path exists, and not for this method."
    NotFound "NOT_FOUND" 404 "There is no such thing, or it is not the caller's."
    RangeNotSatisfiable "RANGE_NOT_SATISFIABLE" 416 "The file has no bytes in this range."
    RequestTimeout "REQUEST_TIMEOUT" 408 "The body came too slowly, or stopped coming."
    ScopeMismatch "SCOPE_MISMATCH" 403 "A key of one agent cannot do this."
    SelfRevoke "SELF_REVOKE" 409 "A key cannot revoke itself."
    ShareRequired "SHARE_REQUIRED" 403 "No agent of this name shares files with the sender."
    SignupClosed "SIGNUP_CLOSED" 403 "The operator makes the accounts of this server."
    StorageUnavailable "STORAGE_UNAVAILABLE" 507 "The server has no room to store this; nothing was kept."
    Unauthorized "UNAUTHORIZED" 401 "The API key is missing or not valid."
    Unavailable "UNAVAILABLE" 503 "A part of the server is down; try again later."
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 "The body is of another content type than the operation reads."
    ValidationError "VALIDATION_ERROR" 400 "The request is malformed; `details` names the fields."
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
