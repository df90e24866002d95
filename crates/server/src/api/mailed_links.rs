//! Links that are mailed, and what comes of following them.
//!
//! The API and the pages for people do the same with them.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::audit::{Action, Subject, Who};
use agentdrop_domain::mailed_links::{LinkPurpose, MailedLink};
use agentdrop_protocol::{AccountId, ErrorCode, LinkToken, Password, Timestamp};
use agentdrop_store::{QueuedMail, Tx};

use super::error::{ApiError, Result};
use crate::app::App;
use crate::audit::Origin;
use crate::auth::digest_of;
use crate::clock::{NoChance, random};
use crate::mail::Stamp;
use crate::mail::kinds::{password_changed, reset_password, verify_email};

/// A link, and the mail that it is in.
pub(crate) struct NewLink {
    link: MailedLink,
    mail: QueuedMail,
}

impl NewLink {
    /// One that shows that the address is the account's.
    pub(crate) fn to_verify(
        app: &App,
        account: &Account,
        now: Timestamp,
    ) -> Result<Self, NoChance> {
        let token = new_token()?;
        let letter = verify_email(app, account.email.clone(), &token);
        let purpose = LinkPurpose::VerifyEmail;
        Ok(Self {
            link: MailedLink::new(digest_of(token.as_key()), purpose, account.id, now),
            mail: Stamp::new(now)?.seal(&app.server_key, account.id, &letter),
        })
    }

    /// One that sets a password.
    pub(crate) fn to_reset(app: &App, account: &Account, now: Timestamp) -> Result<Self, NoChance> {
        let token = new_token()?;
        let letter = reset_password(app, account, &token);
        let purpose = LinkPurpose::ResetPassword;
        Ok(Self {
            link: MailedLink::new(digest_of(token.as_key()), purpose, account.id, now),
            mail: Stamp::new(now)?.seal(&app.server_key, account.id, &letter),
        })
    }

    /// Writes both down. The account is held first, as by whoever follows the link or deletes the
    /// account.
    pub(crate) async fn insert(self, tx: &mut Tx) -> agentdrop_store::Result<()> {
        tx.hold_accounts(self.link.account, self.link.account)
            .await?;
        tx.put_mailed_link(&self.link).await?;
        tx.enqueue_mail(&self.mail).await
    }
}

/// What a link has that is about to be mailed.
pub(crate) fn new_token() -> Result<LinkToken, NoChance> {
    LinkToken::new(&random()?).ok_or(NoChance)
}

/// Does what a link to verify an address with is for.
pub(crate) async fn verify(app: &App, origin: Origin, token: &LinkToken) -> Result<()> {
    let (digest, now) = (digest_of(token.as_key()), app.clock.now());
    app.store
        .write(async move |tx| -> Result<_> {
            let account = take(tx, &digest, LinkPurpose::VerifyEmail, now).await?;
            tx.verify_email(account.id, now).await?;
            let witness = origin.witness(account.id, Who::Anonymous);
            let verified = witness.saw(Action::AccountVerified, Subject::of(&account.id));
            Ok(tx.append_audit(verified).await?)
        })
        .await?;
    app.activate.notify_one();
    Ok(())
}

/// Does what a link to set a password with is for. Whoever has it has read the mail, so that the
/// address counts as theirs.
pub(crate) async fn reset(
    app: &App,
    origin: Origin,
    token: &LinkToken,
    password: Password,
) -> Result<()> {
    let (digest, now) = (digest_of(token.as_key()), app.clock.now());
    // Before a hash is made, which costs, for what is no link.
    let mut reader = app.store.read().await?;
    let link = reader.mailed_link(&digest).await?;
    let link = link.filter(|it| it.is_for(LinkPurpose::ResetPassword, now));
    let account = reader.account(link.ok_or_else(gone)?.account).await?;
    drop(reader);
    account.ok_or_else(gone)?.check_password(&password)?;
    let hash = app.passwords.hash(password).await?;
    let (stamp, unit) = (Stamp::new(now)?, app.clone());
    app.store
        .write(async move |tx| -> Result<_> {
            let account = take(tx, &digest, LinkPurpose::ResetPassword, now).await?;
            let settings = tx.account_settings(account.id).await?;
            let mut settings = settings.ok_or(ApiError::NotFound)?;
            settings.password = Some(hash);
            tx.update_account_settings(account.id, &settings).await?;
            if tx.verify_email(account.id, now).await? > 0 {
                // Nobody had shown that the address is theirs: whoever signed up with it, and has
                // keys, may be somebody else who waits for its owner to come. What waits for the
                // owner must not be encrypted for a key of theirs, which the owner cannot open;
                // nothing was before, for only what has a verified address is encrypted for.
                tx.revoke_keys_of(account.id, now).await?;
                tx.delete_receive_password_of(account.id).await?;
            }
            tx.delete_sessions_of(account.id, None).await?;
            let letter = password_changed(&unit, &account);
            let mail = stamp.seal(&unit.server_key, account.id, &letter);
            tx.enqueue_mail(&mail).await?;
            let witness = origin.witness(account.id, Who::Anonymous);
            let changed = witness.saw(Action::PasswordChanged, Subject::of(&account.id));
            Ok(tx.append_audit(changed).await?)
        })
        .await?;
    app.mailer.wake.notify_one();
    app.activate.notify_one();
    Ok(())
}

/// Takes a link out, and holds its account.
async fn take(
    tx: &mut Tx,
    digest: &[u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> Result<Account> {
    let found = tx.mailed_link(digest).await?;
    let owner: AccountId = found.ok_or_else(gone)?.account;
    // The account first, as everywhere.
    let held = tx.hold_accounts(owner, owner).await?;
    let link = tx.take_mailed_link(digest).await?;
    let link = link.filter(|it| it.is_for(purpose, now));
    link.ok_or_else(gone)?;
    held.into_iter().next().ok_or_else(gone)
}

/// The same for a link that was used, is too old, is for something else, or never was.
fn gone() -> ApiError {
    let message = "the link has expired or was used; ask for another";
    ApiError::refused(ErrorCode::Gone, message)
}
