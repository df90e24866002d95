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
use super::links::is_invited;
use super::mailed_links::NewLink;
use super::openapi::Errors;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::Anonymous;
use crate::clock::{NoChance, random};
use crate::config::{EmailVerification, Signup};

/// Makes an account, with its first key.
///
/// An invitation is the token of a mailed link to files: of a link that still leads to files for
/// this very address, the address counts as verified. Any other is no invitation.
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
    let (mut body, now) = (body, app.clock.now());
    let is_invited = match &body.invitation {
        Some(token) if app.signup != Signup::Closed => {
            let mut reader = app.store.read().await?;
            is_invited(&mut reader, token, &body.email, now).await?
        }
        _ => false,
    };
    require_signup(app.signup, is_invited)?;
    let password = body.password.take();
    let mut new = NewAccount::new(body, app.email_verification, app.default_plan, now)?;
    if is_invited && app.email_verification == EmailVerification::Required {
        new.verify(now);
    }
    if let Some(password) = password {
        new.account.check_password(&password)?;
        new.password = Some(app.passwords.hash(password).await?);
    }
    if app.email_verification == EmailVerification::Required && !is_invited {
        new.link = Some(NewLink::to_verify(&app, &new.account, now)?);
    }
    let insert = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        Ok(new.insert(tx, origin, Who::Anonymous).await?)
    };
    let created = app.store.write(insert).await?;
    app.mailer.wake.notify_one();
    Ok((StatusCode::CREATED, Json(created)))
}

/// Refuses whoever the operator lets make no account.
fn require_signup(signup: Signup, is_invited: bool) -> Result<()> {
    let message = match signup {
        Signup::Open => return Ok(()),
        Signup::Invite if is_invited => return Ok(()),
        Signup::Invite => {
            "this server makes accounts for those who were sent files here: send the link of that \
             mail along as `invitation`, with the address that it came to"
        }
        Signup::Closed => "the operator makes the accounts of this server; ask them for one",
    };
    Err(ApiError::refused(ErrorCode::SignupClosed, message))
}

/// An account that is about to be made, and its first key.
pub(crate) struct NewAccount {
    account: Account,
    pub(crate) password: Option<PasswordHash>,
    /// What is mailed to its address, to show that it is its own.
    link: Option<NewLink>,
    /// Whether they have read a mail to its address already.
    is_verified: bool,
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
            is_verified: false,
            key,
            shown,
        })
    }

    /// Takes it for known that the address is its owner's: they have read a mail to it.
    const fn verify(&mut self, now: Timestamp) {
        self.account.email_verified_at = Some(now);
        self.is_verified = true;
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
        let created = witness.saw(Action::AccountCreated, made).into_iter();
        let verified = witness.saw(Action::AccountVerified, Subject::of(&self.account.id));
        let verified = verified.into_iter().filter(|_| self.is_verified);
        tx.append_audit(created.chain(verified)).await?;
        Ok(CreatedAccount {
            id: self.account.id,
            name: self.account.name,
            email: self.account.email,
            api_key: self.shown.api_key,
            created_at: self.account.created_at,
        })
    }
}
