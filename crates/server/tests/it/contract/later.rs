//! What the contract says and no server of ours answers yet, each with the reason.
//!
//! A row may stay here only while its reason holds: what brings it about has to move it to its
//! page.

use agentdrop_protocol::ErrorCode;

use super::Row;

/// Why a row cannot be replayed.
#[derive(Clone, Copy)]
enum Until {
    /// Never: why we answer something else.
    Never(&'static str),
}

const LEFT: &[(&str, Row, Until)] = &[(
    "create-channel",
    (409, "CHANNEL_EXISTS"),
    Until::Never("the published client takes it for a failure and falls back to another key"),
)];

/// Whether a row of a page is left for later.
pub(super) fn is_left(page: &str, row: Row) -> bool {
    LEFT.iter().any(|(of, it, _)| (*of, *it) == (page, row))
}

#[test]
fn what_is_left_for_later_cannot_be_served_yet() {
    for (page, row, until) in LEFT {
        let still = match until {
            Until::Never(why) => {
                let named = ErrorCode::ALL.iter().any(|it| it.as_str() == row.1);
                assert!(!why.is_empty());
                !named
            }
        };
        assert!(
            still,
            "{page}: {row:?} can be served, so replay it on its page and take it out of the table"
        );
    }
}

/// The catalogue of codes: ours has every one, with its status.
#[test]
fn every_code_of_the_catalogue_is_one_of_ours() {
    for (status, code) in [
        (400, "VALIDATION_ERROR"),
        (400, "AMBIGUOUS_RECIPIENT"),
        (400, "FILES_MISSING"),
        (400, "SELF_CONNECTION"),
        (400, "CONNECTION_NOT_ACTIVE"),
        (400, "AGENT_NOT_CONNECTED"),
        (400, "TARGET_NOT_CONNECTED"),
        (400, "INVALID_STATUS"),
        (400, "ALREADY_REVOKED"),
        (401, "UNAUTHORIZED"),
        (401, "KEY_REVOKED"),
        (403, "FORBIDDEN"),
        (403, "SHARE_REQUIRED"),
        (403, "KEY_LIMIT_REACHED"),
        (403, "PLAN_LIMIT_REACHED"),
        (403, "BLOCKED"),
        (403, "NO_CONNECTION"),
        (403, "AGENT_NOT_AVAILABLE"),
        (403, "CANNOT_CONFIRM_OWN"),
        (403, "SESSION_REQUIRED"),
        (403, "SCOPE_MISMATCH"),
        (404, "NOT_FOUND"),
        (404, "AGENT_NOT_FOUND"),
        (409, "ALREADY_CONFIRMED"),
        (409, "ALREADY_DISCONNECTED"),
        (409, "SELF_REVOKE"),
        (409, "ALREADY_CONNECTED"),
        (409, "INVITE_PENDING"),
        (409, "ALREADY_PROCESSED"),
        (409, "ALREADY_REVOKED"),
        (409, "CHANNEL_EXISTS"),
        (409, "PAIRING_EXISTS"),
        (410, "GONE"),
        (413, "FILE_TOO_LARGE"),
        (429, "INVITE_RATE_LIMIT"),
        (429, "RATE_LIMITED"),
    ] {
        let mut ours = ErrorCode::ALL.iter();
        let ours = ours.any(|it| (it.status(), it.as_str()) == (status, code));
        let left = LEFT.iter().any(|(_, row, _)| *row == (status, code));
        assert!(ours || left, "{status} {code}");
    }
}
