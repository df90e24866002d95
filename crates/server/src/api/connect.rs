//! How agents come by their keys, change them and lose them.

use agentdrop_domain::agents::{Agent, AgentKeys, AgentState, ConnectionToken};
use agentdrop_domain::audit::{Action, Who};
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_protocol::limits::CONNECTION_TOKEN_LIFETIME;
use agentdrop_protocol::wire::agents::{
    AgentStatus, AgentType, ConnectAgent, RegisterAgent, RegisteredAgent, RotateKey, SecondStep,
};
use agentdrop_protocol::{AgentId, AgentRef, Timestamp};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::agents::{check_metadata, hold, inbox_url, named_in_log, shown};
use super::allowance::hold_limits;
use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::{Caller, Visitor, bearer, digest_of, unauthorized};
use crate::clock::{random, random_key};

/// What claim codes are made of: no character that is taken for another.
const CLAIM_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Registers an agent: with its public key in one step, without one in two.
#[utoipa::path(
    post, path = "/v1/agents/register", tag = "agents", operation_id = "agents_register",
    params(Once), request_body = RegisterAgent, responses((status = 201, body = RegisteredAgent), Errors)
)]
pub(crate) async fn register(
    State(app): State<App>,
    caller: Caller,
    Repeating(Body(body), once): Repeating<Body<RegisterAgent>>,
) -> Result<Answered> {
    caller.actor.require_account()?;
    if let Some(metadata) = &body.metadata {
        check_metadata("metadata", metadata)?;
    }
    let now = app.clock.now();
    let keys = body.public_key.map(|encryption| AgentKeys {
        encryption,
        signing: body.signing_public_key,
    });
    let agent = Agent {
        id: AgentId::new(now, random()?),
        account: caller.actor.account,
        // A slug has no character that a name has not, and is shorter.
        name: match body.name {
            Some(name) => name,
            None => body.agent_id.as_str().parse().expect("a slug is a name"),
        },
        slug: body.agent_id,
        description: body.description,
        webhook_url: body.webhook_url,
        agent_type: body.agent_type.unwrap_or(AgentType::Custom),
        metadata: body.metadata.unwrap_or_default(),
        available_for_connections: true,
        state: AgentState::Pending,
        key_version: 0,
        published: None,
        created_at: now,
        last_seen_at: None,
    };
    let agent = match keys {
        Some(keys) => agent.connect(keys),
        None => agent,
    };
    let second_step = if keys.is_none() {
        Some(second_step(&agent, now)?)
    } else {
        None
    };
    let message = match &second_step {
        None => "Agent registered and connected. It can send and receive files.",
        Some(_) => "Agent registered. Connect it with the token, within the hour.",
    };
    let registered = RegisteredAgent {
        inbox_url: inbox_url(&app, &agent),
        flat: shown(agent.clone()),
        message: message.to_owned(),
        second_step: second_step.as_ref().map(|(_, step)| step.clone()),
    };
    once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let limits = hold_limits(tx, agent.account).await?;
        // Of a name that is taken, that is what its owner wants to know.
        let named = AgentRef::Slug(agent.slug.clone());
        if tx.agent_of(agent.account, &named).await?.is_none() {
            limits.require_agent(tx.agent_count_of(agent.account).await?)?;
        }
        tx.insert_agent(&agent).await?;
        if let Some((token, _)) = second_step {
            tx.insert_connection_token(&token).await?;
        }
        let made = caller
            .witness
            .saw(Action::AgentRegistered, named_in_log(&agent));
        tx.append_audit(made).await?;
        Ok((StatusCode::CREATED, registered))
    })
    .await
}

fn second_step(agent: &Agent, now: Timestamp) -> Result<(ConnectionToken, SecondStep)> {
    let secret = random_key(KeyKind::ConnectionToken)?;
    let chance: [u8; 6] = random()?;
    let expires_at = now.plus(CONNECTION_TOKEN_LIFETIME);
    let token = ConnectionToken {
        agent: agent.id,
        digest: digest_of(&secret),
        expires_at,
    };
    let claim_code = chance
        .iter()
        .map(|it| char::from(CLAIM_ALPHABET[usize::from(it % 32)]));
    let step = SecondStep {
        agent: shown(agent.clone()),
        connection_token: secret.expose_secret().to_owned(),
        claim_code: claim_code.collect(),
        token_expires_at: expires_at,
    };
    Ok((token, step))
}

/// The second step: gives an agent its key. The token works once.
#[utoipa::path(
    post, path = "/v1/agents/connect", tag = "agents", operation_id = "agents_connect",
    security(("connection_token" = [])), params(Once),
    request_body = ConnectAgent, responses((status = 200, body = AgentStatus), Errors)
)]
pub(crate) async fn connect(
    State(app): State<App>,
    origin: Origin,
    visitor: Visitor,
    headers: HeaderMap,
    Repeating(Body(body), once): Repeating<Body<ConnectAgent>>,
) -> Result<Answered> {
    let connected = connect_with_token(&app, origin, &headers, body, once).await;
    if connected.as_ref().is_err_and(ApiError::is_unauthorized) {
        visitor.charge(&app)?;
    }
    connected
}

async fn connect_with_token(
    app: &App,
    origin: Origin,
    headers: &HeaderMap,
    body: ConnectAgent,
    once: Once,
) -> Result<Answered> {
    let token = bearer(headers)?;
    if token.kind() != KeyKind::ConnectionToken {
        return Err(unauthorized(
            "connecting an agent takes its connection token",
        ));
    }
    let digest = digest_of(&token);
    let now = app.clock.now();
    let keys = AgentKeys {
        encryption: body.public_key,
        signing: body.signing_public_key,
    };
    let of = app.clone();
    once.write(app, By::Token(digest), async move |tx: &mut Tx| {
        let spent = || unauthorized("the connection token was used, or has expired");
        let token = tx.take_connection_token(&digest).await?.ok_or_else(spent)?;
        if token.expires_at <= now {
            return Err(spent());
        }
        let agent = tx.hold_agent_of_token(&token).await?.ok_or_else(spent)?;
        let agent = agent.connect(keys);
        tx.update_agent_keys(&agent, now).await?;
        let witness = origin.witness(agent.account, Who::ConnectionToken(agent.id));
        tx.append_audit(witness.saw(Action::AgentConnected, named_in_log(&agent)))
            .await?;
        let connected = status(&of, agent, "Agent connected successfully");
        Ok((StatusCode::OK, connected))
    })
    .await
}

/// Wipes the keys of an agent and ends its channels; the record stays.
#[utoipa::path(
    post, path = "/v1/agents/{agent}/disconnect", tag = "agents", operation_id = "agents_disconnect",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = AgentStatus), Errors)
)]
pub(crate) async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
) -> Result<Json<AgentStatus>> {
    caller.actor.require_account()?;
    let now = app.clock.now();
    let agent = app
        .store
        .write(async move |tx| -> Result<_> {
            let agent = hold(tx, &caller, &named).await?;
            let agent = agent.disconnect()?;
            tx.update_agent_keys(&agent, now).await?;
            tx.wipe_bundle(agent.id).await?;
            tx.revoke_channels_of_agent(agent.id, now).await?;
            let wiped = caller
                .witness
                .saw(Action::AgentDisconnected, named_in_log(&agent));
            tx.append_audit(wiped).await?;
            Ok(agent)
        })
        .await?;
    Ok(Json(status(
        &app,
        agent,
        "Agent disconnected. Encryption keys have been wiped.",
    )))
}

/// Gives an agent a new key; the old one stays in its history.
#[utoipa::path(
    post, path = "/v1/agents/{agent}/rotate-key", tag = "agents", operation_id = "agents_rotate_key",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug"), Once),
    request_body = RotateKey, responses((status = 200, body = AgentStatus), Errors)
)]
pub(crate) async fn rotate_key(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Repeating(Body(body), once): Repeating<Body<RotateKey>>,
) -> Result<Answered> {
    // Whoever steals the key of an agent must not be able to put a public key of their own in the
    // agent's place: from then on they could open what is sent to it.
    caller.actor.require_account()?;
    let now = app.clock.now();
    let keys = AgentKeys {
        encryption: body.public_key,
        signing: body.signing_public_key,
    };
    let of = app.clone();
    once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let agent = hold(tx, &caller, &named).await?;
        let agent = agent.connect(keys);
        tx.update_agent_keys(&agent, now).await?;
        let peers = tx.paired_accounts_of(agent.id).await?;
        let (action, what) = (Action::AgentKeyRotated, named_in_log(&agent));
        tx.append_audit(caller.witness.both(peers, action, &what))
            .await?;
        let message = "The agent has a new key. The old one opens what was sent before.";
        Ok((StatusCode::OK, status(&of, agent, message)))
    })
    .await
}

fn status(app: &App, agent: Agent, message: &str) -> AgentStatus {
    AgentStatus {
        inbox_url: inbox_url(app, &agent),
        status: agent.status(),
        agent_uuid: agent.id,
        agent_id: agent.slug,
        key_version: agent.key_version,
        message: message.to_owned(),
    }
}
