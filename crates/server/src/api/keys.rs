//! The API keys of an account.

use agentdrop_domain::Scope;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::keys::Key;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_protocol::text::Name;
use agentdrop_protocol::wire::keys::{
    self as wire, CreateKey, CreatedKey, KeyScope, Keys, RevokedKey,
};
use agentdrop_protocol::{AccountId, KeyId, Timestamp};
use agentdrop_store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::allowance::hold_limits;
use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::once::{Answered, By, Once, Repeating};
use super::openapi::Errors;
use crate::app::App;
use crate::auth::{Caller, digest_of};
use crate::clock::{NoChance, random, random_key};

/// Makes another key of the account.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "keys", operation_id = "keys_create",
    params(Once), request_body = CreateKey, responses((status = 201, body = CreatedKey), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Repeating(Body(body), once): Repeating<Body<CreateKey>>,
) -> Result<Answered> {
    caller.actor.require_account()?;
    let owner = caller.actor.account;
    let (key, created) = new_key(app.clock.now(), owner, Scope::Account, body.name)?;
    once.write(&app, By::from(&caller), async move |tx: &mut Tx| {
        let limits = hold_limits(tx, owner).await?;
        limits.require_key(tx.account_key_count_of(owner).await?)?;
        tx.insert_key(&key).await?;
        let made = Subject::of(&key.id);
        tx.append_audit(caller.witness.saw(Action::KeyCreated, made))
            .await?;
        Ok((StatusCode::CREATED, created))
    })
    .await
}

/// The keys of the account and of its agents.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "keys", operation_id = "keys_list",
    responses((status = 200, body = Keys), Errors)
)]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Keys>> {
    caller.actor.require_account()?;
    let keys = app
        .store
        .read()
        .await?
        .keys_of(caller.actor.account)
        .await?;
    Ok(Json(Keys {
        keys: keys.into_iter().map(shown).collect(),
    }))
}

/// Ends a key, at once and for ever.
#[utoipa::path(
    delete, path = "/v1/api-keys/{key_id}", tag = "keys", operation_id = "keys_revoke",
    params(("key_id" = KeyId, Path, description = "The key's id")),
    responses((status = 200, body = RevokedKey), Errors)
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KeyId>,
) -> Result<Json<RevokedKey>> {
    caller.actor.require_account()?;
    let now = app.clock.now();
    app.store
        .write(async move |tx| -> Result<_> {
            let key = tx
                .hold_key_of(caller.actor.account, id)
                .await?
                .ok_or(ApiError::NotFound)?;
            let revoked = key.revoke(caller.actor.credential, now)?;
            tx.update_key(&revoked).await?;
            let ended = Subject::of(&id);
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

/// A new key, as it is stored and as it is shown this once.
pub(crate) fn new_key(
    now: Timestamp,
    account: AccountId,
    scope: Scope,
    name: Name,
) -> Result<(Key, CreatedKey), NoChance> {
    let kind = match scope {
        Scope::Account => KeyKind::Account,
        Scope::Agent(_) => KeyKind::Agent,
    };
    Ok(DrawnKey::new(kind, now)?.into_key(account, scope, name))
}

/// What of a new key comes by chance, where the rest is found out later.
pub(crate) struct DrawnKey {
    id: KeyId,
    secret: ApiKey,
    now: Timestamp,
}

impl DrawnKey {
    pub(crate) fn new(kind: KeyKind, now: Timestamp) -> Result<Self, NoChance> {
        Ok(Self {
            id: KeyId::new(now, random()?),
            secret: random_key(kind)?,
            now,
        })
    }

    /// The key, as it is stored and as it is shown this once.
    pub(crate) fn into_key(
        self,
        account: AccountId,
        scope: Scope,
        name: Name,
    ) -> (Key, CreatedKey) {
        let Self { id, secret, now } = self;
        let key = Key {
            id,
            account,
            scope,
            name,
            prefix: secret.shown().to_owned(),
            digest: digest_of(&secret),
            transfer_count: 0,
            created_at: now,
            last_used_at: None,
            revoked_at: None,
        };
        let wire::Key {
            id,
            name,
            prefix,
            scope,
            agent_id,
            created_at,
            ..
        } = shown(key.clone());
        let api_key = secret.expose_secret().to_owned();
        (
            key,
            CreatedKey {
                id,
                name,
                prefix,
                scope,
                agent_id,
                api_key,
                created_at,
            },
        )
    }
}

/// A key, without what makes it work.
pub(crate) fn shown(key: Key) -> wire::Key {
    let (scope, agent_id) = match key.scope {
        Scope::Account => (KeyScope::Account, None),
        Scope::Agent(agent) => (KeyScope::Agent, Some(agent)),
    };
    wire::Key {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        scope,
        agent_id,
        last_used_at: key.last_used_at,
        transfer_count: key.transfer_count,
        created_at: key.created_at,
    }
}
