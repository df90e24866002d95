//! Creating a transfer.

use agentdrop_domain::Scope;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::plans::Sent;
use agentdrop_domain::policy::may_send;
use agentdrop_domain::transfers::{File, Recipient, Sealing, Sender, Transfer};
use agentdrop_protocol::limits::{DEFAULT_DOWNLOADS, MAX_DOWNLOADS};
use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::wire::channels::ChannelStatus;
use agentdrop_protocol::wire::transfers::{self as wire, TransferMode, TransferStatus};
use agentdrop_protocol::{
    AccountId, AgentRef, ChannelId, ErrorCode, FileId, Lifetime, Timestamp, TransferId,
};
use agentdrop_store::Tx;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use tracing::Instrument as _;

use super::agents::check_metadata;
use super::allowance::Allowance;
use super::error::{ApiError, Result, share_required};
use super::fields::Fields;
use super::form::{self, Digests};
use super::once::{Answered, Begun, By, Once};
use super::openapi::{Errors, TransferForm};
use super::reach::reach;
use super::transfers::shown;
use crate::app::App;
use crate::at_rest::Details;
use crate::auth::Caller;
use crate::blob::Staged;
use crate::clock::random;

/// Longest name of an algorithm.
const MAX_ALGORITHM_CHARS: usize = 64;
/// Longest wrapped key or signature, in base64.
const MAX_SEALING_CHARS: usize = 4_096;
/// Bytes of a salt.
const SALT: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;

/// Takes files in for an agent.
///
/// Whoever can should encrypt them first, as every client does. What is not encrypted by its
/// sender is encrypted by the server before it is stored.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "transfers", operation_id = "transfers_create",
    params(Once),
    request_body(content = TransferForm, content_type = "multipart/form-data"),
    responses((status = 201, body = wire::Transfer), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Answered> {
    let (parts, body) = request.into_parts();
    // A second one is refused before its files come.
    let mut once = Once::of(&parts)?.begin(&app, By::from(&caller))?;
    let request = Request::from_parts(parts, body);
    let digests = if once.is_named() {
        Digests::Wanted
    } else {
        Digests::Unwanted
    };
    let id = TransferId::new(app.clock.now(), random()?);
    let (key, wrapped_key) = app.server_key.new_transfer_key(id)?;
    // Before a body is asked for that is to be thrown away; what others send meanwhile is counted
    // where the transfer is written down.
    let owner = caller.actor.account;
    let allowance = Allowance::of(&mut app.store.read().await?, owner, app.clock.now()).await?;
    allowance.require_transfer()?;
    let form = form::read(&app, &key, &allowance, request, digests).await?;
    form.tell(&mut once);
    let now = app.clock.now();
    let asked = Asked::read(form.fields, form.files.len())?;

    let mut files = Vec::with_capacity(form.files.len());
    let (mut staged, mut said) = (Vec::new(), Vec::new());
    for (position, file) in form.files.into_iter().enumerate() {
        files.push(File {
            id: FileId::new(now, random()?),
            size: file.size,
            at_rest: file.at_rest,
            nonce: asked.nonces.get(position).cloned().flatten(),
        });
        said.push(file.details);
        staged.push(file.staged);
    }
    let details = Details {
        message: asked.message.clone(),
        metadata: asked.metadata.clone(),
        files: said,
    };
    let details = details.seal(&key)?;
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);

    let new = New {
        id,
        wrapped_key,
        details,
        files,
        now,
    };
    // In a task of its own, which comes to its end even if the caller goes away: left off between
    // the two steps it would leave bytes that nobody knows of.
    let keeping = {
        let app = app.clone();
        async move {
            let answered = keep(&app, caller, asked, new, staged, once).await;
            // Where the database went away during the commit, the transfer may be kept all the same;
            // if it is not, the next start finds bytes without a transfer.
            let in_doubt = matches!(&answered, Err(ApiError::Broken(ErrorCode::Unavailable, _)));
            // Where an earlier request had the effect, these bytes are there a second time.
            let kept = answered.as_ref().is_ok_and(|it| !it.replayed);
            if !kept
                && !in_doubt
                && let Err(error) = app.blobs.delete(id, count).await
            {
                tracing::warn!(%error, transfer = %id, "the bytes of a refused transfer are still there");
            }
            answered
        }
    };
    let answered = tokio::spawn(keeping.in_current_span()).await;
    answered.map_err(|error| ApiError::Internal(error.into()))?
}

/// What the server adds to a form.
struct New {
    id: TransferId,
    wrapped_key: Vec<u8>,
    details: Vec<u8>,
    files: Vec<File>,
    now: Timestamp,
}

/// Puts the files where they are read, and writes the transfer down.
///
/// A crash between the two leaves blobs without a row, which the next start deletes.
async fn keep(
    app: &App,
    caller: Caller,
    asked: Asked,
    new: New,
    staged: Vec<Staged>,
    once: Begun,
) -> Result<Answered> {
    app.blobs.keep(new.id, staged).await?;
    let of = app.clone();
    let record = async move |tx: &mut Tx| -> Result<(StatusCode, wire::Transfer)> {
        let allowance = Allowance::hold(tx, caller.actor.account, new.now).await?;
        let sent = match asked.sealing {
            Some(_) => Sent::Sealed,
            None => Sent::Plain,
        };
        allowance.require_all(&new.files, sent, asked.lifetime)?;
        let (sender, recipient, sealing) = asked.resolve(tx, &caller).await?;
        let expires_at = new.now.plus(asked.lifetime.as_duration());
        let transfer = Transfer {
            id: new.id,
            mode: TransferMode::AgentToAgent,
            sender,
            recipient,
            sealing,
            wrapped_key: new.wrapped_key,
            details: new.details,
            files: new.files,
            auto_delete: asked.auto_delete,
            max_downloads: asked.max_downloads,
            downloads: 0,
            status: TransferStatus::Active,
            bytes_until: Some(expires_at),
            created_at: new.now,
            expires_at,
            deleted_at: None,
        };
        tx.insert_transfer(&transfer).await?;
        if let Some(key) = caller.actor.credential.key() {
            tx.count_transfer(key).await?;
        }
        allowance.count(tx).await?;
        let (witness, sent) = (caller.witness.at(new.now), Subject::of(&new.id));
        let other = transfer.recipient.account();
        let received = other.and_then(|it| {
            let received = Action::TransferReceived;
            witness.told(it, received, sent.clone())
        });
        let seen = witness.saw(Action::TransferCreated, sent);
        tx.append_audit(seen.into_iter().chain(received)).await?;
        Ok((StatusCode::CREATED, shown(&of, transfer, new.now)?))
    };
    once.write(app, record).await
}

/// What a form asks for, as far as it can be read without the store.
struct Asked {
    sender: Label,
    recipient: AgentRef,
    recipient_account: Option<String>,
    sealing: Option<Sealing>,
    nonces: Vec<Option<String>>,
    message: Option<Message>,
    metadata: Map<String, Value>,
    auto_delete: bool,
    max_downloads: u32,
    lifetime: Lifetime,
}

impl Asked {
    fn read(mut fields: Fields, file_count: usize) -> Result<Self> {
        let sender = fields.required("sender");
        let recipient: Option<String> = fields.required("recipient");
        match fields.optional("mode") {
            None | Some(TransferMode::AgentToAgent) => {}
            Some(mode) => fields.refuse("mode", format_args!("{mode} is not served here yet")),
        }
        if file_count == 0 {
            fields.refuse("files", "is required");
        }
        let sealed = fields.flag("is_encrypted").unwrap_or(false);
        // Its older sibling asks the server to encrypt, which it does anyway.
        fields.flag("encrypted");
        let (sealing, nonces) = if sealed {
            read_sealing(&mut fields, file_count)
        } else {
            (None, vec![])
        };
        let asked = Self {
            sealing,
            nonces,
            recipient_account: fields.text("recipient_account"),
            message: fields.optional("message"),
            metadata: read_metadata(&mut fields),
            auto_delete: fields.flag("auto_delete").unwrap_or(false),
            max_downloads: fields
                .number("max_downloads", 1, MAX_DOWNLOADS)
                .unwrap_or(DEFAULT_DOWNLOADS),
            lifetime: fields.optional("expires_in").unwrap_or_default(),
            // Replaced below; a missing one has been refused by then.
            sender: sender.unwrap_or_else(|| "-".parse().expect("it is a label")),
            recipient: AgentRef::Slug("-".parse().expect("it is a slug")),
        };
        fields.check()?;
        // What cannot be an agent's name is the name of no agent.
        let recipient = recipient
            .and_then(|it| it.parse().ok())
            .ok_or_else(share_required)?;
        Ok(Self { recipient, ..asked })
    }

    /// Finds who and what the form names, and whether it may be.
    async fn resolve(
        &self,
        tx: &mut Tx,
        caller: &Caller,
    ) -> Result<(Sender, Recipient, Option<Sealing>)> {
        let account = caller.actor.account;
        let sending = match self.sender.as_str().parse::<AgentRef>() {
            Ok(named) => tx.keep_agent_of(account, &named).await?,
            Err(_) => None,
        };
        if let (Scope::Agent(_), None) = (caller.actor.scope, &sending) {
            let message = "a key of one agent sends as that agent; `sender` names another";
            return Err(ApiError::refused(ErrorCode::ScopeMismatch, message));
        }
        if let Some(agent) = &sending {
            caller.actor.require_agent(agent)?;
        }
        let recipient = self.recipient(tx, account, sending.as_ref()).await?;
        let sealing = match &self.sealing {
            None if tx
                .is_encryption_required(account, recipient.account)
                .await? =>
            {
                let message = "one of the two accounts takes only what its sender encrypted";
                return Err(ApiError::refused(ErrorCode::EncryptionRequired, message));
            }
            None => None,
            Some(sealing) => {
                Some(complete(tx, caller, sealing, sending.as_ref(), &recipient).await?)
            }
        };
        let label = match &sending {
            Some(agent) => agent.slug.as_str().parse().expect("a slug is a label"),
            None => self.sender.clone(),
        };
        let sender = Sender {
            account,
            agent: sending.map(|it| it.id),
            label,
            credential: caller.actor.credential,
        };
        let recipient = Recipient::Agent {
            account: recipient.account,
            agent: recipient.id,
            label: recipient.slug.to_string(),
        };
        Ok((sender, recipient, sealing))
    }

    /// The receiving agent, which nobody deletes, and that it shares files with the sender, which
    /// nobody ends, until this unit of work does.
    async fn recipient(
        &self,
        tx: &mut Tx,
        account: AccountId,
        sending: Option<&Agent>,
    ) -> Result<Agent> {
        let of = sending.map(|it| it.id);
        let whose = self.recipient_account.as_deref();
        let found = reach(tx, account, of, &self.recipient, whose).await?;
        let found = found.ok_or_else(share_required)?.agent;
        let named = AgentRef::Id(found.id);
        let recipient = tx.keep_agent_of(found.account, &named).await?;
        let recipient = recipient.ok_or_else(share_required)?;
        if recipient.account != account {
            // Across accounts only an agent sends: a label is paired with nobody.
            let sending = sending.ok_or_else(share_required)?;
            let pairing = tx.keep_active_pairing(sending.id, recipient.id).await?;
            may_send(sending, &recipient, pairing.as_ref())?;
        }
        Ok(recipient)
    }
}

/// Checks the channel, and adds the keys of this time, so that it opens after they have changed.
async fn complete(
    tx: &mut Tx,
    caller: &Caller,
    sealing: &Sealing,
    sending: Option<&Agent>,
    recipient: &Agent,
) -> Result<Sealing> {
    if let Some(id) = sealing.channel {
        let channel = tx.channel_of(caller.actor.account, id).await?;
        let usable = channel.filter(|it| {
            it.status() == ChannelStatus::Active
                && it.is_between(recipient.id)
                && sending.is_some_and(|agent| it.is_between(agent.id))
        });
        if usable.is_none() {
            let message = "is not an active channel between the sender and the recipient";
            return Err(ApiError::invalid("channel_id", message));
        }
    }
    let keys = recipient.keys();
    let version = keys.map(|_| recipient.key_version);
    // The recipient could not open what was sealed for a key that it has no more.
    if sealing.recipient_key_version.is_some() && sealing.recipient_key_version != version {
        let message = "the recipient has another key now; ask for it, and encrypt for that one";
        return Err(ApiError::refused(ErrorCode::KeyChanged, message));
    }
    Ok(Sealing {
        sender_key: sending.and_then(Agent::keys).map(|it| it.encryption),
        recipient_key: keys.map(|it| it.encryption),
        recipient_key_version: version,
        ..sealing.clone()
    })
}

fn read_sealing(fields: &mut Fields, file_count: usize) -> (Option<Sealing>, Vec<Option<String>>) {
    let algorithm = fields.text("encryption_algorithm").filter(|it| {
        let good = it.len() <= MAX_ALGORITHM_CHARS && it.bytes().all(|it| it.is_ascii_graphic());
        if !good {
            fields.refuse(
                "encryption_algorithm",
                "must be at most 64 printable characters",
            );
        }
        good
    });
    let sealing = Sealing {
        algorithm,
        encrypted_key: base64(fields, "encrypted_key", None),
        channel: fields.optional::<ChannelId>("channel_id"),
        salt: base64(fields, "encryption_salt", Some(SALT)),
        signature: base64(fields, "sender_signature", None),
        recipient_key_version: fields.number("recipient_key_version", 1, i32::MAX.cast_unsigned()),
        ..Sealing::default()
    };
    (Some(sealing), nonces(fields, file_count))
}

/// A JSON array with a nonce for each file, in the order of the files.
fn nonces(fields: &mut Fields, file_count: usize) -> Vec<Option<String>> {
    let Some(text) = fields.text("encryption_ivs") else {
        return vec![None; file_count];
    };
    let nonces: Vec<Option<String>> = serde_json::from_str(&text).unwrap_or_default();
    let good = |it: &Option<String>| it.as_ref().is_none_or(|it| is_base64(it, Some(NONCE)));
    if nonces.len() != file_count || !nonces.iter().all(good) {
        let message = "must be a JSON array with the base64 of 12 bytes for each file";
        fields.refuse("encryption_ivs", message);
    }
    nonces
}

fn base64(fields: &mut Fields, name: &str, length: Option<usize>) -> Option<String> {
    let text = fields.text(name)?;
    if !is_base64(&text, length) {
        let bytes = length.map_or_else(String::new, |it| format!(" of {it} bytes"));
        fields.refuse(name, format_args!("must be base64{bytes}"));
    }
    Some(text)
}

fn is_base64(text: &str, length: Option<usize>) -> bool {
    let fits = |it: Vec<u8>| length.is_none_or(|length| it.len() == length);
    text.len() <= MAX_SEALING_CHARS && STANDARD.decode(text).is_ok_and(fits)
}

fn read_metadata(fields: &mut Fields) -> Map<String, Value> {
    let Some(text) = fields.text("metadata") else {
        return Map::new();
    };
    match serde_json::from_str(&text) {
        Ok(metadata) if check_metadata("metadata", &metadata).is_ok() => metadata,
        _ => {
            fields.refuse(
                "metadata",
                "must be a JSON object of at most 16384 bytes without NUL",
            );
            Map::new()
        }
    }
}
