//! Every code that an error answer may carry, with its HTTP status and its meaning.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// Defines the codes: name, wire spelling, HTTP status, meaning.
macro_rules! define_codes {
    ($($name:ident $wire:literal $status:literal $meaning:literal)*) => {
        /// What kind of error it is; a promise to clients, which branch on it.
        ///
        /// Where the contract gives one spelling two statuses, each has a variant; the first is
        /// what the spelling is read as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $name,)*
            /// A code that this version does not know; clients only, servers never send it.
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
    AddressNotVerified "ADDRESS_NOT_VERIFIED" 403 "Nobody has shown that the account's address is its owner's, in whose name a person would be written to."
    AgentExists "AGENT_EXISTS" 409 "The account has an agent of this name."
    AgentNotAvailable "AGENT_NOT_AVAILABLE" 403 "The other agent's owner does not let it be paired."
    AgentNotConnected "AGENT_NOT_CONNECTED" 400 "The own agent has no public key."
    AgentNotFound "AGENT_NOT_FOUND" 404 "One of the agents is not there, or is not of the account that it should be of."
    AlreadyCompleted "ALREADY_COMPLETED" 409 "The parts of the file were put together already; none can come any more."
    AlreadyConfirmed "ALREADY_CONFIRMED" 409 "The transfer was confirmed already; nothing of it can change any more."
    AlreadyConnected "ALREADY_CONNECTED" 409 "The two accounts are connected."
    AlreadyDisconnected "ALREADY_DISCONNECTED" 409 "The agent is disconnected."
    AlreadyProcessed "ALREADY_PROCESSED" 409 "The invitation was accepted or taken back."
    AlreadyRevoked "ALREADY_REVOKED" 400 "The channel, or the pairing, is revoked."
    AmbiguousRecipient "AMBIGUOUS_RECIPIENT" 400 "Agents of several paired accounts go by this name; `candidates` names the accounts."
    Blocked "BLOCKED" 403 "One of the two accounts has blocked the other."
    BodyTooLarge "BODY_TOO_LARGE" 413 "The body, or a field of it, is larger than the server reads."
    BundleConflict "BUNDLE_CONFLICT" 409 "The bundle does not follow the last one that the agent published; nothing was changed."
    CannotConfirmOwn "CANNOT_CONFIRM_OWN" 403 "Who proposed the terms of a pairing cannot confirm them; the other side does."
    ConnectionAlreadyRevoked "ALREADY_REVOKED" 409 "The connection is revoked."
    ConnectionNotActive "CONNECTION_NOT_ACTIVE" 400 "The connection is not accepted, or no longer there."
    DuplicatePart "DUPLICATE_PART" 400 "A part is named twice."
    EncryptionRequired "ENCRYPTION_REQUIRED" 400 "One of the two accounts takes only what its sender encrypted."
    FileTooLarge "FILE_TOO_LARGE" 413 "A file is larger than the server takes."
    FilesMissing "FILES_MISSING" 400 "Files of the transfer have not come yet; `details` names them."
    Forbidden "FORBIDDEN" 403 "The caller may know of this, and may not do that."
    Gone "GONE" 410 "The transfer has expired, was deleted, or was downloaded as often as allowed; or the mailed link has expired or was used."
    IdempotencyConflict "IDEMPOTENCY_CONFLICT" 409 "The idempotency key was used with another request."
    IdempotencyInProgress "IDEMPOTENCY_IN_PROGRESS" 409 "The first request with this idempotency key is still under way."
    Internal "INTERNAL" 500 "The server failed; the request id names the failure in its log."
    InvalidPart "INVALID_PART" 400 "A part is none of the file, has not come, or came again and has another `ETag` now."
    InvalidPartOrder "INVALID_PART_ORDER" 400 "The parts are not named in their order."
    InvalidStatus "INVALID_STATUS" 400 "The pairing does not stand where this can be done to it."
    InvitePending "INVITE_PENDING" 409 "An invitation between the two is waiting for an answer."
    InviteRateLimit "INVITE_RATE_LIMIT" 429 "The account has sent to as many unregistered people as it may in a day."
    KeyChanged "KEY_CHANGED" 409 "The recipient has another key than the files were encrypted for; nothing was kept."
    KeyLimitReached "KEY_LIMIT_REACHED" 403 "The account has as many API keys as its plan allows."
    KeyRevoked "KEY_REVOKED" 401 "The API key was revoked."
    LengthRequired "LENGTH_REQUIRED" 411 "The length of the body has to be said beforehand, as `Content-Length`."
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "The path exists, and not for this method."
    NoBundle "NO_BUNDLE" 404 "The agent is there, and has not published keys for sealed envelopes; it has the compatible formats alone."
    NoConnection "NO_CONNECTION" 403 "The two accounts are not connected."
    NotFound "NOT_FOUND" 404 "There is no such thing, or it is not the caller's."
    PairingExists "PAIRING_EXISTS" 409 "The two agents have a pairing that is active or waits to be confirmed."
    PartsMissing "PARTS_MISSING" 400 "Parts of the file are not named, so that it would not be whole."
    PlanLimitReached "PLAN_LIMIT_REACHED" 403 "The account has as many of these as its plan allows."
    RangeNotSatisfiable "RANGE_NOT_SATISFIABLE" 416 "The file has no bytes in this range."
    RateLimited "RATE_LIMITED" 429 "There were too many requests; `Retry-After` says when to try again."
    RequestTimeout "REQUEST_TIMEOUT" 408 "The body came too slowly, or stopped coming."
    ScopeMismatch "SCOPE_MISMATCH" 403 "A key of one agent cannot do this."
    SelfConnection "SELF_CONNECTION" 400 "An account cannot be connected with itself."
    SelfRevoke "SELF_REVOKE" 409 "A key cannot revoke itself."
    SessionRequired "SESSION_REQUIRED" 403 "A person has to do this, in a session; an API key cannot."
    ShareRequired "SHARE_REQUIRED" 403 "No agent of this name shares files with the sender."
    SignupClosed "SIGNUP_CLOSED" 403 "The operator makes the accounts of this server."
    SizeMismatch "SIZE_MISMATCH" 400 "There are more bytes, or fewer, than were announced."
    StorageFull "STORAGE_FULL" 413 "The account stores as much as its plan allows."
    StorageUnavailable "STORAGE_UNAVAILABLE" 507 "The server has no room to store this; nothing was kept."
    TargetNotConnected "TARGET_NOT_CONNECTED" 400 "The other agent has no public key."
    TermsChanged "TERMS_CHANGED" 409 "The pairing is not, or no longer, what was to be agreed to."
    TransferExists "TRANSFER_EXISTS" 409 "There is a transfer of the id that the sender chose."
    TransferInvalidStatus "INVALID_STATUS" 409 "The transfer waits until its recipient can open it."
    TransferLimitReached "TRANSFER_LIMIT_REACHED" 429 "The account has sent as many transfers this month as its plan allows."
    Unauthorized "UNAUTHORIZED" 401 "The API key or session is missing or not valid, or the password is wrong."
    Unavailable "UNAVAILABLE" 503 "A part of the server is down; try again later."
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 "The body is of another content type than the operation reads."
    ValidationError "VALIDATION_ERROR" 400 "The request is malformed; `details` names the fields."
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorCode {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut all = Self::ALL.iter().copied();
        Ok(all.find(|it| it.as_str() == text).unwrap_or(Self::Unknown))
    }
}

serde_as_text!(ErrorCode);

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for ErrorCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        // One spelling stands there once, or the schema is not a valid one.
        let mut codes: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "What kind of error it is; a promise to clients, which branch on it.",
            ))
            .enum_values(Some(codes))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for ErrorCode {
    fn name() -> std::borrow::Cow<'static, str> {
        "ErrorCode".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_read_as_the_first_that_has_it() {
        for code in ErrorCode::ALL {
            let Ok(read) = code.as_str().parse::<ErrorCode>();
            assert_eq!(read.as_str(), code.as_str());
            let second = [
                ErrorCode::ConnectionAlreadyRevoked,
                ErrorCode::TransferInvalidStatus,
            ];
            if !second.contains(code) {
                assert_eq!(read, *code);
            }
        }
        let Ok(read) = "ALREADY_REVOKED".parse::<ErrorCode>();
        assert_eq!((read, read.status()), (ErrorCode::AlreadyRevoked, 400));
        let of_connections = ErrorCode::ConnectionAlreadyRevoked;
        assert_eq!(of_connections.to_string(), "ALREADY_REVOKED");
        assert_eq!(of_connections.status(), 409);
    }
}
