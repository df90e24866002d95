//! The audit log of an account, as its owner reads it.

use agentdrop_domain::audit::{Action, Entry};
use agentdrop_protocol::limits::DEFAULT_PAGE;
use agentdrop_protocol::wire::audit::{AuditActor, AuditEntry, AuditLog};
use agentdrop_protocol::{Cursor, Timestamp};
use agentdrop_store::AuditFilter;
use axum::Json;
use axum::extract::State;

use super::error::Result;
use super::extract::Query;
use super::openapi::Errors;
use super::pages::Page;
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
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many, from 1 to 100; 20 by default"),
        ("cursor" = Option<Cursor>, Query, description = "Those behind here; `next_cursor` of the part before"),
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
    let page = Page::<i64>::without_offset(&mut query, DEFAULT_PAGE);
    let filter = AuditFilter {
        action: query.optional("action"),
        since: query.optional("since"),
    };
    query.check()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let end = reader.audit_head_of(owner).await?.unwrap_or_default().seq + 1;
    let behind = page.behind.and_then(|it| u64::try_from(it).ok());
    let before = behind.map_or(end, |it| it.min(end));
    let least = before.saturating_sub(WINDOW).max(1);
    let entries = reader.audit_entries_of(owner, &filter, least, before, page.limit);
    let entries = entries.await?;
    // Either the part is full and the next one begins behind it, or all of the window was seen.
    let is_full = entries.len() == page.limit as usize;
    let seen = entries
        .last()
        .filter(|_| is_full)
        .map_or(least, |it| it.seq);
    let next_cursor = i64::try_from(seen).ok().filter(|it| *it > 1);
    let next_cursor = next_cursor.map(|it| Cursor::behind(&it));
    Ok(Json(AuditLog {
        account_id: owner,
        entries: entries.into_iter().map(shown).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

pub(super) fn shown(entry: Entry) -> AuditEntry {
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
