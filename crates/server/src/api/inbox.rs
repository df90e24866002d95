//! What agents were sent, and the people whose accounts they are of.

use agentdrop_domain::agents::Agent;
use agentdrop_protocol::limits::DEFAULT_INBOX_PAGE;
use agentdrop_protocol::wire::inbox::Inbox;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{AgentRef, Cursor};
use agentdrop_store::{Reader, TransferFilter};
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::{Path, Query};
use super::fields::Fields;
use super::openapi::Errors;
use super::pages::Page;
use super::transfers::{shown_all, stored};
use crate::app::App;
use crate::auth::Caller;

/// What one agent was sent, newest first; what can be downloaded, if no status is asked for.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/inbox", tag = "inbox", operation_id = "inbox_list_of_agent",
    params(
        ("agent" = AgentRef, Path, description = "The agent, by id or slug"),
        ("status" = Option<TransferStatus>, Query, description = "Only those that stand here; `active` by default"),
        ("mode" = Option<TransferMode>, Query, description = "Only those of this mode"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many, from 1 to 100; 50 by default"),
        ("offset" = Option<u32>, Query, maximum = 2_147_483_647, description = "After passing over so many"),
        ("cursor" = Option<Cursor>, Query, description = "Behind the page that answered this as `next_cursor`; in place of `offset`"),
    ),
    responses((status = 200, body = Inbox), Errors)
)]
pub(crate) async fn of_agent(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Query(query): Query,
) -> Result<Json<Inbox>> {
    let mut reader = app.store.read().await?;
    let agent = reader
        .agent_of(caller.actor.account, &named)
        .await?
        .ok_or(ApiError::NotFound)?;
    caller.actor.require_agent(&agent)?;
    list(&app, &caller, &mut reader, Some(agent), query).await
}

/// What the acting agent was sent; or all agents of the account, and the person that it belongs to;
/// newest first.
#[utoipa::path(
    get, path = "/v1/transfers/inbox", tag = "inbox", operation_id = "inbox_list",
    params(
        ("status" = Option<TransferStatus>, Query, description = "Only those that stand here; `active` by default"),
        ("mode" = Option<TransferMode>, Query, description = "Only those of this mode"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many, from 1 to 100; 50 by default"),
        ("offset" = Option<u32>, Query, maximum = 2_147_483_647, description = "After passing over so many"),
        ("cursor" = Option<Cursor>, Query, description = "Behind the page that answered this as `next_cursor`; in place of `offset`"),
    ),
    responses((status = 200, body = Inbox), Errors)
)]
pub(crate) async fn of_caller(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query,
) -> Result<Json<Inbox>> {
    let mut reader = app.store.read().await?;
    let agent = caller.agent(&mut reader).await?;
    list(&app, &caller, &mut reader, agent, query).await
}

async fn list(
    app: &App,
    caller: &Caller,
    reader: &mut Reader,
    agent: Option<Agent>,
    mut query: Fields,
) -> Result<Json<Inbox>> {
    let (owner, now) = (caller.actor.account, app.clock.now());
    let page = Page::of(&mut query, DEFAULT_INBOX_PAGE);
    let filter = TransferFilter {
        agent: agent.as_ref().map(|it| it.id),
        status: Some(query.optional("status").unwrap_or(TransferStatus::Active)),
        mode: query.optional("mode"),
        sender: None,
        recipient: None,
        since: None,
        now,
    };
    query.check()?;
    let asked = reader.received_transfers_of(owner, &filter, stored(&page));
    let mut found = asked.await?;
    let next_cursor = page.cut(&mut found, |it| it.id);
    // A list that is all on its first page is counted already, as nearly every inbox is.
    let total = if next_cursor.is_none() && page.offset == 0 && page.behind.is_none() {
        found.len() as u64
    } else {
        reader.received_transfer_count_of(owner, &filter).await?
    };
    Ok(Json(Inbox {
        agent_id: agent.map(|it| it.slug),
        has_more: next_cursor.is_some(),
        next_cursor,
        transfers: shown_all(app, found, now)?,
        total,
        limit: page.limit,
        offset: page.offset,
    }))
}
