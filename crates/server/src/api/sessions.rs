//! Sessions of people who signed in.

use agentdrop_domain::accounts::{Account, AccountSettings};
use agentdrop_domain::audit::{Action, Subject, Who};
use agentdrop_domain::sessions::Session;
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_protocol::limits::MAX_SESSIONS;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::sessions::{
    self as wire, CreateSession, CreatedSession, EndedSession, Sessions,
};
use agentdrop_protocol::{Password, SessionId};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tracing::Instrument as _;

use super::account;
use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::openapi::Errors;
use crate::app::App;
use crate::audit::{Origin, Witness};
use crate::auth::{Anonymous, Caller, ClientAddress, digest_of, unauthorized};
use crate::clock::{random, random_key};

/// What stands in a path for the session that asks.
const CURRENT: &str = "current";

/// Signs in with a password.
///
/// An address that nobody has, an account without a password and a wrong password are answered
/// alike.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions", operation_id = "sessions_create", security(()),
    request_body = CreateSession, responses((status = 201, body = CreatedSession), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    origin: Origin,
    Anonymous(address): Anonymous,
    Body(body): Body<CreateSession>,
) -> Result<(StatusCode, Json<CreatedSession>)> {
    let signed_in = sign_in(&app, &origin, address, &body.email, body.password).await;
    let (account, settings) = signed_in?;
    let (now, token) = (app.clock.now(), random_key(KeyKind::Session)?);
    let id = SessionId::new(now, random()?);
    let session = Session::new(id, account.id, digest_of(&token), address.0, now);
    let created = CreatedSession {
        id,
        session_token: token.expose_secret().to_owned(),
        account: account::shown(account, &settings),
        expires_at: session.expires_at,
    };
    app.store
        .write(async move |tx| -> Result<_> {
            require_unchanged(tx, session.account, &settings).await?;
            tx.insert_session(&session, MAX_SESSIONS).await?;
            let witness = origin.witness(session.account, Who::Session(id));
            tx.append_audit(witness.saw(Action::SessionCreated, Subject::of(&id)))
                .await?;
            Ok(())
        })
        .await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// The account that an address and a password are of.
pub(super) async fn sign_in(
    app: &App,
    origin: &Origin,
    from: ClientAddress,
    email: &Email,
    password: Password,
) -> Result<(Account, AccountSettings)> {
    app.try_password(email, from).await?;
    let found = app.store.read().await?.account_to_sign_in(email).await?;
    let known = found.as_ref().and_then(|(_, it)| it.password.clone());
    let matches = app.passwords.matches(password, known).await?;
    if let Some((account, _)) = found.as_ref().filter(|_| !matches) {
        note_refusal(app, origin.clone().witness(account.id, Who::Anonymous));
    }
    found.filter(|_| matches).ok_or_else(wrong_password)
}

/// Tells the log of an account that somebody did not know its password; behind the answer, which
/// must not take longer where there is an account.
fn note_refusal(app: &App, witness: Witness) {
    let app = app.clone();
    let noting = async move {
        let note = async move |tx: &mut Tx| {
            tx.append_audit(witness.saw(Action::SessionRefused, Subject::default()))
                .await
        };
        if let Err(error) = app.store.write(note).await {
            tracing::warn!(%error, "a refused password is not in the log of its account");
        }
    };
    drop(tokio::spawn(noting.in_current_span()));
}

/// Refuses where the password was changed since it was checked: changing it ends what was begun
/// with the old one. The account is held.
pub(super) async fn require_unchanged(
    tx: &mut Tx,
    account: agentdrop_protocol::AccountId,
    checked: &AccountSettings,
) -> Result<()> {
    tx.hold_accounts(account, account).await?;
    let settings = tx.account_settings(account).await?;
    let unchanged = settings.filter(|it| it.password == checked.password);
    unchanged.map(drop).ok_or_else(wrong_password)
}

pub(super) fn wrong_password() -> ApiError {
    unauthorized("the address or the password is wrong")
}

/// The sessions of the account, for the person who signed in.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", operation_id = "sessions_list",
    responses((status = 200, body = Sessions), Errors)
)]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Sessions>> {
    caller.actor.require_account()?;
    let current = caller.actor.require_session()?;
    let (now, owner) = (app.clock.now(), caller.actor.account);
    let found = app.store.read().await?.sessions_of(owner, now).await?;
    let sessions = found.iter().map(|it| shown(it, Some(current)));
    Ok(Json(Sessions {
        sessions: sessions.collect(),
    }))
}

/// Ends a session; `current` is the one that asks.
#[utoipa::path(
    delete, path = "/v1/sessions/{session_id}", tag = "sessions", operation_id = "sessions_end",
    params(
        ("session_id" = String, Path, pattern = "^(current|ses_[0-9a-f]{32})$",
         description = "The session's id, or `current`")
    ),
    responses((status = 200, body = EndedSession), Errors)
)]
pub(crate) async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(named): Path<String>,
) -> Result<Json<EndedSession>> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    let id = if named == CURRENT {
        caller.actor.require_session()?
    } else {
        named.parse().map_err(|_| ApiError::NotFound)?
    };
    let found = app.store.read().await?.session_of(owner, id).await?;
    found.ok_or(ApiError::NotFound)?;
    caller.actor.require_session()?;
    let taken = app
        .store
        .write(async move |tx| -> Result<_> {
            let taken = tx.take_session_of(owner, id).await?;
            if taken.is_some() {
                let ended = caller.witness.saw(Action::SessionEnded, Subject::of(&id));
                tx.append_audit(ended).await?;
            }
            Ok(taken)
        })
        .await?;
    taken.ok_or(ApiError::NotFound)?;
    Ok(Json(EndedSession { id, ended: true }))
}

/// A session, less what makes it work.
pub(super) fn shown(session: &Session, current: Option<SessionId>) -> wire::Session {
    wire::Session {
        id: session.id,
        current: Some(session.id) == current,
        address: session.address.to_string(),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    }
}
