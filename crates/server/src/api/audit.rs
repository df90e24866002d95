//! The audit log of an account, as its owner reads it.

use std::fmt;
use std::str::FromStr;

use agentdrop_domain::audit::{Action, Entry};
use agentdrop_protocol::Timestamp;
use agentdrop_protocol::limits::{DEFAULT_PAGE, MAX_PAGE};
use agentdrop_protocol::wire::audit::{AuditActor, AuditEntry, AuditLog};
use agentdrop_store::AuditFilter;
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Result;
use super::extract::Query;
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

/// How many entries one request looks at, whether they are what it asks for or not: what nothing
/// fits must not cost more the longer the log is.
const WINDOW: u64 = 10_000;

/// The audit log of the account, newest first: who did what, when, and from where.
///
/// Its entries are chained by their hashes, so that whoever keeps one can tell later whether
/// anything before it was changed or left out.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", operation_id = "audit_list",
    params(
        ("limit" = Option<u32>, Query, description = "At most so many, from 1 to 100; 20 by default"),
        ("cursor" = Option<String>, Query, description = "Those behind here; `next_cursor` of the part before"),
        ("action" = Option<Action>, Query, description = "Only those of this action"),
        ("since" = Option<Timestamp>, Query, description = "Only those of this time or later"),
    ),
    responses((status = 200, body = AuditLog), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<AuditLog>> {
    caller.actor.require_account()?;
    let limit = query.number("limit", 1, MAX_PAGE).unwrap_or(DEFAULT_PAGE);
    let cursor: Option<Cursor> = query.optional("cursor");
    let filter = AuditFilter {
        action: query.optional("action"),
        since: query.optional("since"),
    };
    query.check()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let end = reader.audit_head_of(owner).await?.unwrap_or_default().seq + 1;
    let before = cursor.map_or(end, |it| it.0.min(end));
    let least = before.saturating_sub(WINDOW).max(1);
    let entries = reader.audit_entries_of(owner, &filter, least, before, limit);
    let entries = entries.await?;
    // Either the part is full and the next one begins behind it, or all of the window was seen.
    let is_full = entries.len() == limit as usize;
    let seen = entries
        .last()
        .filter(|_| is_full)
        .map_or(least, |it| it.seq);
    let next_cursor = (seen > 1).then(|| Cursor(seen).to_string());
    Ok(Json(AuditLog {
        account_id: owner,
        entries: entries.into_iter().map(shown).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

fn shown(entry: Entry) -> AuditEntry {
    let it = entry.event;
    AuditEntry {
        seq: entry.seq,
        at: it.at,
        action: it.action,
        actor: AuditActor {
            kind: it.who.kind(),
            id: it.who.id(),
            agent_id: it.who.agent(),
        },
        address: it.address,
        request_id: it.request_id,
        subject: it.subject.things().clone(),
        previous_hash: hex::encode(entry.previous),
        hash: hex::encode(entry.hash),
    }
}

/// The number that a part ended with, in a form that says nothing to those who would count with it:
/// `base64url(version ‖ number)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor(u64);

/// What a cursor of this form begins with.
const VERSION: u8 = 1;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [VERSION; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let seq = bytes.strip_prefix(&[VERSION]).unwrap_or_default();
        let seq = seq.try_into().map(u64::from_be_bytes);
        seq.map(Self)
            .map_err(|_| "is not a `next_cursor` of this list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        for seq in [0, 1, 10_000, u64::MAX] {
            assert_eq!(Cursor(seq).to_string().parse(), Ok(Cursor(seq)));
        }
        let good = Cursor(7).to_string();
        for bad in [
            "",
            "7",
            "AQ",
            &format!("{good}A"),
            &format!("{good}="),
            &good.to_lowercase(),
        ] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
