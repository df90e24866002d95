//! Who is calling, and from where.

mod address;
mod attempts;
mod lockout;
mod passwords;
mod visitor;

use agentdrop_domain::agents::Agent;
use agentdrop_domain::keys::Key;
use agentdrop_domain::sessions::Session;
use agentdrop_domain::{Actor, Credential, Scope};
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_protocol::{AccountId, AgentId, AgentRef, ErrorCode, KeyId, SessionId, Timestamp};
use agentdrop_store::{Reader, Tx};
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::audit::{Origin, Witness};
use crate::rates::Meter;
pub(crate) use address::{ClientAddress, subscriber};
pub(crate) use lockout::Lockout;
pub(crate) use passwords::{Passwords, hash_now};
pub(crate) use visitor::{Anonymous, Visitor};

/// The header that picks the acting agent.
pub(crate) const ACTING_AGENT: HeaderName = HeaderName::from_static("x-agentdrop-agent");
/// How old "used last" may be before it is written down anew; a write each request would be many.
const TOUCH_AFTER_MILLIS: i64 = 60_000;

/// Whoever holds the API key, or the session, that a request came with.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Who is asking.
    pub(crate) actor: Actor,
    /// The agent that the request names as acting.
    acting: Option<AgentRef>,
    /// Tells the audit logs what the caller does.
    pub(crate) witness: Witness,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let actor = actor_of(&parts.headers, app).await;
        if actor.as_ref().is_err_and(ApiError::is_unauthorized) {
            Visitor::of(parts, app).charge(app)?;
        }
        let actor = actor?;
        tracing::Span::current().record("account", tracing::field::display(actor.account));
        if let Scope::Agent(agent) = actor.scope {
            tracing::Span::current().record("agent", tracing::field::display(agent));
        }
        let meter = Meter::of(&parts.extensions);
        app.requests.charge_credential(actor.credential, &meter)?;
        Ok(Self {
            actor,
            acting: acting(&parts.headers)?,
            witness: Origin::of(parts, app).witness(actor.account, actor.into()),
        })
    }
}

/// Whoever the credential of a request is, if it works.
async fn actor_of(headers: &HeaderMap, app: &App) -> Result<Actor> {
    let key = bearer(headers)?;
    match key.kind() {
        KeyKind::Account | KeyKind::Agent => holder_of_key(app, &key).await,
        KeyKind::Session => holder_of_session(app, &key).await,
        KeyKind::ConnectionToken => Err(unauthorized("a connection token only connects an agent")),
        KeyKind::MailedLink => Err(unauthorized("what a mailed link has is no API key")),
    }
}

async fn holder_of_key(app: &App, key: &ApiKey) -> Result<Actor> {
    let mut reader = app.store.read().await?;
    let found = reader.key_by_digest(&digest_of(key)).await?;
    let found = found.ok_or_else(|| unauthorized("the API key is not valid"))?;
    if found.revoked_at.is_some() {
        return Err(revoked());
    }
    touch(app, &found);
    Ok(Actor {
        account: found.account,
        credential: Credential::Key(found.id),
        scope: found.scope,
    })
}

async fn holder_of_session(app: &App, token: &ApiKey) -> Result<Actor> {
    let mut reader = app.store.read().await?;
    let found = reader.session_by_digest(&digest_of(token)).await?;
    let live = found.filter(|it| it.is_live(app.clock.now()));
    let live = live.ok_or_else(over)?;
    touch_session(app, &live);
    Ok(Actor {
        account: live.account,
        credential: Credential::Session(live.id),
        scope: Scope::Account,
    })
}

/// Whether a caller's credential still works, who was let in a while ago.
pub(crate) async fn is_live(reader: &mut Reader, actor: &Actor, now: Timestamp) -> Result<bool> {
    Ok(match actor.credential {
        Credential::Key(key) => {
            let found = reader.key_of(actor.account, key).await?;
            found.is_some_and(|it| it.revoked_at.is_none())
        }
        Credential::Session(session) => {
            let found = reader.session_of(actor.account, session).await?;
            found.is_some_and(|it| it.is_live(now))
        }
    })
}

impl Caller {
    /// The agent that acts: the key's own, or the one that the request names, or none.
    pub(crate) async fn agent(&self, reader: &mut Reader) -> Result<Option<Agent>> {
        let named = match (self.actor.scope, &self.acting) {
            (Scope::Agent(own), None) => AgentRef::Id(own),
            (_, Some(named)) => named.clone(),
            (Scope::Account, None) => return Ok(None),
        };
        let agent = reader.agent_of(self.actor.account, &named).await?;
        let agent = agent.ok_or(ApiError::NotFound)?;
        self.actor.require_agent(&agent)?;
        Ok(Some(agent))
    }
}

/// Counts a transfer for the credential that it was asked for with. Much time may have passed since,
/// for the files had to come first: one that was ended meanwhile is refused.
pub(crate) async fn count_transfer(tx: &mut Tx, actor: &Actor, now: Timestamp) -> Result<()> {
    match actor.credential {
        Credential::Key(key) if tx.count_transfer(key).await? == 0 => Err(revoked()),
        Credential::Key(_) => Ok(()),
        Credential::Session(session) => require_live_session(tx, actor.account, session, now).await,
    }
}

/// Refuses a session that was ended since it asked. The account is held: ending sessions holds it.
pub(crate) async fn require_live_session(
    tx: &mut Tx,
    account: AccountId,
    session: SessionId,
    now: Timestamp,
) -> Result<()> {
    let found = tx.session_of(account, session).await?;
    let live = found.filter(|it| it.is_live(now));
    live.map(drop).ok_or_else(over)
}

fn revoked() -> ApiError {
    ApiError::refused(ErrorCode::KeyRevoked, "the API key was revoked")
}

fn over() -> ApiError {
    unauthorized("the session is over; sign in again")
}

/// The key in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<ApiKey> {
    let missing = || unauthorized("send the API key as Authorization: Bearer …");
    let value = only(headers, &header::AUTHORIZATION).map_err(|()| missing())?;
    let value = value.and_then(|it| it.to_str().ok());
    let (scheme, key) = value
        .and_then(|it| it.split_once(' '))
        .ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    key.trim()
        .parse()
        .map_err(|error| unauthorized(format!("the API key {error}")))
}

/// What the store knows a key by: `SHA-256(key)`.
pub(crate) fn digest_of(key: &ApiKey) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, key.expose_secret().as_bytes()).as_ref());
    bytes
}

pub(crate) fn unauthorized(message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::refused(ErrorCode::Unauthorized, message)
}

/// The value of a header field that is there once or not at all.
///
/// Of two, a proxy in front may have looked at the other one.
pub(crate) fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(()),
        (value, None) => Ok(value),
    }
}

fn acting(headers: &HeaderMap) -> Result<Option<AgentRef>> {
    let Some(value) = only(headers, &ACTING_AGENT).map_err(|()| ApiError::NotFound)? else {
        return Ok(None);
    };
    // What cannot be a name names no agent.
    let named = value.to_str().ok().and_then(|it| it.trim().parse().ok());
    named.map(Some).ok_or(ApiError::NotFound)
}

/// Writes down, at most once a minute and behind the answer, that a key was used.
fn touch(app: &App, key: &Key) {
    let agent = match key.scope {
        Scope::Account => None,
        Scope::Agent(agent) => Some(agent),
    };
    touch_both(app, Some(key.id), key.last_used_at, agent);
}

/// Writes down that an agent was heard of, under a key of its account.
pub(crate) fn touch_agent(app: &App, actor: &Actor, agent: &Agent) {
    touch_both(
        app,
        actor.credential.key(),
        agent.last_seen_at,
        Some(agent.id),
    );
}

fn touch_both(app: &App, key: Option<KeyId>, last: Option<Timestamp>, agent: Option<AgentId>) {
    let now = app.clock.now();
    if !is_worth_a_note(last, now) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        let touched = async move |tx: &mut Tx| -> agentdrop_store::Result<()> {
            tx.touch_key(key, agent, now).await
        };
        if let Err(error) = app.store.write(touched).await {
            tracing::warn!(%error, "the use of a key was not written down");
        }
    });
}

fn touch_session(app: &App, session: &Session) {
    let (id, now) = (session.id, app.clock.now());
    if !is_worth_a_note(Some(session.last_used_at), now) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        let touched = async move |tx: &mut Tx| -> agentdrop_store::Result<()> {
            tx.touch_session(id, now).await
        };
        if let Err(error) = app.store.write(touched).await {
            tracing::warn!(%error, "the use of a session was not written down");
        }
    });
}

fn is_worth_a_note(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|it| now.as_millis() - it.as_millis() >= TOUCH_AFTER_MILLIS)
}
