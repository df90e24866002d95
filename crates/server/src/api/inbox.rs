//! What agents were sent.

use agentdrop_domain::agents::Agent;
use agentdrop_protocol::AgentRef;
use agentdrop_protocol::limits::DEFAULT_INBOX_PAGE;
use agentdrop_protocol::wire::inbox::Inbox;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_store::{Reader, TransferFilter};
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::{Path, Query};
use super::fields::Fields;
use super::openapi::Errors;
use super::transfers::{page, shown_all};
use crate::app::App;
use crate::auth::Caller;

/// What one agent was sent, newest first; what can be downloaded, if no status is asked for.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/inbox", tag = "inbox", operation_id = "inbox_list_of_agent",
    params(
        ("agent" = AgentRef, Path, description = "The agent, by id or slug"),
        ("status" = Option<TransferStatus>, Query, description = "Only those that stand here; `active` by default"),
        ("limit" = Option<u32>, Query, description = "At most so many, from 1 to 100; 50 by default"),
        ("offset" = Option<u32>, Query, description = "After passing over so many"),
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

/// What the acting agent was sent, or all agents of the account; newest first.
#[utoipa::path(
    get, path = "/v1/transfers/inbox", tag = "inbox", operation_id = "inbox_list",
    params(
        ("status" = Option<TransferStatus>, Query, description = "Only those that stand here; `active` by default"),
        ("limit" = Option<u32>, Query, description = "At most so many, from 1 to 100; 50 by default"),
        ("offset" = Option<u32>, Query, description = "After passing over so many"),
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
    let page = page(&mut query, DEFAULT_INBOX_PAGE);
    let filter = TransferFilter {
        agent: agent.as_ref().map(|it| it.id),
        status: Some(query.optional("status").unwrap_or(TransferStatus::Active)),
        mode: None,
        sender: None,
        recipient: None,
        since: None,
        now,
    };
    query.check()?;
    let found = reader.received_transfers_of(owner, &filter, page).await?;
    let total = reader.received_transfer_count_of(owner, &filter).await?;
    Ok(Json(Inbox {
        agent_id: agent.map(|it| it.slug),
        has_more: u64::from(page.offset) + (found.len() as u64) < total,
        transfers: shown_all(app, found, now)?,
        total,
        limit: page.limit,
        offset: page.offset,
    }))
}
