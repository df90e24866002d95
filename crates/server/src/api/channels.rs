//! Channels between two agents.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, NewEntry, Subject};
use agentdrop_domain::channels::{Channel, Party};
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::channels::{self as wire, Channels, CreateChannel, CreatedChannel};
use agentdrop_protocol::wire::connections::ConnectionFilter;
use agentdrop_protocol::{AccountId, AgentId, AgentRef, ChannelId, EncryptionPublicKey, ErrorCode};
use agentdrop_store::{ListedConnection, ReachableAgent, Reader, Tx};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::bundles::key_fingerprint;
use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use super::reach::{named_so, only};
use crate::app::App;
use crate::auth::Caller;
use crate::clock::random;

/// Makes a channel between an own agent and another, or answers the one they have.
///
/// Agents of two accounts that are paired can use it at once; where the accounts are only
/// connected, it waits until the other side has asked for it, too.
#[utoipa::path(
    post, path = "/v1/channels", tag = "channels", operation_id = "channels_create",
    params(Once), request_body = CreateChannel, responses((status = 200, body = CreatedChannel), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Repeating(Body(body), once): Repeating<Body<CreateChannel>>,
) -> Result<Answered> {
    let account = caller.actor.account;
    let (now, id) = (app.clock.now(), ChannelId::new(app.clock.now(), random()?));
    once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let mine = tx
            .keep_agent_of(account, &body.agent_id)
            .await?
            .ok_or(ApiError::NotFound)?;
        caller.actor.require_agent(&mine)?;
        let theirs = find(tx, &mine, &body.target_agent_id).await?;
        let theirs = tx
            .keep_agent_of(theirs.account, &AgentRef::Id(theirs.id))
            .await?
            .ok_or(ApiError::NotFound)?;
        let agreed = agreed(tx, &mine, &theirs).await?;
        let new = match agreed {
            Agreed::Already => Channel::new(id, party(&mine), party(&theirs), now)?,
            Agreed::NotYet => Channel::propose(id, party(&mine), party(&theirs), now)?,
        };
        let fingerprints = [&mine, &theirs].map(key_fingerprint);
        let (mine, my_key) = connected(&mine)?;
        let (theirs, their_key) = connected(&theirs)?;
        let found = tx.insert_or_find_channel(&new).await?;
        let waited = found.status();
        let channel = match agreed {
            Agreed::Already => found.open(),
            Agreed::NotYet => found.ask(account),
        };
        if channel.status() != waited {
            tx.update_channel(&channel).await?;
        }
        // Asked for once more, nothing happens.
        if channel.id == id || channel.status() != waited {
            let made = logged(&caller, Action::ChannelCreated, &channel);
            tx.append_audit(made).await?;
        }
        let [my_key_fingerprint, their_key_fingerprint] = fingerprints;
        let created = CreatedChannel {
            id: channel.id,
            status: channel.status(),
            my_public_key: my_key,
            their_public_key: their_key,
            my_key_fingerprint,
            their_key_fingerprint,
            my_agent_id: mine,
            their_agent_id: theirs,
        };
        Ok((StatusCode::OK, created))
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
    let channels = reader.channels_of(account).await?;
    let mut listed = Vec::new();
    for channel in channels.iter().filter(|it| is_visible(it, &caller)) {
        let a = agent(&mut reader, account, channel.a).await?;
        let b = agent(&mut reader, account, channel.b).await?;
        listed.push(shown(channel, a.as_ref(), b.as_ref()));
    }
    Ok(Json(Channels { channels: listed }))
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
    let account = caller.actor.account;
    let channel = reader.channel_of(account, id).await?;
    let channel = channel
        .filter(|it| is_visible(it, &caller))
        .ok_or(ApiError::NotFound)?;
    let a = agent(&mut reader, account, channel.a).await?;
    let b = agent(&mut reader, account, channel.b).await?;
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
            let revoked = channel.revoke(now)?;
            tx.update_channel(&revoked).await?;
            tx.append_audit(logged(&caller, Action::ChannelRevoked, &revoked))
                .await?;
            Ok(Json(Done {
                message: "Channel revoked".to_owned(),
            }))
        })
        .await
}

/// What was done to a channel, for the logs of both sides.
fn logged(caller: &Caller, action: Action, channel: &Channel) -> Vec<NewEntry> {
    let sides = [channel.a, channel.b].map(|it| it.account);
    caller
        .witness
        .both(sides, action, &Subject::of(&channel.id))
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

/// Whether both accounts have agreed that their agents deal with each other.
#[derive(Clone, Copy)]
enum Agreed {
    /// They are of one account, or paired.
    Already,
    /// The accounts are connected, and no more.
    NotYet,
}

/// Whether they have, which nobody ends until this unit of work does.
async fn agreed(tx: &mut Tx, mine: &Agent, theirs: &Agent) -> Result<Agreed> {
    if mine.account == theirs.account {
        return Ok(Agreed::Already);
    }
    let connection = tx
        .keep_active_connection(mine.account, theirs.account)
        .await?;
    connection.ok_or_else(no_connection)?;
    let pairing = tx.keep_active_pairing(mine.id, theirs.id).await?;
    Ok(match pairing {
        Some(_) => Agreed::Already,
        None => Agreed::NotYet,
    })
}

/// The agent that is meant: an own one, one that `mine` is paired with, or one of a connected
/// account that lets it be found.
async fn find(tx: &mut Tx, mine: &Agent, named: &AgentRef) -> Result<Agent> {
    let owner = mine.account;
    // Here an own agent does not win over a paired one of its name: nothing in the request says
    // which account is meant, and the published client, which was told, would seal for the wrong
    // one. Refused, it resolves the name with the account, and needs no channel.
    let paired = named_so(tx, owner, Some(mine.id), named).await?;
    if let Some(found) = only(paired)? {
        return Ok(found.agent);
    }
    let mut found = Vec::new();
    let connections = tx.connections_of(owner, ConnectionFilter::Active).await?;
    for ListedConnection {
        connection, other, ..
    } in connections
    {
        let Some(other) = other else { continue };
        let agents = tx.available_agents_of(owner, connection.id).await?;
        let meant = agents.into_iter().filter(|it| match named {
            AgentRef::Id(id) => it.id == *id,
            AgentRef::Slug(slug) => it.slug == *slug,
        });
        found.extend(meant.map(|agent| ReachableAgent {
            agent,
            account_name: other.name.clone(),
            account_email: other.email.clone(),
        }));
    }
    match only(found)? {
        Some(found) => Ok(found.agent),
        None => Err(unreachable(tx, owner, named).await?),
    }
}

/// What is said of an agent that cannot be found. That the accounts are not connected hears only
/// who has dealt with the agent before: it knows that there is such an agent.
async fn unreachable(tx: &mut Tx, owner: AccountId, named: &AgentRef) -> Result<ApiError> {
    let AgentRef::Id(id) = named else {
        return Ok(ApiError::NotFound);
    };
    let channels = tx.channels_of(owner).await?;
    let mut parties = channels.iter().flat_map(|it| [it.a, it.b]);
    let Some(known) = parties.find(|it| it.agent == *id && it.account != owner) else {
        return Ok(ApiError::NotFound);
    };
    let connection = tx.connection_between(owner, known.account).await?;
    Ok(match connection {
        Some(it) if it.is_active() => ApiError::NotFound,
        _ => no_connection(),
    })
}

fn no_connection() -> ApiError {
    let message = "the two accounts are not connected";
    ApiError::refused(ErrorCode::NoConnection, message)
}

/// One side of a channel, as `owner` may see it: of an account that it is no longer connected
/// with, nothing.
async fn agent(reader: &mut Reader, owner: AccountId, party: Party) -> Result<Option<Agent>> {
    if party.account != owner {
        let connection = reader.connection_between(owner, party.account).await?;
        if !connection.is_some_and(|it| it.is_active()) {
            return Ok(None);
        }
    }
    Ok(reader.agent_by_id_of(party.account, party.agent).await?)
}

fn shown(channel: &Channel, a: Option<&Agent>, b: Option<&Agent>) -> wire::Channel {
    let key = |it: Option<&Agent>| it.and_then(Agent::keys).map(|it| it.encryption);
    wire::Channel {
        id: channel.id,
        agent_a_id: channel.a.agent,
        agent_b_id: channel.b.agent,
        status: channel.status(),
        agent_a_public_key: key(a),
        agent_b_public_key: key(b),
        agent_a_key_version: a.map_or(0, |it| it.key_version),
        agent_b_key_version: b.map_or(0, |it| it.key_version),
        agent_a_key_fingerprint: a.and_then(key_fingerprint),
        agent_b_key_fingerprint: b.and_then(key_fingerprint),
        created_at: channel.created_at,
        revoked_at: channel.revoked_at,
    }
}
