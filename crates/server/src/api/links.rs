//! Mailed links by which people open what they were sent, without an account at hand.
//!
//! Whoever has a link may do with its one transfer what whoever it is for may: see it and fetch it.
//! What they fetch is encrypted, and a receive password opens it.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::audit::{Action, Subject, Who};
use agentdrop_domain::links::{LinkError, next_step, require_open, require_told};
use agentdrop_domain::people::Standing;
use agentdrop_domain::receive_passwords::ReceivePassword;
use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::links::{self as wire, LinkedTransfer, NextStep, SenderAccount};
use agentdrop_protocol::wire::transfers::{Acknowledge, Delivery};
use agentdrop_protocol::{AccountId, DownloadId, LinkToken, Timestamp};
use agentdrop_store::Reader;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;

use super::downloads::{Holder, end, granted, take};
use super::error::{ApiError, Result};
use super::extract::{Body, Path};
use super::openapi::Errors;
use super::receive_passwords;
use super::transfers::shown;
use crate::app::App;
use crate::audit::Origin;
use crate::auth::{Anonymous, Caller, digest_of};
use crate::clock::random;

/// What stands in the path of a request; no more of it is kept than what the store knows it by.
pub(crate) struct Link([u8; 32]);

impl Link {
    fn new(token: &LinkToken) -> Self {
        Self(digest_of(token.as_key()))
    }
}

impl FromRequestParts<App> for Link {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        // Read here, and not on the way: what cannot be read of a path may be written to a log.
        let Path(text) = Path::<String>::from_request_parts(parts, app).await?;
        let token = text.parse().map_err(|_| ApiError::NotFound)?;
        Ok(Self::new(&token))
    }
}

/// What a link leads to.
struct Found {
    transfer: Transfer,
    from: Account,
    standing: Standing,
    receive_password: Option<ReceivePassword>,
}

/// Shows what a mailed link leads to, and what to do next. It takes no download.
#[utoipa::path(
    get, path = "/v1/d/{token}", tag = "links", operation_id = "links_show", security(()),
    params(("token" = LinkToken, Path, description = "What stands behind the `#` of the link")),
    responses((status = 200, body = wire::Link), Errors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    _: Anonymous,
    link: Link,
) -> Result<Json<wire::Link>> {
    let now = app.clock.now();
    let mut reader = app.store.read().await?;
    let transfer = reader.linked_transfer(&link.0).await?;
    let transfer = transfer.ok_or(LinkError::Gone)?;
    require_open(&transfer, now)?;
    let found = find(&mut reader, transfer).await?;
    drop(reader);
    let next_step = next_step(&found.transfer, found.standing, now)?;
    let sealing = found.transfer.sealing.clone().unwrap_or_default();
    // Another key opens nothing here.
    let opens = |it: &ReceivePassword| {
        next_step == NextStep::Open && sealing.recipient_key == Some(it.public_key)
    };
    let receive_password = found.receive_password.filter(opens);
    let transfer = LinkedTransfer {
        sender_account: SenderAccount {
            name: found.from.name,
            email: found.from.email,
        },
        downloads_remaining: found.transfer.max_downloads - found.transfer.downloads,
        encrypted_key: sealing.encrypted_key,
        recipient_public_key: sealing.recipient_key,
        transfer: shown(&app, found.transfer, now)?,
    };
    Ok(Json(wire::Link {
        transfer,
        next_step,
        receive_password: receive_password.map(receive_passwords::shown),
    }))
}

/// Takes one of the downloads that the transfer of a mailed link allows: answers where its files
/// are.
#[utoipa::path(
    post, path = "/v1/d/{token}/downloads", tag = "links", operation_id = "links_download",
    security(()),
    params(("token" = LinkToken, Path, description = "What stands behind the `#` of the link")),
    responses((status = 200, body = Download), Errors)
)]
pub(crate) async fn download(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    link: Link,
) -> Result<Json<Download>> {
    let now = app.clock.now();
    let id = DownloadId::new(now, random()?);
    let taken = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        let transfer = tx.hold_linked_transfer(&link.0).await?;
        let transfer = transfer.ok_or(LinkError::Gone)?;
        require_open(&transfer, now)?;
        let found = find(tx, transfer).await?;
        if next_step(&found.transfer, found.standing, now)? != NextStep::Open {
            return Err(LinkError::NotReady.into());
        }
        let by = holder(origin, &found.transfer)?;
        take(tx, found.transfer, by, id, now).await
    };
    let (transfer, download) = app.store.write(taken).await?;
    Ok(Json(granted(&app, transfer, &download).await?))
}

/// Says how a download of the transfer ended; the sender sees it.
#[utoipa::path(
    post, path = "/v1/d/{token}/ack", tag = "links", operation_id = "links_acknowledge",
    security(()),
    params(("token" = LinkToken, Path, description = "What stands behind the `#` of the link")),
    request_body = Acknowledge, responses((status = 200, body = Delivery), Errors)
)]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    origin: Origin,
    _: Anonymous,
    link: Link,
    Body(body): Body<Acknowledge>,
) -> Result<Json<Delivery>> {
    let now = app.clock.now();
    let ended = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        let transfer = tx.hold_linked_transfer(&link.0).await?;
        let transfer = transfer.ok_or(LinkError::Gone)?;
        require_told(&transfer, now)?;
        let found = find(tx, transfer).await?;
        let by = holder(origin, &found.transfer)?;
        end(tx, found.transfer, &by, body, now).await
    };
    let delivery = app.store.write(ended).await?;
    app.sweep.notify_one();
    Ok(Json(delivery))
}

/// Shows that the address of the account is its owner's, in a session: whoever has the link has read
/// a mail to that address.
#[utoipa::path(
    post, path = "/v1/d/{token}/verify", tag = "links", operation_id = "links_verify",
    params(("token" = LinkToken, Path, description = "What stands behind the `#` of the link")),
    responses((status = 200, body = Done), Errors)
)]
pub(crate) async fn verify(
    State(app): State<App>,
    caller: Caller,
    link: Link,
) -> Result<Json<Done>> {
    let (owner, now) = (caller.actor.account, app.clock.now());
    let verified = async move |tx: &mut agentdrop_store::Tx| -> Result<_> {
        let held = tx.hold_accounts(owner, owner).await?;
        let account = held.into_iter().next().ok_or(ApiError::NotFound)?;
        // A link to what is for another is no link, to whoever asks here.
        if !invites(tx, &link, &account.email, now).await? {
            return Err(ApiError::NotFound);
        }
        caller.actor.require_account()?;
        caller.actor.require_session()?;
        if tx.verify_email(owner, now).await? > 0 {
            let seen = Subject::of(&owner);
            tx.append_audit(caller.witness.saw(Action::AccountVerified, seen))
                .await?;
        }
        Ok(())
    };
    app.store.write(verified).await?;
    app.activate.notify_one();
    Ok(Json(Done {
        message: "The address is verified".to_owned(),
    }))
}

/// Whether a link leads to what can still be opened, and is for whoever has this address.
pub(super) async fn is_invited(
    reader: &mut Reader,
    token: &LinkToken,
    email: &Email,
    now: Timestamp,
) -> Result<bool> {
    invites(reader, &Link::new(token), email, now).await
}

async fn invites(reader: &mut Reader, link: &Link, email: &Email, now: Timestamp) -> Result<bool> {
    let Some(transfer) = reader.linked_transfer(&link.0).await? else {
        return Ok(false);
    };
    let is_theirs = match &transfer.recipient {
        Recipient::Agent { .. } => false,
        Recipient::Person { email: to, .. } => to.folded() == email.folded(),
    };
    if !is_theirs || require_open(&transfer, now).is_err() {
        return Ok(false);
    }
    match find(reader, transfer).await {
        Ok(_) => Ok(true),
        Err(ApiError::Refused(..)) => Ok(false),
        Err(broken) => Err(broken),
    }
}

/// What is known of a transfer that a link leads to. Of one that is blocked by now nothing is.
async fn find(reader: &mut Reader, transfer: Transfer) -> Result<Found> {
    let from = reader.account(transfer.sender.account).await?;
    let from = from.ok_or(LinkError::Gone)?;
    let (mut standing, mut receive_password) = (Standing::Stranger, None);
    if let Some(person) = transfer.recipient.account() {
        if reader.is_blocked(from.id, person).await? {
            return Err(LinkError::Gone.into());
        }
        receive_password = reader.receive_password_of(person).await?;
        standing = match &receive_password {
            Some(it) => Standing::Enrolled(it.public_key),
            None => Standing::Registered,
        };
    }
    Ok(Found {
        transfer,
        from,
        standing,
        receive_password,
    })
}

/// Whoever has a link, as those for whom its transfer is; their log says that they showed no
/// credential.
fn holder(origin: Origin, transfer: &Transfer) -> Result<Holder, LinkError> {
    // What can be opened is encrypted for somebody, and goes with their account.
    let account: AccountId = transfer.recipient.account().ok_or(LinkError::Gone)?;
    Ok(Holder {
        account,
        agent: None,
        witness: origin.witness(account, Who::Anonymous),
        unused: None,
    })
}
