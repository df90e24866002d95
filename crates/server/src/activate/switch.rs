//! A waiting transfer's row, switched to the bytes that are for its recipient.

use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{AccountId, EncryptionPublicKey};
use agentdrop_store::Tx;

use super::seal::Sealed;
use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::auth::digest_of;
use crate::mail::kinds::{Files, Step, files_for_you};

/// What became of a row that was to be switched.
pub(super) enum Switched {
    /// Its recipient has it.
    Active,
    /// It waited for somebody who wants nothing of its sender, and is over.
    Ended,
    /// It is another by now, or for another.
    Not,
}

/// Whether a transfer still waits, as it was read; whoever was about to change it is waited for.
pub(super) async fn still_waits(app: &App, transfer: &Transfer) -> Result<bool> {
    let (owner, id) = (transfer.sender.account, transfer.id);
    let hold = async move |tx: &mut Tx| -> Result<_> { Ok(tx.hold_transfer_of(owner, id).await?) };
    let found = app.store.write(hold).await?;
    Ok(found.is_some_and(|it| {
        it.status == TransferStatus::PendingRecipient && it.wrapped_key == transfer.wrapped_key
    }))
}

impl Sealed {
    /// Switches the row to the new bytes, unless it is none any more that waits, or for another key.
    pub(super) async fn switch(
        self,
        tx: &mut Tx,
        app: &App,
        transfer: &Transfer,
        person: AccountId,
        key: EncryptionPublicKey,
    ) -> Result<Switched> {
        let (id, sender, now) = (transfer.id, transfer.sender.account, app.clock.now());
        let held = tx.hold_accounts(sender, person).await?;
        let password = tx.receive_password_of(person).await?;
        let waiting = tx.hold_transfer_of(sender, id).await?;
        let (Some(waiting), Some(from)) = (waiting, held.iter().find(|it| it.id == sender)) else {
            return Ok(Switched::Not);
        };
        let is_theirs = waiting.recipient.account() == Some(person);
        if !is_theirs || password.is_none_or(|it| it.public_key != key) {
            return Ok(Switched::Not);
        }
        // Blocked while the address did not count as theirs yet, or it would have ended then.
        if person != sender && tx.is_blocked(sender, person).await? {
            let Ok(ended) = waiting.delete(now) else {
                return Ok(Switched::Not);
            };
            tx.update_transfer(&ended).await?;
            return Ok(Switched::Ended);
        }
        // Of what it was made of, it is another one now.
        if waiting.wrapped_key != transfer.wrapped_key {
            return Ok(Switched::Not);
        }
        let Ok(active) = waiting.activate(self.sealing, self.files, now) else {
            return Ok(Switched::Not);
        };
        let active = Transfer {
            wrapped_key: self.wrapped_key,
            details: self.details,
            ..active
        };
        tx.update_transfer_contents(&active).await?;
        tx.delete_parts(id).await?;
        tx.delete_small_bodies(id).await?;
        tx.insert_small_bodies(id, &self.small).await?;
        let sizes = transfer.files.iter().map(|it| it.size);
        let sent = Files {
            from,
            transfer: id,
            token: &self.token,
            is_from_agent: active.sender.agent.is_some(),
            sender: &active.sender.label,
            named: self
                .said
                .files
                .iter()
                .map(|it| &it.name)
                .zip(sizes)
                .collect(),
            message: self.said.message.as_ref(),
            expires_at: active.expires_at,
        };
        let to: Email = active
            .recipient
            .label()
            .parse()
            .map_err(|_| ApiError::NotFound)?;
        // Nobody is written to in the name of an address that may be somebody else's; what waits was
        // sent before that was refused.
        if app.is_verified(from) && app.lockout.may_mail_of_ready_files(sender, &to) {
            let letter = files_for_you(app, to, &sent, Step::Open);
            tx.insert_transfer_link(&digest_of(self.token.as_key()), id, now)
                .await?;
            let mail = self.stamp.seal(&app.server_key, sender, &letter);
            tx.enqueue_mail(&mail).await?;
        }
        // Told now, and not when it was sent, which would have taken time that tells of an account.
        let told = |account, action, by| NewEntry {
            account,
            at: now,
            action,
            who: Who::Account(by),
            address: None,
            request_id: None,
            subject: Subject::of(&id),
        };
        let activated = told(sender, Action::TransferActivated, person);
        let received = told(person, Action::TransferReceived, sender);
        let received = (person != sender).then_some(received);
        tx.append_audit([activated].into_iter().chain(received))
            .await?;
        Ok(Switched::Active)
    }
}
