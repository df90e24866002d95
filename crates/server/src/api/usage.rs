//! What an account uses of its plan.

use agentdrop_domain::plans::Limits;
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::wire::usage::{self as wire, Usage, Used};
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

/// What the account uses of its plan.
#[utoipa::path(
    get, path = "/v1/usage", tag = "accounts", operation_id = "usage_show",
    responses((status = 200, body = Usage), Errors)
)]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Usage>> {
    caller.actor.require_account()?;
    let (owner, now) = (caller.actor.account, app.clock.now());
    let mut reader = app.store.read().await?;
    let account = reader.account(owner).await?.ok_or(ApiError::NotFound)?;
    let limits = Limits::of(account.plan);
    let cycle = Cycle::at(account.created_at, now);
    let connections = reader.connection_counts_of(owner).await?;
    let used = |used, limit| Used { used, limit };
    Ok(Json(Usage {
        plan: account.plan,
        cycle: wire::Cycle {
            starts_at: cycle.starts_at,
            ends_at: cycle.ends_at,
        },
        transfers: used(
            reader.transfers_counted_of(owner, cycle).await?,
            limits.transfers_per_month,
        ),
        storage_bytes: used(
            reader.stored_bytes_of(owner, now).await?,
            limits.storage_bytes,
        ),
        api_keys: used(
            reader.account_key_count_of(owner).await?,
            limits.account_keys,
        ),
        agents: used(reader.agent_count_of(owner).await?, limits.agents),
        connections: used(connections.own(), limits.connections),
        max_file_bytes: limits.max_file_bytes.min(app.limits.max_file_bytes),
        max_expires_in_seconds: limits.max_lifetime.as_duration().as_secs(),
    }))
}
