//! Creating a transfer.

pub(in crate::api) mod person;
pub(in crate::api) mod sealing;

use agentdrop_domain::Scope;
use agentdrop_domain::agents::Agent;
use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::people::Standing;
use agentdrop_domain::plans::Sent;
use agentdrop_domain::policy::may_send;
use agentdrop_domain::transfers::{File, Recipient, Sealing, Sender, Transfer};
use agentdrop_protocol::limits::{DEFAULT_DOWNLOADS, MAX_DOWNLOADS};
use agentdrop_protocol::text::{Email, Label, Message};
use agentdrop_protocol::wire::transfers::{self as wire, TransferMode, TransferStatus};
use agentdrop_protocol::{
    AccountId, AgentId, AgentRef, ErrorCode, FileId, Lifetime, Timestamp, TransferId,
};
use agentdrop_store::Tx;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use tracing::Instrument as _;

use crate::api::agents::check_metadata;
use crate::api::allowance::Allowance;
use crate::api::error::{ApiError, Result, share_required};
use crate::api::fields::Fields;
use crate::api::form::{self, Digests};
use crate::api::once::{Answered, Begun, By, Once};
use crate::api::openapi::{Errors, TransferForm};
use crate::api::reach::reach;
use crate::api::transfers::shown;
use crate::app::App;
use crate::at_rest::Details;
use crate::auth::{Caller, count_transfer};
use crate::blob::Staged;
use crate::clock::random;
use crate::mail::Stamp;

/// Takes files in for an agent, or for a person.
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
    let allowance = if once.is_answered(&app).await? {
        allowance.unused()
    } else {
        allowance
    };
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
            blob: None,
            upload: None,
        });
        said.push(file.details);
        staged.push(file.staged);
    }
    let details = Details {
        message: asked.message.clone(),
        metadata: asked.metadata.clone(),
        files: said,
    };
    let sealed = details.seal(&key)?;
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);

    let new = New {
        id,
        wrapped_key,
        sealed,
        details,
        files,
        stamp: Stamp::new(now)?,
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
    /// What is said, encrypted.
    sealed: Vec<u8>,
    details: Details,
    files: Vec<File>,
    /// For the mail to a person.
    stamp: Stamp,
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
    let is_to_person = matches!(asked.recipient, To::Person(_));
    let record = async move |tx: &mut Tx| -> Result<(StatusCode, wire::Transfer)> {
        let owner = caller.actor.account;
        let person = match &asked.recipient {
            To::Agent(_) => None,
            To::Person(email) => Some(person::hold(tx, owner, email).await?),
        };
        let allowance = Allowance::hold(tx, owner, new.now).await?;
        let sent = match asked.sealing {
            Some(_) => Sent::Sealed,
            None => Sent::Plain,
        };
        allowance.require_all(&new.files, sent, asked.lifetime)?;
        let resolved = asked.resolve(tx, &caller, person).await?;
        let expires_at = new.now.plus(asked.lifetime.as_duration());
        let transfer = Transfer {
            id: new.id,
            mode: asked.recipient.mode(),
            sender: resolved.sender,
            recipient: resolved.recipient,
            sealing: resolved.sealing,
            wrapped_key: new.wrapped_key,
            details: new.sealed,
            files: new.files,
            auto_delete: asked.auto_delete,
            max_downloads: asked.max_downloads,
            downloads: 0,
            status: resolved.status,
            bytes_until: Some(expires_at),
            created_at: new.now,
            announced: false,
            expires_at,
            deleted_at: None,
        };
        tx.insert_transfer(&transfer).await?;
        count_transfer(tx, &caller.actor, new.now).await?;
        allowance.count(tx).await?;
        if let Some((standing, _)) = person {
            person::count(tx, owner, transfer.id, standing, new.now).await?;
            let from = tx.account(owner).await?.ok_or(ApiError::NotFound)?;
            if let Some(letter) = person::letter(&of, &from, &transfer, &new.details, standing) {
                let mail = new.stamp.seal(&of.server_key, owner, &letter);
                tx.enqueue_mail(&mail).await?;
            }
        }
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
    let answered = once.write(app, record).await?;
    if is_to_person {
        app.mailer.wake.notify_one();
        // Their key may have come while the files did.
        app.activate.notify_one();
    }
    Ok(answered)
}

/// Whom a form names as its recipient.
#[derive(Clone, Debug)]
pub(in crate::api) enum To {
    Agent(AgentRef),
    Person(Email),
}

impl To {
    pub(in crate::api) const fn mode(&self) -> TransferMode {
        match self {
            Self::Agent(_) => TransferMode::AgentToAgent,
            Self::Person(_) => TransferMode::AgentToHuman,
        }
    }
}

/// Whom and what a form names, found.
pub(in crate::api) struct Resolved {
    pub(in crate::api) sender: Sender,
    pub(in crate::api) recipient: Recipient,
    pub(in crate::api) sealing: Option<Sealing>,
    pub(in crate::api) status: TransferStatus,
}

/// What a form asks for, as far as it can be read without the store.
pub(in crate::api) struct Asked {
    pub(in crate::api) sender: Label,
    pub(in crate::api) recipient: To,
    pub(in crate::api) recipient_account: Option<String>,
    pub(in crate::api) sealing: Option<Sealing>,
    pub(in crate::api) nonces: Vec<Option<String>>,
    pub(in crate::api) message: Option<Message>,
    pub(in crate::api) metadata: Map<String, Value>,
    pub(in crate::api) auto_delete: bool,
    pub(in crate::api) max_downloads: u32,
    pub(in crate::api) lifetime: Lifetime,
}

impl Asked {
    pub(in crate::api) fn read(mut fields: Fields, file_count: usize) -> Result<Self> {
        let sender = fields.required("sender");
        let recipient: Option<String> = fields.required("recipient");
        let mode = fields.optional("mode");
        if mode == Some(TransferMode::HumanToAgent) {
            fields.refuse("mode", "human-to-agent is not served here yet");
        }
        let is_to_person = mode == Some(TransferMode::AgentToHuman);
        if file_count == 0 {
            fields.refuse("files", "is required");
        }
        let sealed = fields.flag("is_encrypted").unwrap_or(false);
        // Its older sibling asks the server to encrypt, which it does anyway.
        fields.flag("encrypted");
        let (sealing, nonces) = if sealed {
            sealing::read(&mut fields, file_count)
        } else {
            (None, vec![])
        };
        if let Some(sealing) = sealing.as_ref().filter(|_| is_to_person) {
            sealing::require_for_person(&mut fields, sealing);
        }
        let person = recipient.as_ref().filter(|_| is_to_person);
        let person = person.and_then(|it| match it.parse::<Email>() {
            Ok(email) => Some(To::Person(email)),
            Err(error) => {
                fields.refuse("recipient", error);
                None
            }
        });
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
            recipient: To::Agent(AgentRef::Slug("-".parse().expect("it is a slug"))),
        };
        fields.check()?;
        if let Some(recipient) = person {
            return Ok(Self { recipient, ..asked });
        }
        // What cannot be an agent's name is the name of no agent.
        let recipient = recipient
            .and_then(|it| it.parse().ok())
            .map(To::Agent)
            .ok_or_else(share_required)?;
        Ok(Self { recipient, ..asked })
    }

    /// Finds who and what the form names, and whether it may be.
    pub(in crate::api) async fn resolve(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        person: Option<(Standing, Option<AccountId>)>,
    ) -> Result<Resolved> {
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
        let (recipient, status, sealing) = match (&self.recipient, person) {
            (To::Person(email), Some((standing, of))) => {
                let (sealing, sending) = (self.sealing.as_ref(), sending.as_ref());
                let resolved = person::resolve(tx, account, standing, sealing, sending).await?;
                let email = email.clone();
                // Of what waits, the other's log is told when it is activated: writing it now would
                // take time that tells of an account.
                let of = of.filter(|_| resolved.0 == TransferStatus::Active);
                (
                    Recipient::Person { email, account: of },
                    resolved.0,
                    resolved.1,
                )
            }
            (To::Person(_), None) => return Err(ApiError::NotFound),
            (To::Agent(named), _) => {
                let (recipient, sealing) = self.agent(tx, caller, named, sending.as_ref()).await?;
                (recipient, TransferStatus::Active, sealing)
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
        Ok(Resolved {
            sender,
            recipient,
            sealing,
            status,
        })
    }

    /// The receiving agent, and how it is sealed for it.
    async fn agent(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        named: &AgentRef,
        sending: Option<&Agent>,
    ) -> Result<(Recipient, Option<Sealing>)> {
        let account = caller.actor.account;
        let recipient = self.receiving(tx, account, named, sending).await?;
        let sealing = match &self.sealing {
            None => {
                require_plain_allowed(tx, account, recipient.account).await?;
                None
            }
            Some(sealing) => {
                Some(sealing::complete(tx, caller, sealing, sending, &recipient).await?)
            }
        };
        let recipient = Recipient::Agent {
            account: recipient.account,
            agent: recipient.id,
            label: recipient.slug.to_string(),
        };
        Ok((recipient, sealing))
    }

    /// The receiving agent, which nobody deletes, and that it shares files with the sender, which
    /// nobody ends, until this unit of work does.
    async fn receiving(
        &self,
        tx: &mut Tx,
        account: AccountId,
        named: &AgentRef,
        sending: Option<&Agent>,
    ) -> Result<Agent> {
        let of = sending.map(|it| it.id);
        let whose = self.recipient_account.as_deref();
        let found = reach(tx, account, of, named, whose).await?;
        let found = found.ok_or_else(share_required)?.agent;
        keep_sharing(tx, account, sending, (found.account, found.id)).await
    }
}

/// An agent, which nobody deletes, and that it shares files with the sender, which nobody ends,
/// until this unit of work does.
pub(in crate::api) async fn keep_sharing(
    tx: &mut Tx,
    account: AccountId,
    sending: Option<&Agent>,
    (theirs, id): (AccountId, AgentId),
) -> Result<Agent> {
    let recipient = tx.keep_agent_of(theirs, &AgentRef::Id(id)).await?;
    let recipient = recipient.ok_or_else(share_required)?;
    if recipient.account != account {
        // Across accounts only an agent sends: a label is paired with nobody.
        let sending = sending.ok_or_else(share_required)?;
        let pairing = tx.keep_active_pairing(sending.id, recipient.id).await?;
        may_send(sending, &recipient, pairing.as_ref())?;
    }
    Ok(recipient)
}

/// Refuses what its sender did not encrypt, if one of the two accounts takes no such thing.
pub(in crate::api) async fn require_plain_allowed(
    tx: &mut Tx,
    account: AccountId,
    other: AccountId,
) -> Result<()> {
    if tx.is_encryption_required(account, other).await? {
        let message = "one of the two accounts takes only what its sender encrypted";
        return Err(ApiError::refused(ErrorCode::EncryptionRequired, message));
    }
    Ok(())
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
