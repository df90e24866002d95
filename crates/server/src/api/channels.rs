//! Channels between two agents.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::channels::{Channel, Party};
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::channels::{
    self as wire, ChannelStatus, Channels, CreateChannel, CreatedChannel,
};
use agentdrop_protocol::{AgentId, ChannelId, EncryptionPublicKey};
use agentdrop_store::Reader;
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::random;

/// Makes a channel between an own agent and another, or answers the one they have.
#[utoipa::path(
    post, path = "/v1/channels", tag = "channels", operation_id = "channels_create",
    request_body = CreateChannel, responses((status = 200, body = CreatedChannel), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<CreateChannel>,
) -> Result<Json<CreatedChannel>> {
    let account = caller.actor.account;
    let (now, id) = (app.clock.now(), ChannelId::new(app.clock.now(), random()?));
    app.store
        .write(async move |tx| -> Result<_> {
            let mine = tx
                .keep_agent_of(account, &body.agent_id)
                .await?
                .ok_or(ApiError::NotFound)?;
            caller.actor.require_agent(&mine)?;
            let theirs = tx.keep_agent_of(account, &body.target_agent_id).await?;
            let theirs = theirs.ok_or(ApiError::NotFound)?;
            let new = Channel::new(id, party(&mine), party(&theirs), now)?;
            let (mine, my_key) = connected(&mine)?;
            let (theirs, their_key) = connected(&theirs)?;
            let channel = tx.insert_or_find_channel(&new).await?;
            Ok(Json(CreatedChannel {
                id: channel.id,
                status: ChannelStatus::Active,
                my_public_key: my_key,
                their_public_key: their_key,
                my_agent_id: mine,
                their_agent_id: theirs,
            }))
        })
        .await
}

/// The channels of the account, or of the agent whose key it is.
#[utoipa::path(
    get, path = "/v1/channels", tag = "channels", operation_id = "channels_list",
    responses((status = 200, body = Channels), Errors)
)]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Channels>> {
    let account = caller.actor.account;
    let mut reader = app.store.read().await?;
    let agents = reader.agents_of(account).await?;
    let channels = reader.channels_of(account).await?;
    let visible = channels.into_iter().filter(|it| is_visible(it, &caller));
    let find = |id: AgentId| agents.iter().find(|it| it.id == id);
    let channels = visible.map(|it| shown(&it, find(it.a.agent), find(it.b.agent)));
    Ok(Json(Channels {
        channels: channels.collect(),
    }))
}

/// A channel.
#[utoipa::path(
    get, path = "/v1/channels/{channel_id}", tag = "channels", operation_id = "channels_show",
    params(("channel_id" = ChannelId, Path, description = "The channel's id")),
    responses((status = 200, body = wire::Channel), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<wire::Channel>> {
    let mut reader = app.store.read().await?;
    let channel = reader.channel_of(caller.actor.account, id).await?;
    let channel = channel
        .filter(|it| is_visible(it, &caller))
        .ok_or(ApiError::NotFound)?;
    let a = agent(&mut reader, channel.a).await?;
    let b = agent(&mut reader, channel.b).await?;
    Ok(Json(shown(&channel, a.as_ref(), b.as_ref())))
}

/// Ends a channel for ever. What was sent with it can still be opened.
#[utoipa::path(
    delete, path = "/v1/channels/{channel_id}", tag = "channels", operation_id = "channels_revoke",
    params(("channel_id" = ChannelId, Path, description = "The channel's id")),
    responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<Done>> {
    let now = app.clock.now();
    app.store
        .write(async move |tx| -> Result<_> {
            let channel = tx.hold_channel_of(caller.actor.account, id).await?;
            let channel = channel
                .filter(|it| is_visible(it, &caller))
                .ok_or(ApiError::NotFound)?;
            tx.update_channel(&channel.revoke(now)?).await?;
            Ok(Json(Done {
                message: "Channel revoked".to_owned(),
            }))
        })
        .await
}

fn is_visible(channel: &Channel, caller: &Caller) -> bool {
    [channel.a, channel.b]
        .iter()
        .any(|it| it.account == caller.actor.account && caller.actor.acts_as(Some(it.agent)))
}

fn party(agent: &Agent) -> Party {
    Party {
        agent: agent.id,
        account: agent.account,
    }
}

/// An agent without keys is as good as none: nothing can be encrypted to it.
fn connected(agent: &Agent) -> Result<(AgentId, EncryptionPublicKey)> {
    let keys = agent.keys().ok_or(ApiError::NotFound)?;
    Ok((agent.id, keys.encryption))
}

async fn agent(reader: &mut Reader, party: Party) -> Result<Option<Agent>> {
    Ok(reader.agent_by_id_of(party.account, party.agent).await?)
}

fn shown(channel: &Channel, a: Option<&Agent>, b: Option<&Agent>) -> wire::Channel {
    let key = |it: Option<&Agent>| it.and_then(Agent::keys).map(|it| it.encryption);
    wire::Channel {
        id: channel.id,
        agent_a_id: channel.a.agent,
        agent_b_id: channel.b.agent,
        status: match channel.revoked_at {
            None => ChannelStatus::Active,
            Some(_) => ChannelStatus::Revoked,
        },
        agent_a_public_key: key(a),
        agent_b_public_key: key(b),
        agent_a_key_version: a.map_or(0, |it| it.key_version),
        agent_b_key_version: b.map_or(0, |it| it.key_version),
        created_at: channel.created_at,
        revoked_at: channel.revoked_at,
    }
}
