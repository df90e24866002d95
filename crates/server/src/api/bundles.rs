//! What agents publish of their keys. They sign it themselves, so the server checks it to refuse
//! mistakes early; whoever reads it checks it again, and trusts nobody.

use agentdrop_domain::agents::{Agent, Published};
use agentdrop_domain::audit::Action;
use agentdrop_domain::bundles::Bundle;
use agentdrop_envelope::identity::{
    Fingerprint, IdentityPublicKey, Pin, SignedBundle, SignedRotation, Untrusted, VerifiedBundle,
};
use agentdrop_protocol::wire::bundles::{AgentBundle, PublishBundle};
use agentdrop_protocol::{AgentRef, ErrorCode, SignedStatement, SigningPublicKey, Timestamp};
use agentdrop_store::{Reader, Tx};
use axum::Json;
use axum::extract::State;

use super::agents::{hold, named_in_log};
use super::error::{ApiError, Result};
use super::extract::{Body, Path, Query};
use super::openapi::Errors;
use super::reach::reach_to_compare;
use crate::app::App;
use crate::auth::Caller;

/// The strongest suite that there is: who accepts nothing below a stronger one is sent nothing.
const STRONGEST_SUITE: u8 = 1;

/// Publishes the next bundle of an agent; the same one again changes nothing.
#[utoipa::path(
    put, path = "/v1/agents/{agent}/bundle", tag = "agents", operation_id = "bundles_publish",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    request_body = PublishBundle, responses((status = 200, body = AgentBundle), Errors)
)]
pub(crate) async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Body(body): Body<PublishBundle>,
) -> Result<Json<AgentBundle>> {
    let now = app.clock.now();
    let agent = own(&mut app.store.read().await?, &caller, &named).await?;
    let signed = read(&agent, &body, now)?;
    let rotation = body.rotation.as_ref().map(read_rotation).transpose()?;
    app.store
        .write(async move |tx| -> Result<_> {
            let agent = hold(tx, &caller, &AgentRef::Id(agent.id)).await?;
            let last = tx.bundle_of_agent(agent.id).await?;
            if last.as_ref().and_then(|it| it.signed.as_ref()) == Some(&body.bundle) {
                return Ok(Json(shown(tx, &agent).await?));
            }
            let key = agent.keys().map(|it| it.encryption);
            if key != Some(signed.bundle.compatible) {
                return Err(key_changed());
            }
            let known = last.as_ref().map(pin).transpose()?;
            let known = follow(tx, &agent, known, &signed, rotation, &body).await?;
            let checked = signed.check(agent.id, known.pin.as_ref(), now);
            let checked = checked.map_err(|it| refused("bundle", it))?;
            let agent = put(tx, agent, &checked, body.bundle).await?;
            // Who knew it by another key wants to know since when it has this one.
            let peers = match known.rotated {
                Rotated::No => Vec::new(),
                Rotated::Now => tx.paired_accounts_of(agent.id).await?,
            };
            let answer = shown(tx, &agent).await?;
            let what = named_in_log(&agent);
            let entries = caller
                .witness
                .both(peers, Action::AgentBundlePublished, &what);
            tx.append_audit(entries).await?;
            Ok(Json(answer))
        })
        .await
}

/// What an agent says of its keys: to whoever exchanges files with it, and before that to whoever
/// may come to, so that people can compare it.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/bundle", tag = "agents", operation_id = "bundles_show",
    params(
        ("agent" = AgentRef, Path, description = "The agent, by id or slug"),
        ("account" = Option<String>, Query, max_length = 256, description = "Its account: e-mail address, id or name"),
    ),
    responses((status = 200, body = AgentBundle), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Query(mut query): Query,
) -> Result<Json<AgentBundle>> {
    let account = query.text("account");
    query.check()?;
    let owner = caller.actor.account;
    let mut reader = app.store.read().await?;
    let acting = caller.agent(&mut reader).await?.map(|it| it.id);
    let found = reach_to_compare(&mut reader, owner, acting, &named, account.as_deref()).await?;
    let agent = found.ok_or(ApiError::NotFound)?.agent;
    Ok(Json(shown(&mut reader, &agent).await?))
}

/// The agent that the path names, of the caller's account, if the caller may act as it.
pub(super) async fn own(reader: &mut Reader, caller: &Caller, named: &AgentRef) -> Result<Agent> {
    let agent = reader.agent_of(caller.actor.account, named).await?;
    let agent = agent.ok_or(ApiError::NotFound)?;
    caller.actor.require_agent(&agent)?;
    Ok(agent)
}

/// What an agent says of its keys, if it has said anything.
pub(super) async fn shown(reader: &mut Reader, agent: &Agent) -> Result<AgentBundle> {
    let bundle = reader.bundle_of_agent(agent.id).await?;
    let none = || ApiError::refused(ErrorCode::NoBundle, ErrorCode::NoBundle.meaning());
    let bundle = bundle.ok_or_else(none)?;
    let identity = identity(&bundle.identity)?;
    Ok(AgentBundle {
        id: agent.id,
        agent_uuid: agent.id,
        agent_id: agent.slug.clone(),
        bundle: bundle.signed.ok_or_else(none)?,
        version: bundle.version,
        rotations: reader.rotations_of_agent(agent.id).await?,
        key_fingerprint: Fingerprint::of(agent.id, &identity).to_string(),
    })
}

/// What people compare to know an agent, if it has published its keys.
pub(super) fn key_fingerprint(agent: &Agent) -> Option<String> {
    let key = agent.published?.identity;
    let key = IdentityPublicKey::from_bytes(key.as_bytes()).ok()?;
    Some(Fingerprint::of(agent.id, &key).to_string())
}

/// Reads a bundle of `agent`, and checks all that can be told from it alone: outside the unit of
/// work, for it takes a while.
fn read(agent: &Agent, body: &PublishBundle, now: Timestamp) -> Result<SignedBundle> {
    let refused = |it| refused("bundle", it);
    let signed = SignedBundle::read(body.bundle.as_bytes()).map_err(|it| refused(it.into()))?;
    let checked = signed.clone().check(agent.id, None, now);
    checked.map_err(refused)?;
    if signed.bundle.min_suite > STRONGEST_SUITE {
        let message = "accepts nothing that there is: min_suite is at most 1";
        return Err(ApiError::invalid("bundle", message));
    }
    Ok(signed)
}

fn read_rotation(signed: &SignedStatement) -> Result<SignedRotation> {
    let read = SignedRotation::read(signed.as_bytes());
    read.map_err(|it| refused("rotation", it.into()))
}

/// What a bundle has to go on from.
struct Known {
    /// What is known of the agent, its new identity key included; nothing before its first bundle.
    pin: Option<Pin>,
    rotated: Rotated,
}

/// Whether the agent gets another identity key.
enum Rotated {
    No,
    Now,
}

/// Finds out what `next` has to go on from, and writes the change of the identity key down, if there
/// is one. Versions have no gaps: in one, a peer could be shown what the server likes.
async fn follow(
    tx: &mut Tx,
    agent: &Agent,
    last: Option<Pin>,
    next: &SignedBundle,
    rotation: Option<SignedRotation>,
    body: &PublishBundle,
) -> Result<Known> {
    let expected = last.map_or(1, |it| it.version + 1);
    if next.bundle.version != expected {
        return Err(conflict(format!("the next bundle has version {expected}")));
    }
    let changes = last.filter(|it| it.identity != next.bundle.identity);
    let (pin, signed, rotation) = match (changes, &body.rotation, rotation) {
        (Some(pin), Some(signed), Some(rotation)) => (pin, signed, rotation),
        (None, None, _) => {
            let rotated = Rotated::No;
            return Ok(Known { pin: last, rotated });
        }
        (None, ..) => {
            let message = "is sent where the identity key is another alone";
            return Err(ApiError::invalid("rotation", message));
        }
        (Some(_), ..) => return Err(refused("bundle", Untrusted::OtherIdentity)),
    };
    let since = rotation.rotation.since;
    let verified = rotation.check(agent.id, &pin.identity);
    let verified = verified.map_err(|it| refused("rotation", it))?;
    let pin = pin.rotated(&verified);
    let pin = pin.map_err(|it| refused("rotation", it))?;
    if since != expected || pin.identity != next.bundle.identity {
        return Err(conflict("the rotation is not to this bundle".to_owned()));
    }
    tx.insert_rotation(agent.id, since, signed).await?;
    Ok(Known {
        pin: Some(pin),
        rotated: Rotated::Now,
    })
}

/// Writes down that this is the agent's bundle from now on.
async fn put(
    tx: &mut Tx,
    agent: Agent,
    checked: &VerifiedBundle,
    signed: SignedStatement,
) -> Result<Agent> {
    let pin = checked.pin();
    let key = SigningPublicKey::try_from(*pin.identity.as_bytes());
    let identity = key.map_err(|it| ApiError::invalid("bundle", it.to_string()))?;
    let agent = agent.publish(Published {
        version: pin.version,
        identity,
    });
    let bundle = Bundle {
        agent: agent.id,
        version: pin.version,
        hash: pin.hash,
        identity,
        min_suite: pin.min_suite,
        signed: Some(signed),
    };
    tx.put_bundle(&agent, &bundle).await?;
    Ok(agent)
}

/// What whoever saw the last bundle knows.
fn pin(last: &Bundle) -> Result<Pin> {
    Ok(Pin {
        identity: identity(&last.identity)?,
        version: last.version,
        hash: last.hash,
        min_suite: last.min_suite,
    })
}

/// The identity key of a bundle that was checked when it came.
fn identity(key: &SigningPublicKey) -> Result<IdentityPublicKey> {
    IdentityPublicKey::from_bytes(key.as_bytes()).map_err(|it| ApiError::Internal(it.into()))
}

/// Why what an agent signed is not kept.
pub(super) fn refused(field: &str, why: Untrusted) -> ApiError {
    match why {
        Untrusted::Downgraded
        | Untrusted::Forked
        | Untrusted::OtherIdentity
        | Untrusted::RolledBack => conflict(why.to_string()),
        // Of the bytes alone, whatever was there before.
        _ => ApiError::invalid(field, why.to_string()),
    }
}

fn conflict(message: String) -> ApiError {
    ApiError::refused(ErrorCode::BundleConflict, message)
}

fn key_changed() -> ApiError {
    let message = "the compatible key in the bundle is not the key that the agent has";
    ApiError::refused(ErrorCode::KeyChanged, message)
}
