//! Accounts.

use agentdrop_domain::accounts::{Account, AccountSettings, PasswordHash};
use agentdrop_domain::{Scope, keys::Key};
use agentdrop_protocol::wire::accounts::{CreateAccount, CreatedAccount};
use agentdrop_protocol::wire::keys::CreatedKey;
use agentdrop_protocol::{AccountId, ErrorCode, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::error::{ApiError, Result};
use super::extract::Body;
use super::keys::new_key;
use super::mailed_links::NewLink;
use super::openapi::Errors;
use crate::app::App;
use crate::clock::{NoChance, random};
use crate::config::{EmailVerification, Signup};

/// Makes an account, with its first key.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", operation_id = "accounts_create", security(()),
    request_body = CreateAccount, responses((status = 201, body = CreatedAccount), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    Body(body): Body<CreateAccount>,
) -> Result<(StatusCode, Json<CreatedAccount>)> {
    if app.signup == Signup::Closed {
        let message = "the operator makes the accounts of this server; ask them for one";
        return Err(ApiError::refused(ErrorCode::SignupClosed, message));
    }
    let (mut body, now) = (body, app.clock.now());
    let password = body.password.take();
    let mut new = NewAccount::new(body, app.email_verification, now)?;
    if let Some(password) = password {
        new.account.check_password(&password)?;
        new.password = Some(app.passwords.hash(password).await?);
    }
    let link = match app.email_verification {
        EmailVerification::Required => Some(NewLink::to_verify(&app, &new.account, now)?),
        EmailVerification::Off => None,
    };
    let insert = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        let created = new.insert(tx).await?;
        if let Some(link) = link {
            link.insert(tx).await?;
        }
        Ok(created)
    };
    let created = app.store.write(insert).await?;
    app.mailer.wake.notify_one();
    Ok((StatusCode::CREATED, Json(created)))
}

/// An account that is about to be made, and its first key.
pub(crate) struct NewAccount {
    account: Account,
    pub(crate) password: Option<PasswordHash>,
    key: Key,
    shown: CreatedKey,
}

impl NewAccount {
    pub(crate) fn new(
        asked: CreateAccount,
        verification: EmailVerification,
        now: Timestamp,
    ) -> Result<Self, NoChance> {
        let believed = verification == EmailVerification::Off;
        let account = Account {
            id: AccountId::new(now, random()?),
            name: asked.name,
            email: asked.email,
            email_verified_at: believed.then_some(now),
            created_at: now,
        };
        let name = "first key".parse().expect("it is a name");
        let (key, shown) = new_key(now, account.id, Scope::Account, name)?;
        Ok(Self {
            account,
            password: None,
            key,
            shown,
        })
    }

    pub(crate) async fn insert(
        self,
        tx: &mut agentdrop_store::Tx,
    ) -> agentdrop_store::Result<CreatedAccount> {
        tx.insert_account(&self.account).await?;
        if self.password.is_some() {
            let settings = AccountSettings {
                password: self.password,
                ..AccountSettings::default()
            };
            tx.update_account_settings(self.account.id, &settings)
                .await?;
        }
        tx.insert_key(&self.key).await?;
        Ok(CreatedAccount {
            id: self.account.id,
            name: self.account.name,
            email: self.account.email,
            api_key: self.shown.api_key,
            created_at: self.account.created_at,
        })
    }
}
