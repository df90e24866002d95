//! Agents.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_protocol::limits::MAX_METADATA_BYTES;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::agents::{
    self as wire, Agents, ConnectionStatus, EncryptionAlgorithm, PublicKeyVersion, PublicKeys,
    ResolvedAgent, SendableAgent, SendableAgents, UpdateAgent,
};
use agentdrop_protocol::{AgentRef, EncryptionPublicKey};
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use super::bundles::key_fingerprint;
use super::error::{ApiError, Result};
use super::extract::{Body, Path, Query};
use super::openapi::Errors;
use super::reach::reach;
use crate::app::App;
use crate::auth::Caller;

/// The agents of the account.
#[utoipa::path(
    get, path = "/v1/agents", tag = "agents", operation_id = "agents_list",
    responses((status = 200, body = Agents), Errors)
)]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Agents>> {
    caller.actor.require_account()?;
    let agents = app
        .store
        .read()
        .await?
        .agents_of(caller.actor.account)
        .await?;
    Ok(Json(Agents {
        agents: agents.into_iter().map(shown).collect(),
    }))
}

/// The agents that files can be sent to: own ones, then those they are paired with.
#[utoipa::path(
    get, path = "/v1/agents/sendable", tag = "agents", operation_id = "agents_list_sendable",
    responses((status = 200, body = SendableAgents), Errors)
)]
pub(crate) async fn sendable(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SendableAgents>> {
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let acting = caller.agent(&mut reader).await?.map(|it| it.id);
    let own = reader.agents_of(owner).await?.into_iter();
    let own = own
        .filter(|it| it.status() == ConnectionStatus::Connected)
        .map(|it| SendableAgent {
            id: it.id,
            agent_id: it.slug,
            name: it.name,
            own: true,
            account_name: None,
        });
    let paired = reader.sendable_agents_of(owner, acting).await?.into_iter();
    let paired = paired.map(|it| SendableAgent {
        id: it.agent.id,
        agent_id: it.agent.slug,
        name: it.agent.name,
        own: false,
        account_name: Some(it.account_name),
    });
    Ok(Json(SendableAgents {
        agents: own.chain(paired).collect(),
    }))
}

/// What it takes to send to an agent, an own one or one of others that own ones are paired with.
#[utoipa::path(
    get, path = "/v1/agents/resolve", tag = "agents", operation_id = "agents_resolve",
    params(
        ("agent_id" = AgentRef, Query, description = "The agent, by slug or id"),
        ("account" = Option<String>, Query, max_length = 256, description = "Its account: e-mail address, id or name"),
    ),
    responses((status = 200, body = ResolvedAgent), Errors)
)]
pub(crate) async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<ResolvedAgent>> {
    let named: Option<AgentRef> = query.required("agent_id");
    let account = query.text("account");
    query.check()?;
    let Some(named) = named else {
        return Err(ApiError::NotFound);
    };
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let acting = caller.agent(&mut reader).await?.map(|it| it.id);
    let found = reach(&mut reader, owner, acting, &named, account.as_deref()).await?;
    let agent = found.ok_or(ApiError::NotFound)?.agent;
    let keys = agent.keys().copied();
    Ok(Json(ResolvedAgent {
        key_fingerprint: key_fingerprint(&agent),
        bundle_version: agent.published.map(|it| it.version),
        id: agent.id,
        agent_uuid: agent.id,
        connection_status: agent.status(),
        agent_id: agent.slug,
        account_id: agent.account,
        public_key: keys.map(|it| it.encryption),
        public_key_spki: keys.map(|it| it.encryption.to_spki()),
        public_key_algorithm: EncryptionAlgorithm::X25519,
        key_version: agent.key_version,
        signing_public_key: keys.and_then(|it| it.signing),
    }))
}

/// An agent of the account.
#[utoipa::path(
    get, path = "/v1/agents/{agent}", tag = "agents", operation_id = "agents_show",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = wire::Agent), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(agent): Path<AgentRef>,
) -> Result<Json<wire::Agent>> {
    let agent = app
        .store
        .read()
        .await?
        .agent_of(caller.actor.account, &agent)
        .await?;
    let agent = agent.ok_or(ApiError::NotFound)?;
    caller.actor.require_agent(&agent)?;
    Ok(Json(shown(agent)))
}

/// Changes what is said of an agent.
#[utoipa::path(
    patch, path = "/v1/agents/{agent}", tag = "agents", operation_id = "agents_update",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    request_body = UpdateAgent, responses((status = 200, body = wire::Agent), Errors)
)]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Body(body): Body<UpdateAgent>,
) -> Result<Json<wire::Agent>> {
    caller.actor.require_account()?;
    if let Some(metadata) = &body.metadata {
        check_metadata("metadata", metadata)?;
    }
    app.store
        .write(async move |tx| -> Result<_> {
            let agent = hold(tx, &caller, &named).await?;
            let updated = Agent {
                name: body.name.unwrap_or(agent.name),
                description: body.description.or(agent.description),
                webhook_url: body.webhook_url.or(agent.webhook_url),
                agent_type: body.agent_type.unwrap_or(agent.agent_type),
                metadata: body.metadata.unwrap_or(agent.metadata),
                available_for_connections: body
                    .available_for_connections
                    .unwrap_or(agent.available_for_connections),
                ..agent
            };
            tx.update_agent(&updated).await?;
            let changed = caller
                .witness
                .saw(Action::AgentUpdated, named_in_log(&updated));
            tx.append_audit(changed).await?;
            Ok(Json(shown(updated)))
        })
        .await
}

/// Deletes an agent, with its keys, its channels and all it sent or was sent.
#[utoipa::path(
    delete, path = "/v1/agents/{agent}", tag = "agents", operation_id = "agents_delete",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
) -> Result<Json<Done>> {
    caller.actor.require_account()?;
    let transfers = app
        .store
        .write(async move |tx| -> Result<_> {
            let agent = hold(tx, &caller, &named).await?;
            let transfers = tx.delete_agent(&agent).await?;
            let gone = caller
                .witness
                .saw(Action::AgentDeleted, named_in_log(&agent));
            tx.append_audit(gone).await?;
            Ok(transfers)
        })
        .await?;
    // Should this not come to its end, the next look for blobs without a row finds the rest.
    for (transfer, files) in transfers {
        if let Err(error) = app.blobs.delete(transfer, files).await {
            tracing::warn!(%error, %transfer, "the bytes of a deleted transfer are still there");
        }
    }
    Ok(Json(Done {
        message: "Agent deleted".to_owned(),
    }))
}

/// Every key that an agent has had, so that older transfers can still be opened.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/public-keys", tag = "agents",
    operation_id = "agents_list_public_keys",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = PublicKeys), Errors)
)]
pub(crate) async fn public_keys(
    State(app): State<App>,
    caller: Caller,
    Path(agent): Path<AgentRef>,
) -> Result<Json<PublicKeys>> {
    let account = caller.actor.account;
    let mut reader = app.store.read().await?;
    let agent = reader
        .agent_of(account, &agent)
        .await?
        .ok_or(ApiError::NotFound)?;
    let versions = reader.key_versions_of(account, agent.id).await?;
    let keys = versions.into_iter().map(|it| PublicKeyVersion {
        key_version: it.version,
        public_key: it.keys.encryption,
        public_key_spki: it.keys.encryption.to_spki(),
        signing_public_key: it.keys.signing,
        created_at: it.created_at,
        retired_at: it.retired_at,
    });
    Ok(Json(PublicKeys {
        agent_id: agent.slug,
        agent_uuid: agent.id,
        keys: keys.collect(),
    }))
}

/// The agent that the path names, held for a change.
pub(super) async fn hold(
    tx: &mut agentdrop_store::Tx,
    caller: &Caller,
    named: &AgentRef,
) -> Result<Agent> {
    let account = caller.actor.account;
    let agent = tx
        .agent_of(account, named)
        .await?
        .ok_or(ApiError::NotFound)?;
    tx.hold_agent_of(account, agent.id)
        .await?
        .ok_or(ApiError::NotFound)
}

/// An agent, as the audit logs name it: the name alone would tell nothing once another has it.
pub(super) fn named_in_log(agent: &Agent) -> Subject {
    Subject::of(&agent.id).and(&agent.slug)
}

/// Refuses metadata that is larger than what is carried along.
pub(super) fn check_metadata(field: &str, metadata: &Map<String, Value>) -> Result<()> {
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |it| it.len());
    if bytes > MAX_METADATA_BYTES {
        let message = format!("must be at most {MAX_METADATA_BYTES} bytes of JSON");
        return Err(ApiError::invalid(field, message));
    }
    if contains_nul(&Value::Object(metadata.clone())) {
        return Err(ApiError::invalid(field, "must not contain NUL characters"));
    }
    Ok(())
}

/// PostgreSQL has no text with a NUL in it, so neither have we.
fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(it) => it.contains('\0'),
        Value::Array(it) => it.iter().any(contains_nul),
        Value::Object(it) => it
            .iter()
            .any(|(key, it)| key.contains('\0') || contains_nul(it)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Where the inbox of an agent is.
pub(super) fn inbox_url(app: &App, agent: &Agent) -> String {
    app.url(&format!("/v1/agents/{}/inbox", agent.id))
}

/// An agent, as its owner sees it.
pub(super) fn shown(agent: Agent) -> wire::Agent {
    let keys = agent.keys().copied();
    let encryption: Option<EncryptionPublicKey> = keys.map(|it| it.encryption);
    let signing = keys.and_then(|it| it.signing);
    wire::Agent {
        key_fingerprint: key_fingerprint(&agent),
        bundle_version: agent.published.map(|it| it.version),
        id: agent.id,
        agent_uuid: agent.id,
        connection_status: agent.status(),
        agent_id: agent.slug,
        name: agent.name,
        description: agent.description,
        webhook_url: agent.webhook_url,
        agent_type: agent.agent_type,
        available_for_connections: agent.available_for_connections,
        public_key: encryption,
        public_key_spki: encryption.map(|it| it.to_spki()),
        public_key_algorithm: EncryptionAlgorithm::X25519,
        signing_public_key: signing,
        signing_public_key_spki: signing.map(|it| it.to_spki()),
        key_version: agent.key_version,
        last_seen_at: agent.last_seen_at,
        metadata: agent.metadata,
        created_at: agent.created_at,
    }
}
