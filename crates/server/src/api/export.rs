//! All that is an account's, as one JSON object.

use agentdrop_domain::channels::Channel;
use agentdrop_domain::connections::Connection;
use agentdrop_domain::pairings::Pairing;
use agentdrop_protocol::{AccountId, Timestamp};
use agentdrop_store::AuditFilter;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::error::{ApiError, Failure, Result};
use super::openapi::Errors;
use super::{account, agents, audit, keys, receive_passwords, sessions, transfers};
use crate::app::App;
use crate::auth::Caller;

/// How many things are read at a time.
const PAGE: u32 = 100;
/// How many pages wait for a caller who reads slowly.
const WAITING: usize = 2;

/// All that is the account's, but for the contents of files: one JSON object, which is written as
/// it is read. One that does not end well-formed was cut off.
#[utoipa::path(
    get, path = "/v1/account/export", tag = "account", operation_id = "account_export",
    responses((status = 200, body = Object), Errors)
)]
pub(crate) async fn export(State(app): State<App>, caller: Caller) -> Result<Response> {
    caller.actor.require_account()?;
    let session = caller.actor.require_session()?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let export = Export {
        owner: caller.actor.account,
        session,
        now: app.clock.now(),
        app,
        sender,
    };
    let writing = async move {
        let sender = export.sender.clone();
        match export.write().await {
            Ok(()) | Err(Stop::Gone) => {}
            Err(Stop::Failed(error)) => {
                let reason = Failure::of(error).0;
                tracing::error!(reason, "an export was cut off");
                // An end without the closing brace; the connection is closed on it.
                drop(sender.send(Err(std::io::ErrorKind::Other.into())).await);
            }
        }
    };
    drop(tokio::spawn(writing.in_current_span()));
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece: std::io::Result<Bytes> = receiver.recv().await?;
        Some((piece, receiver))
    });
    let mut response = Body::from_stream(pieces).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"agentdrop-export.json\"",
        ),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The export, for the document of the API.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what is written piece by piece")]
pub(crate) struct Object {
    /// The account.
    account: agentdrop_protocol::wire::accounts::OwnAccount,
    /// The key that its owner is sent files under, the private half encrypted.
    receive_password: Option<agentdrop_protocol::wire::receive_passwords::ReceivePassword>,
    /// Its agents.
    agents: Vec<agentdrop_protocol::wire::agents::Agent>,
    /// Its API keys that work, and its agents', less what makes them work.
    keys: Vec<agentdrop_protocol::wire::keys::Key>,
    /// Its sessions, less what makes them work.
    sessions: Vec<agentdrop_protocol::wire::sessions::Session>,
    /// Its connections, and invitations that it sent or took up, whatever became of them.
    connections: Vec<Value>,
    /// Its pairings, whatever became of them.
    pairings: Vec<Value>,
    /// The accounts that it has blocked.
    blocks: Vec<Value>,
    /// The channels of its agents.
    channels: Vec<Value>,
    /// What it sent, without the contents of files.
    sent_transfers: Vec<agentdrop_protocol::wire::transfers::Transfer>,
    /// What it was sent, without the contents of files.
    received_transfers: Vec<agentdrop_protocol::wire::transfers::Transfer>,
    /// Its audit log, newest first.
    audit: Vec<agentdrop_protocol::wire::audit::AuditEntry>,
    /// When it was written.
    exported_at: Timestamp,
}

/// Why an export does not come to its end.
enum Stop {
    /// The caller has gone away.
    Gone,
    /// The server failed.
    Failed(ApiError),
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Export {
    app: App,
    owner: AccountId,
    session: agentdrop_protocol::SessionId,
    now: Timestamp,
    sender: mpsc::Sender<std::io::Result<Bytes>>,
}

/// Writes a list that is read page by page, each behind the last of the one before.
macro_rules! write_pages {
    ($export:expr, $name:literal, $query:ident, $shown:expr) => {
        $export.text(concat!(",\"", $name, "\":[")).await?;
        let mut after = None;
        loop {
            // A reader is not kept while the caller reads: few are there for all.
            let mut reader = $export.app.store.read().await?;
            let page = reader.$query($export.owner, after, PAGE).await?;
            drop(reader);
            let Some(last) = page.last().map(|it| it.id) else {
                break;
            };
            let mut shown = Vec::new();
            for it in page {
                shown.push($shown(it)?);
            }
            $export.text(&items(&shown, after.is_some())?).await?;
            after = Some(last);
        }
        $export.text("]").await?;
    };
}

impl Export {
    async fn write(self) -> Result<(), Stop> {
        let (owner, now) = (self.owner, self.now);
        let mut reader = self.app.store.read().await?;
        let settings = reader.account_settings(owner).await?;
        let own = reader.account(owner).await?.zip(settings);
        let (own, settings) = own.ok_or(ApiError::NotFound)?;
        let receive = reader.receive_password_of(owner).await?;
        let agents = reader.agents_of(owner).await?;
        let keys = reader.keys_of(owner).await?;
        let sessions = reader.sessions_of(owner, now).await?;
        let blocks = reader.blocks_of(owner).await?;
        let channels = reader.channels_of(owner).await?;
        let end = reader.audit_head_of(owner).await?.unwrap_or_default().seq + 1;
        drop(reader);
        let own = account::shown(own, &settings);
        self.text(&format!("{{\"account\":{}", to_json(&own)?))
            .await?;
        let receive = receive.map(receive_passwords::shown);
        self.text(&format!(",\"receive_password\":{}", to_json(&receive)?))
            .await?;
        let agents = agents.into_iter().map(agents::shown).collect();
        self.list("agents", agents).await?;
        let keys = keys.into_iter().map(keys::shown).collect();
        self.list("keys", keys).await?;
        let current = Some(self.session);
        let sessions = sessions.into_iter();
        let sessions = sessions.map(|it| sessions::shown(&it, current)).collect();
        self.list("sessions", sessions).await?;
        let blocks = blocks.into_iter().map(|it| {
            json!({
                "id": it.block.id, "account_id": it.account.id, "name": it.account.name,
                "email": it.account.email, "created_at": it.block.created_at,
            })
        });
        self.list("blocks", blocks.collect()).await?;
        self.list("channels", channels.iter().map(channel).collect())
            .await?;
        let of_owner = |it: Connection| Ok::<_, ApiError>(connection(&it, owner));
        write_pages!(self, "connections", connections_to_export, of_owner);
        let of_owner = |it: Pairing| Ok::<_, ApiError>(pairing(&it, owner));
        write_pages!(self, "pairings", pairings_to_export, of_owner);
        let opened = |it| transfers::shown(&self.app, it, now);
        write_pages!(self, "sent_transfers", sent_transfers_to_export, opened);
        let opened = |it| transfers::shown(&self.app, it, now);
        write_pages!(
            self,
            "received_transfers",
            received_transfers_to_export,
            opened
        );
        self.log(end).await?;
        self.text(&format!(",\"exported_at\":{}}}", to_json(&now)?))
            .await
    }

    /// The audit log, newest first, of what stands before `end`.
    async fn log(&self, end: u64) -> Result<(), Stop> {
        self.text(",\"audit\":[").await?;
        let (mut before, all) = (end, AuditFilter::default());
        while before > 1 {
            let mut reader = self.app.store.read().await?;
            let least = before.saturating_sub(u64::from(PAGE)).max(1);
            let entries = reader.audit_entries_of(self.owner, &all, least, before, PAGE);
            let entries = entries.await?;
            drop(reader);
            let shown: Vec<_> = entries.into_iter().map(audit::shown).collect();
            self.text(&items(&shown, before < end)?).await?;
            before = least;
        }
        self.text("]").await
    }

    async fn list(&self, name: &str, items: Vec<impl Serialize>) -> Result<(), Stop> {
        self.text(&format!(",\"{name}\":{}", to_json(&items)?))
            .await
    }

    async fn text(&self, text: &str) -> Result<(), Stop> {
        let piece = Bytes::copy_from_slice(text.as_bytes());
        self.sender.send(Ok(piece)).await.map_err(|_| Stop::Gone)
    }
}

/// The items of a list that has begun, or goes on.
fn items(items: &[impl Serialize], goes_on: bool) -> Result<String, ApiError> {
    let json = to_json(&items)?;
    let inner = json.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let comma = if goes_on { "," } else { "" };
    Ok(format!("{comma}{}", inner.unwrap_or_default()))
}

fn to_json(it: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(it).map_err(|error| ApiError::Internal(error.into()))
}

/// A connection, of which the inviter does not learn who was invited until they accepted.
fn connection(it: &Connection, owner: AccountId) -> Value {
    let other = match it.invitee {
        Some(invitee) if it.inviter == owner => it.accepted_at.map(|_| invitee),
        _ => Some(it.inviter),
    };
    json!({
        "id": it.id,
        "status": it.state(),
        "invited_by": it.inviter,
        "other_account_id": other.filter(|it| *it != owner),
        "invited_email": it.email,
        "message": it.message,
        "created_at": it.created_at,
        "accepted_at": it.accepted_at,
        "revoked_at": it.revoked_at,
    })
}

fn channel(it: &Channel) -> Value {
    json!({
        "id": it.id,
        "agent_ids": [it.a.agent, it.b.agent],
        "account_ids": [it.a.account, it.b.account],
        "status": it.status(),
        "created_at": it.created_at,
        "revoked_at": it.revoked_at,
    })
}

fn pairing(it: &Pairing, owner: AccountId) -> Value {
    json!({
        "id": it.id,
        "connection_id": it.connection,
        "agent_ids": [it.a.agent, it.b.agent],
        "account_ids": [it.a.account, it.b.account],
        "status": it.status(),
        "permission": it.permission_for(owner),
        "proposed_by": it.proposed_by,
        "created_at": it.created_at,
        "confirmed_at": it.confirmed_at,
        "revoked_at": it.revoked_at,
    })
}
