//! The API keys of an agent.

use agentdrop_domain::Scope;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_protocol::wire::keys::{CreateAgentKey, CreatedKey, Keys, RevokedKey};
use agentdrop_protocol::{AgentRef, KeyId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::agents::hold;
use super::error::{ApiError, Result};
use super::extract::{OptionalBody, Path};
use super::keys::{DrawnKey, shown};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;

/// Makes a key that acts as one agent.
#[utoipa::path(
    post, path = "/v1/agents/{agent}/keys", tag = "keys", operation_id = "agent_keys_create",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug"), Once),
    request_body = CreateAgentKey, responses((status = 201, body = CreatedKey), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Repeating(OptionalBody(body), once): Repeating<OptionalBody<CreateAgentKey>>,
) -> Result<Answered> {
    caller.actor.require_account()?;
    let name = body
        .name
        .unwrap_or_else(|| "default".parse().expect("it is a name"));
    let drawn = DrawnKey::new(KeyKind::Agent, app.clock.now())?;
    once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let agent = hold(tx, &caller, &named).await?;
        let (key, created) = drawn.into_key(agent.account, Scope::Agent(agent.id), name);
        tx.insert_key(&key).await?;
        let made = Subject::of(&key.id).and(&agent.id);
        tx.append_audit(caller.witness.saw(Action::KeyCreated, made))
            .await?;
        Ok((StatusCode::CREATED, created))
    })
    .await
}

/// The keys that act as one agent.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/keys", tag = "keys", operation_id = "agent_keys_list",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = Keys), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(agent): Path<AgentRef>,
) -> Result<Json<Keys>> {
    caller.actor.require_account()?;
    let account = caller.actor.account;
    let mut reader = app.store.read().await?;
    let agent = reader
        .agent_of(account, &agent)
        .await?
        .ok_or(ApiError::NotFound)?;
    let keys = reader.keys_of_agent(account, agent.id).await?;
    Ok(Json(Keys {
        keys: keys.into_iter().map(shown).collect(),
    }))
}

/// Ends a key of an agent, at once and for ever.
#[utoipa::path(
    delete, path = "/v1/agents/{agent}/keys/{key_id}", tag = "keys",
    operation_id = "agent_keys_revoke",
    params(
        ("agent" = AgentRef, Path, description = "The agent, by id or slug"),
        ("key_id" = KeyId, Path, description = "The key's id"),
    ),
    responses((status = 200, body = RevokedKey), Errors)
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path((agent, id)): Path<(AgentRef, KeyId)>,
) -> Result<Json<RevokedKey>> {
    caller.actor.require_account()?;
    let now = app.clock.now();
    app.store
        .write(async move |tx| -> Result<_> {
            let account = caller.actor.account;
            let agent = tx
                .agent_of(account, &agent)
                .await?
                .ok_or(ApiError::NotFound)?;
            let key = tx
                .hold_key_of(account, id)
                .await?
                .ok_or(ApiError::NotFound)?;
            if key.scope != Scope::Agent(agent.id) {
                return Err(ApiError::NotFound);
            }
            let revoked = key.revoke(caller.actor.credential, now)?;
            tx.update_key(&revoked).await?;
            let ended = Subject::of(&id).and(&agent.id);
            tx.append_audit(caller.witness.saw(Action::KeyRevoked, ended))
                .await?;
            Ok(Json(RevokedKey {
                id,
                revoked: true,
                revoked_at: now,
            }))
        })
        .await
}
