//! Keys of agents that one envelope is sealed for, each given to one sender.

use std::time::Duration;

use agentdrop_domain::bundles::Prekey;
use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_envelope::Statement;
use agentdrop_envelope::identity::{IdentityPublicKey, SignedPrekey, Untrusted};
use agentdrop_protocol::wire::bundles::{AddPrekeys, ClaimedPrekey, Prekeys};
use agentdrop_protocol::{AccountId, AgentId, AgentRef, SignedStatement, Timestamp};
use agentdrop_store::{Allowance, ReachableAgent, Tx};
use axum::Json;
use axum::extract::State;

use super::agents::hold;
use super::bundles::{own, refused, shown};
use super::error::{ApiError, Result, share_required};
use super::extract::{Body, Path, Query};
use super::openapi::Errors;
use super::reach::reach;
use crate::app::App;
use crate::auth::Caller;

/// How many are added in one request.
const MAX_ADDED: usize = 100;
/// How many an agent has, those that nobody was given.
const MAX_KEPT: u32 = 128;
/// How long one may be good for. Its secret half lies on the agent's machine until then.
const MAX_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How long one is good for at least that is given to somebody: they have to seal and to send.
const MIN_LEFT: Duration = Duration::from_hours(1);
/// How many of one agent an account is given. Whoever takes them away from others has to wait; to
/// be given none costs an envelope less than it seems, for there is the key in the bundle.
const CLAIMS: Allowance = Allowance {
    most: 60,
    period: Duration::from_hours(1),
};
/// With so many left of an agent, or fewer, they are for many others rather than for one.
const SCARCE: u32 = 32;
/// How many of those another account is given.
const SCARCE_CLAIMS: Allowance = Allowance {
    most: 8,
    period: Duration::from_hours(1),
};
/// How many another account is given of which nothing came of that was received. The agent keeps the
/// secret halves for up to 14 months, 4,096 at most, and makes no more where it has so many: no one
/// account comes that far.
const UNUSED: Allowance = Allowance {
    most: 256,
    period: Duration::from_hours(30 * 24),
};

/// Adds one-time prekeys of an agent. Those that the server had before are not added again, and no
/// more are kept than `max_prekeys`.
#[utoipa::path(
    post, path = "/v1/agents/{agent}/prekeys", tag = "agents", operation_id = "prekeys_add",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    request_body = AddPrekeys, responses((status = 200, body = Prekeys), Errors)
)]
pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Body(body): Body<AddPrekeys>,
) -> Result<Json<Prekeys>> {
    let now = app.clock.now();
    let (agent, identity) = {
        let mut reader = app.store.read().await?;
        let agent = own(&mut reader, &caller, &named).await?;
        // Who has none learns it as whoever asks for it does.
        shown(&mut reader, &agent).await?;
        let published = agent.published.ok_or(ApiError::NotFound)?;
        (agent, published.identity)
    };
    let key = IdentityPublicKey::from_bytes(identity.as_bytes());
    let key = key.map_err(|it| ApiError::Internal(it.into()))?;
    let prekeys = read(agent.id, &key, body.prekeys, now)?;
    app.store
        .write(async move |tx| -> Result<_> {
            let agent = hold(tx, &caller, &AgentRef::Id(agent.id)).await?;
            // What another key signed is not added behind its end.
            if agent.published.map(|it| it.identity) != Some(identity) {
                return Err(refused("prekeys", Untrusted::Forged));
            }
            let mut left = tx.prekeys_left(agent.id, now).await?;
            for prekey in prekeys {
                if left >= MAX_KEPT {
                    break;
                }
                left += u32::from(tx.insert_prekey(agent.id, &prekey, now).await?);
            }
            Ok(Json(counted(left)))
        })
        .await
}

/// How many one-time prekeys of an agent are left.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/prekeys", tag = "agents", operation_id = "prekeys_count",
    params(("agent" = AgentRef, Path, description = "The agent, by id or slug")),
    responses((status = 200, body = Prekeys), Errors)
)]
pub(crate) async fn count(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
) -> Result<Json<Prekeys>> {
    let mut reader = app.store.read().await?;
    let agent = own(&mut reader, &caller, &named).await?;
    let left = reader.prekeys_left(agent.id, app.clock.now()).await?;
    Ok(Json(counted(left)))
}

/// Takes a one-time prekey of an agent that files may be sent to. Nobody else is given it, so ask
/// once for each envelope; where none is left, the key in the bundle serves.
#[utoipa::path(
    post, path = "/v1/agents/{agent}/prekeys/claim", tag = "agents", operation_id = "prekeys_claim",
    params(
        ("agent" = AgentRef, Path, description = "The agent, by id or slug"),
        ("account" = Option<String>, Query, max_length = 256, description = "Its account: e-mail address, id or name"),
    ),
    responses((status = 200, body = ClaimedPrekey), Errors)
)]
pub(crate) async fn claim(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<AgentRef>,
    Query(mut query): Query,
) -> Result<Json<ClaimedPrekey>> {
    let account = query.text("account");
    query.check()?;
    let now = app.clock.now();
    let unit = app.clone();
    app.store
        .write(async move |tx| -> Result<_> {
            let found = may_send_to(tx, &caller, &named, account.as_deref()).await?;
            // Kept, so that its identity key is the same from here to the end.
            let (owner, id) = (found.agent.account, found.agent.id);
            let agent = tx.keep_agent_of(owner, &AgentRef::Id(id)).await?;
            let agent = agent.ok_or(ApiError::NotFound)?;
            let of = shown(tx, &agent).await?;
            let between = (caller.actor.account, owner, id);
            let prekey = if may_be_given(tx, &unit, between, now).await? {
                tx.take_prekey(id, now.plus(MIN_LEFT)).await?
            } else {
                None
            };
            Ok(Json(ClaimedPrekey { of, prekey }))
        })
        .await
}

/// Whether an account is given one more of the prekeys of an agent. What is one's own is one's own to use up.
async fn may_be_given(
    tx: &mut Tx,
    app: &App,
    (sender, owner, agent): (AccountId, AccountId, AgentId),
    now: Timestamp,
) -> Result<bool> {
    let claims = counted_as(app, "prekeys by account", sender, agent);
    if tx.count_attempt(&claims, CLAIMS, now).await?.is_some() {
        return Ok(false);
    }
    if sender == owner {
        return Ok(true);
    }
    let left = tx.prekeys_left(agent, now.plus(MIN_LEFT)).await?;
    if left <= SCARCE {
        let scarce = counted_as(app, "scarce prekeys by account", sender, agent);
        let is_counted = left > 0
            && tx
                .count_attempt(&scarce, SCARCE_CLAIMS, now)
                .await?
                .is_none();
        if !is_counted {
            return Ok(false);
        }
    }
    let unused = counted_as(app, UNUSED_CLAIMS, sender, agent);
    Ok(tx.count_attempt(&unused, UNUSED, now).await?.is_none())
}

const UNUSED_CLAIMS: &str = "unused prekeys by account";

fn counted_as(app: &App, what: &str, sender: AccountId, agent: AgentId) -> [u8; 32] {
    let between = [what, &sender.to_string(), &agent.to_string()];
    app.server_key.attempts_name(between)
}

/// What is counted of the prekeys of which nothing was received, of the sender of this transfer; nothing,
/// where it is for no agent of another.
pub(super) fn unused_by(app: &App, of: &Transfer) -> Option<[u8; 32]> {
    match &of.recipient {
        Recipient::Agent { account, agent, .. } if *account != of.sender.account => {
            Some(counted_as(app, UNUSED_CLAIMS, of.sender.account, *agent))
        }
        _ => None,
    }
}

/// An envelope was received, and with it, as may be, a prekey used: its sender is given another.
pub(super) async fn count_used(tx: &mut Tx, unused: &[u8; 32]) -> Result<()> {
    Ok(tx.give_back_attempt(unused, UNUSED).await?)
}

/// The agent that a name means to the caller, if they may send it files.
async fn may_send_to(
    tx: &mut Tx,
    caller: &Caller,
    named: &AgentRef,
    account: Option<&str>,
) -> Result<ReachableAgent> {
    let owner = caller.actor.account;
    let acting = caller.agent(tx).await?.map(|it| it.id);
    let found = reach(tx, owner, acting, named, account).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    if found.agent.account == owner {
        return Ok(found);
    }
    let allowed = tx.sendable_agent_of(owner, acting, found.agent.id).await?;
    allowed.ok_or_else(share_required)
}

/// Reads prekeys of an agent, and checks all that can be told without the others.
fn read(
    agent: AgentId,
    identity: &IdentityPublicKey,
    given: Vec<SignedStatement>,
    now: Timestamp,
) -> Result<Vec<Prekey>> {
    if given.is_empty() || given.len() > MAX_ADDED {
        let message = format!("must be from 1 to {MAX_ADDED}");
        return Err(ApiError::invalid("prekeys", message));
    }
    let latest = now.plus(MAX_LIFETIME);
    let read = given.into_iter().enumerate().map(|(at, signed)| {
        let field = format!("prekeys[{at}]");
        let refuse = |it| refused(&field, it);
        let read = SignedPrekey::read(signed.as_bytes()).map_err(|it| refuse(it.into()))?;
        let prekey = read.prekey;
        if prekey.agent != agent {
            return Err(refuse(Untrusted::OtherAgent));
        }
        let statement = prekey.to_cbor();
        let verified = identity.verify(&Statement::Prekey(&statement), &read.signature);
        verified.map_err(refuse)?;
        if prekey.not_after <= now {
            return Err(refuse(Untrusted::Expired));
        }
        if prekey.not_after > latest {
            let message = "must be over within 90 days";
            return Err(ApiError::invalid(field, message));
        }
        Ok(Prekey {
            id: prekey.kem.id().0,
            not_after: prekey.not_after,
            signed,
        })
    });
    read.collect()
}

const fn counted(left: u32) -> Prekeys {
    Prekeys {
        prekeys_left: left,
        max_prekeys: MAX_KEPT,
    }
}
