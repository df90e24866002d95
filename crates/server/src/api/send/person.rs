//! Sending to a person.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::people::{PersonError, Standing, require_few_strangers};
use agentdrop_domain::plans::Sent;
use agentdrop_domain::transfers::{Recipient, Sealing, Transfer};
use agentdrop_protocol::limits::STRANGER_WINDOW;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{AccountId, ErrorCode, LinkToken, Timestamp, TransferId};
use agentdrop_store::Tx;

use super::sealing::has_envelope;
use crate::api::connections::require_unblocked;
use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::at_rest::Details;
use crate::mail::Letter;
use crate::mail::kinds::{Files, Step, files_for_you};

/// Refuses to send to people for an account whose address may be somebody else's, in whose name
/// they would be written to.
pub(super) fn require_verified(app: &App, from: &Account) -> Result<(), PersonError> {
    if app.is_verified(from) {
        return Ok(());
    }
    Err(PersonError::SenderNotVerified)
}

/// What a person is known by at this moment, and stays so until this unit of work ends.
///
/// Before anything else is held: it holds both accounts, in the order of all who do. Somebody who
/// signs up, or sets a receive password, at this very moment is found by what activates transfers.
pub(in crate::api) async fn hold(
    tx: &mut Tx,
    app: &App,
    owner: AccountId,
    email: &Email,
) -> Result<(Standing, Option<AccountId>)> {
    let found = tx.account_by_email(email).await?;
    // An account that only says that the address is its own is as good as none.
    let found = found.filter(|it| it.email_verified_at.is_some());
    let other = found.map_or(owner, |it| it.id);
    let held = tx.hold_accounts(owner, other).await?;
    let from = held.iter().find(|it| it.id == owner);
    require_verified(app, from.ok_or(ApiError::NotFound)?)?;
    let is_it =
        |it: &&Account| it.email.folded() == email.folded() && it.email_verified_at.is_some();
    let person = held.iter().find(is_it).map(|it| it.id);
    // Of nobody it is asked as well, as if they were the sender, who has blocked nobody so: how
    // long it takes does not tell whether there is somebody.
    let asked = person.unwrap_or(owner);
    let unblocked = require_unblocked(tx, owner, asked).await;
    let password = tx.receive_password_of(asked).await?;
    let Some(person) = person else {
        return Ok((Standing::Stranger, None));
    };
    unblocked?;
    let standing = match password {
        Some(it) => Standing::Enrolled(it.public_key),
        None => Standing::Registered,
    };
    Ok((standing, Some(person)))
}

/// Where a transfer to a person begins, and how it is sealed.
pub(in crate::api) async fn resolve(
    tx: &mut Tx,
    owner: AccountId,
    standing: Standing,
    sealing: Option<&Sealing>,
    sending: Option<&Agent>,
) -> Result<(TransferStatus, Option<Sealing>)> {
    let Some(sealing) = sealing else {
        // The sender's own setting alone: the recipient's is nobody's to ask.
        if tx.is_encryption_required(owner, owner).await? {
            let message = "the account sends only what was encrypted first";
            return Err(ApiError::refused(ErrorCode::EncryptionRequired, message));
        }
        return Ok((standing.status_of(Sent::Plain)?, None));
    };
    let status = standing.status_of(Sent::Sealed)?;
    if sealing.recipient_key.is_some() && sealing.recipient_key != standing.key() {
        return Err(PersonError::KeyChanged.into());
    }
    let sealing = Sealing {
        sender_key: sending.and_then(Agent::keys).map(|it| it.encryption),
        recipient_key: standing.key(),
        recipient_key_version: None,
        ..sealing.clone()
    };
    Ok((status, Some(sealing)))
}

/// Counts a transfer to whom nobody knows, or refuses it. The account is held.
pub(in crate::api) async fn count(
    tx: &mut Tx,
    owner: AccountId,
    transfer: TransferId,
    standing: Standing,
    now: Timestamp,
) -> Result<()> {
    require_few(tx, owner, standing, now).await?;
    // Written for all, and counted for strangers: it takes as long either way.
    Ok(tx.insert_stranger(owner, transfer, standing, now).await?)
}

/// Refuses another transfer to whom nobody knows, if there were too many. The account is held.
pub(in crate::api) async fn require_few(
    tx: &mut Tx,
    owner: AccountId,
    standing: Standing,
    now: Timestamp,
) -> Result<()> {
    // Looked up for all: it takes as long either way.
    let sent = tx.strangers_of(owner, now.minus(STRANGER_WINDOW)).await?;
    if standing == Standing::Stranger {
        require_few_strangers(&sent, now)?;
    }
    Ok(())
}

/// What a person is told of a transfer; nothing yet of one that is about to be activated, of which
/// they are told then, and nothing by a sender of whom they were told often enough.
pub(in crate::api) fn letter(
    app: &App,
    from: &Account,
    transfer: &Transfer,
    said: &Details,
    standing: Standing,
    token: &LinkToken,
) -> Option<Letter> {
    let Recipient::Person { email, .. } = &transfer.recipient else {
        return None;
    };
    // Nobody is written to in the name of an address that may be somebody else's.
    require_verified(app, from).ok()?;
    let step = match (standing, transfer.status) {
        (Standing::Enrolled(_), TransferStatus::PendingRecipient) => return None,
        (Standing::Enrolled(_), _) => Step::Open,
        (Standing::Registered, _) => Step::SetReceivePassword,
        (Standing::Stranger, _) => Step::SignUp,
    };
    if !app.lockout.may_mail_of_files(from.id, email) {
        return None;
    }
    let sizes = transfer.files.iter().map(|it| it.size);
    let mut named: Vec<_> = said.files.iter().map(|it| &it.name).zip(sizes).collect();
    if transfer.sealing.as_ref().is_some_and(has_envelope) {
        // An envelope and numbers, which tell nobody anything.
        named.clear();
    }
    let sent = Files {
        from,
        transfer: transfer.id,
        token,
        is_from_agent: transfer.sender.agent.is_some(),
        sender: &transfer.sender.label,
        named,
        message: said.message.as_ref(),
        expires_at: transfer.expires_at,
    };
    Some(files_for_you(app, email.clone(), &sent, step))
}
