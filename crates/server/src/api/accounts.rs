//! Accounts.

use agentdrop_domain::accounts::{Account, AccountSettings, PasswordHash};
use agentdrop_domain::audit::{Action, Subject, Who};
use agentdrop_domain::{Scope, keys::Key};
use agentdrop_protocol::wire::accounts::{CreateAccount, CreatedAccount};
use agentdrop_protocol::wire::keys::CreatedKey;
use agentdrop_protocol::wire::plans::Plan;
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
use crate::audit::Origin;
use crate::auth::Anonymous;
use crate::clock::{NoChance, random};
use crate::config::{EmailVerification, Signup};

/// Makes an account, with its first key.
///
/// An `Idempotency-Key` is not looked at: there is no account yet to keep an answer for, and
/// whoever guessed the name of the request would be given its API key. Repeated, it is answered
/// `ACCOUNT_EXISTS`.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", operation_id = "accounts_create", security(()),
    request_body = CreateAccount, responses((status = 201, body = CreatedAccount), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    Body(body): Body<CreateAccount>,
) -> Result<(StatusCode, Json<CreatedAccount>)> {
    if app.signup == Signup::Closed {
        let message = "the operator makes the accounts of this server; ask them for one";
        return Err(ApiError::refused(ErrorCode::SignupClosed, message));
    }
    let (mut body, now) = (body, app.clock.now());
    let password = body.password.take();
    let mut new = NewAccount::new(body, app.email_verification, app.default_plan, now)?;
    if let Some(password) = password {
        new.account.check_password(&password)?;
        new.password = Some(app.passwords.hash(password).await?);
    }
    if app.email_verification == EmailVerification::Required {
        new.link = Some(NewLink::to_verify(&app, &new.account, now)?);
    }
    let insert = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        Ok(new.insert(tx, origin, Who::Anonymous).await?)
    };
    let created = app.store.write(insert).await?;
    app.mailer.wake.notify_one();
    Ok((StatusCode::CREATED, Json(created)))
}

/// An account that is about to be made, and its first key.
pub(crate) struct NewAccount {
    account: Account,
    pub(crate) password: Option<PasswordHash>,
    /// What is mailed to its address, to show that it is its own.
    link: Option<NewLink>,
    key: Key,
    shown: CreatedKey,
}

impl NewAccount {
    pub(crate) fn new(
        asked: CreateAccount,
        verification: EmailVerification,
        plan: Plan,
        now: Timestamp,
    ) -> Result<Self, NoChance> {
        let believed = verification == EmailVerification::Off;
        let account = Account {
            id: AccountId::new(now, random()?),
            name: asked.name,
            email: asked.email,
            email_verified_at: believed.then_some(now),
            plan,
            created_at: now,
        };
        let name = "first key".parse().expect("it is a name");
        let (key, shown) = new_key(now, account.id, Scope::Account, name)?;
        Ok(Self {
            account,
            password: None,
            link: None,
            key,
            shown,
        })
    }

    pub(crate) async fn insert(
        self,
        tx: &mut agentdrop_store::Tx,
        origin: Origin,
        by: Who,
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
        if let Some(link) = self.link {
            link.insert(tx).await?;
        }
        let witness = origin.witness(self.account.id, by);
        let made = Subject::of(&self.account.id).and(&self.key.id);
        tx.append_audit(witness.saw(Action::AccountCreated, made))
            .await?;
        Ok(CreatedAccount {
            id: self.account.id,
            name: self.account.name,
            email: self.account.email,
            api_key: self.shown.api_key,
            created_at: self.account.created_at,
        })
    }
}
