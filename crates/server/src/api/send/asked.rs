//! What a form asks for, and whether it may be.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::people::Standing;
use agentdrop_domain::policy::{may_person_send, may_send};
use agentdrop_domain::transfers::{Recipient, Sealing, Sender};
use agentdrop_domain::{Actor, Scope};
use agentdrop_protocol::limits::{
    DEFAULT_DOWNLOADS, MAX_CLOCK_LEAD, MAX_DOWNLOADS, MAX_FILES, MAX_ID_AGE, MAX_LABEL_CHARS,
};
use agentdrop_protocol::text::{Email, Label, Message};
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{
    AccountId, AgentId, AgentRef, ErrorCode, Lifetime, Timestamp, TransferId,
};
use agentdrop_store::Tx;
use serde_json::{Map, Value};

use super::{native, person, sealing};
use crate::api::agents::check_metadata;
use crate::api::error::{ApiError, Result, share_required};
use crate::api::fields::Fields;
use crate::api::reach::reach;
use crate::auth::Caller;

/// Whom a form names as its recipient.
#[derive(Clone, Debug)]
pub(in crate::api) enum To {
    Agent(AgentRef),
    Person(Email),
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
    /// The id that its sender gave it.
    pub(in crate::api) id: Option<TransferId>,
    pub(in crate::api) mode: TransferMode,
    /// Nothing said is what a person who sends is known by.
    sender: Option<Label>,
    pub(in crate::api) recipient: To,
    recipient_account: Option<String>,
    pub(in crate::api) sealing: Option<Sealing>,
    pub(in crate::api) nonces: Vec<Option<String>>,
    pub(in crate::api) message: Option<Message>,
    pub(in crate::api) metadata: Map<String, Value>,
    pub(in crate::api) auto_delete: bool,
    pub(in crate::api) max_downloads: u32,
    pub(in crate::api) lifetime: Lifetime,
}

impl Asked {
    pub(in crate::api) fn read(
        mut fields: Fields,
        file_count: usize,
        now: Timestamp,
    ) -> Result<Self> {
        let id = read_id(&mut fields, now);
        let mode = fields
            .optional("mode")
            .unwrap_or(TransferMode::AgentToAgent);
        let is_from_person = mode == TransferMode::HumanToAgent;
        let sender = if is_from_person {
            fields.optional("sender")
        } else {
            fields.required("sender")
        };
        let recipient: Option<String> = fields.required("recipient");
        let is_to_person = mode == TransferMode::AgentToHuman;
        if file_count == 0 {
            fields.refuse("files", "is required");
        }
        let sealed = fields.flag("is_encrypted").unwrap_or(false);
        // Its older sibling asks the server to encrypt, which it does anyway.
        fields.flag("encrypted");
        let sender_key = sealing::sender_key(&mut fields, is_from_person && sealed);
        let (mut sealing, nonces) = if sealed {
            sealing::read(&mut fields, file_count)
        } else {
            native::require_said(&mut fields);
            (None, vec![])
        };
        if let Some(sealing) = &mut sealing {
            sealing.sender_key = sender_key;
            match mode {
                TransferMode::AgentToAgent if native::is_native(sealing) => {
                    native::require_fields(&mut fields, id, file_count);
                }
                TransferMode::AgentToAgent => {}
                TransferMode::AgentToHuman => sealing::require_for_person(&mut fields, sealing),
                TransferMode::HumanToAgent => {
                    sealing::require_from_person(&mut fields, sealing, &nonces);
                }
            }
        }
        let person = recipient.as_ref().filter(|_| is_to_person);
        let person = person.and_then(|it| match it.parse::<Email>() {
            Ok(email) => Some(To::Person(email)),
            Err(error) => {
                fields.refuse("recipient", error);
                None
            }
        });
        let has_envelope = sealing.as_ref().is_some_and(sealing::has_envelope);
        if file_count > MAX_FILES + usize::from(has_envelope) {
            fields.refuse("files", format_args!("must be at most {MAX_FILES}"));
        }
        let asked = Self {
            id,
            mode,
            sender,
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
            // Replaced below.
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

    /// Refuses a key where a person is to send: what comes from people comes from them alone.
    pub(in crate::api) fn require_sender(&self, actor: &Actor) -> Result<()> {
        if self.mode == TransferMode::HumanToAgent {
            actor.require_session()?;
        }
        Ok(())
    }

    /// Finds who and what the form names, and whether it may be.
    pub(in crate::api) async fn resolve(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        person: Option<(Standing, Option<AccountId>)>,
    ) -> Result<Resolved> {
        let account = caller.actor.account;
        let named = self.sender.as_ref().and_then(|it| it.as_str().parse().ok());
        let sending = match named.filter(|_| self.mode != TransferMode::HumanToAgent) {
            Some(named) => tx.keep_agent_of(account, &named).await?,
            None => None,
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
                let recipient = Recipient::Person { email, account: of };
                (recipient, resolved.0, resolved.1)
            }
            (To::Person(_), None) => return Err(ApiError::NotFound),
            (To::Agent(named), _) => {
                let (recipient, sealing) = self.agent(tx, caller, named, sending.as_ref()).await?;
                (recipient, TransferStatus::Active, sealing)
            }
        };
        let label = match (&sending, &self.sender) {
            (Some(agent), _) => agent.slug.as_str().parse().expect("a slug is a label"),
            (None, Some(label)) => label.clone(),
            (None, None) => {
                let from = tx.account(account).await?.ok_or(ApiError::NotFound)?;
                label_of(&from.email)
            }
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
        keep_sharing(tx, self.mode, account, sending, (found.account, found.id)).await
    }
}

/// An agent, which nobody deletes, and that it shares files with the sender, which nobody ends,
/// until this unit of work does.
pub(in crate::api) async fn keep_sharing(
    tx: &mut Tx,
    mode: TransferMode,
    account: AccountId,
    sending: Option<&Agent>,
    (theirs, id): (AccountId, AgentId),
) -> Result<Agent> {
    let recipient = tx.keep_agent_of(theirs, &AgentRef::Id(id)).await?;
    let recipient = recipient.ok_or_else(share_required)?;
    if mode == TransferMode::HumanToAgent {
        let pairings = tx.keep_active_pairings_with(account, recipient.id).await?;
        may_person_send(account, &recipient, &pairings)?;
    } else if recipient.account != account {
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

/// What a person is known by: their address, as far as there is room for it.
fn label_of(email: &Email) -> Label {
    let room: String = email.as_str().chars().take(MAX_LABEL_CHARS).collect();
    room.parse().expect("an address is printable")
}

/// The id that a sender gave its transfer, to bind what it encrypts to it.
///
/// Lists are in the order of ids, so it has to be one of about now.
fn read_id(fields: &mut Fields, now: Timestamp) -> Option<TransferId> {
    let text = fields.text("transfer_id")?;
    let Ok(id) = format!("tr_{text}").parse::<TransferId>() else {
        fields.refuse("transfer_id", "must be 32 lower-case hex digits");
        return None;
    };
    let around_now = now.minus(MAX_ID_AGE)..=now.plus(MAX_CLOCK_LEAD);
    if !id.made_at().is_some_and(|it| around_now.contains(&it)) {
        let message = "must be a UUID of version 7 of the last 24 hours; check the clock";
        fields.refuse("transfer_id", message);
    }
    Some(id)
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
