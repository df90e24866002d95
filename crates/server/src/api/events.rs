//! What happens to an account: as a list, and as a stream.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use agentdrop_domain::Scope;
use agentdrop_protocol::AgentRef;
use agentdrop_protocol::limits::{EVENT_WINDOW, MAX_PAGE};
use agentdrop_protocol::wire::events::{Event, EventList};
use agentdrop_store::Reader;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;

use super::error::{ApiError, Result};
use super::extract::Query;
use super::fields::Fields;
use super::openapi::Errors;
use crate::app::App;
use crate::auth::{Caller, is_live};
use crate::events::{Hub, Over, Subscription, View};

/// How often a stream says that it is still there.
const PING: Duration = Duration::from_secs(15);
/// What a stream ends with when the server stops: whoever listens may come again at once, and is sent
/// to another server if there is one.
const STOPS: &[u8] = b": the server stops\nretry: 500\n\n";
/// Entries that are looked at for one part of a list.
const WINDOW: u32 = 1_000;
/// Entries that are looked at before a stream goes on.
const BATCH: u32 = 100;
/// What of a stream a client saw last (HTML Living Standard, server-sent events).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What happened to the account behind a number, oldest first; of the last seven days at most.
///
/// The key of one agent is told what happened to that agent.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", operation_id = "events_list",
    params(
        ("since" = Option<u64>, Query, description = "Only what is behind this; `next_since` of the part before. Without it, from seven days ago"),
        ("agent_id" = Option<AgentRef>, Query, description = "Only what happened to this agent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many, from 1 to 100; 100 by default"),
    ),
    responses((status = 200, body = EventList), Errors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(mut query): Query,
) -> Result<Json<EventList>> {
    let (since, named) = asked(&mut query);
    let limit = query.number("limit", 1, MAX_PAGE).unwrap_or(MAX_PAGE) as usize;
    query.check()?;
    let mut reader = app.store.read().await?;
    let view = view(&mut reader, &caller, named).await?;
    let mut after = remembered(&app, &mut reader, &view, since.unwrap_or(0)).await?;
    let owner = view.actor.account;
    let entries = reader.audit_entries_behind(owner, after, WINDOW).await?;
    let (now, seen) = (app.clock.now(), entries.len());
    let mut events = Vec::new();
    for (n, entry) in entries.into_iter().enumerate() {
        after = entry.seq;
        events.extend(view.of(&app, &mut reader, entry, now).await?);
        if events.len() == limit {
            return Ok(Json(EventList {
                events,
                next_since: after,
                has_more: n + 1 < seen || seen == WINDOW as usize,
            }));
        }
    }
    Ok(Json(EventList {
        events,
        next_since: after,
        has_more: seen == WINDOW as usize,
    }))
}

/// What happens to the account, as it happens: server-sent events.
///
/// Each has its number as `id`, which `Last-Event-ID` takes to go on behind it; without one, the
/// stream begins with what happens next. It ends when the credential does, and when the server
/// stops; whoever goes on behind the last number misses nothing.
#[utoipa::path(
    get, path = "/v1/events/stream", tag = "events", operation_id = "events_stream",
    params(
        ("agent_id" = Option<AgentRef>, Query, description = "Only what happens to this agent"),
        ("since" = Option<u64>, Query, description = "First what happened behind this, of the last seven days"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it; before `since`"),
    ),
    responses(
        (status = 200, description = "`id`, `event` and `data` of each event; comments in between", body = Event, content_type = "text/event-stream"),
        Errors
    )
)]
pub(crate) async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(mut query): Query,
) -> Result<Response> {
    let (since, named) = asked(&mut query);
    query.check()?;
    let last = headers.get(LAST_EVENT_ID).filter(|it| !it.is_empty());
    let last = last.map(|it| {
        let number = it.to_str().ok().and_then(|it| it.parse::<u64>().ok());
        let message = "must be the number of an event";
        number.ok_or_else(|| ApiError::invalid("last-event-id", message))
    });
    let since = last.transpose()?.or(since);
    let mut reader = app.store.read().await?;
    let view = view(&mut reader, &caller, named).await?;
    // Before the log is looked at: what comes in between is heard.
    let subscription = Hub::listen(&app, view.actor.account)?;
    let after = match since {
        Some(since) => remembered(&app, &mut reader, &view, since).await?,
        None => head(&mut reader, &view).await?,
    };
    drop(reader);
    let feed = Feed {
        app,
        view,
        after,
        subscription,
        begun: false,
        is_over: false,
    };
    let frames = stream::unfold(feed, async |mut feed| {
        let frame = feed.next().await?;
        Some((Ok::<_, Infallible>(frame), feed))
    });
    let mut response = Body::from_stream(frames).into_response();
    for (header, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that gathers an answer before it passes it on would gather for ever.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(header, value);
    }
    Ok(response)
}

fn asked(query: &mut Fields) -> (Option<u64>, Option<AgentRef>) {
    let since = query.text("since").and_then(|it| {
        let number = it.parse().ok();
        if number.is_none() {
            query.refuse("since", "must be the number of an event");
        }
        number
    });
    (since, query.optional("agent_id"))
}

async fn view(reader: &mut Reader, caller: &Caller, named: Option<AgentRef>) -> Result<View> {
    let agent = match (named, caller.actor.scope) {
        (Some(named), _) => {
            let agent = reader.agent_of(caller.actor.account, &named).await?;
            let agent = agent.ok_or(ApiError::NotFound)?;
            caller.actor.require_agent(&agent)?;
            Some(agent.id)
        }
        (None, Scope::Agent(agent)) => Some(agent),
        (None, Scope::Account) => caller.agent(reader).await?.map(|it| it.id),
    };
    Ok(View {
        actor: caller.actor,
        agent,
    })
}

/// Where what is still told begins, for whoever has seen what is up to `since`.
async fn remembered(app: &App, reader: &mut Reader, view: &View, since: u64) -> Result<u64> {
    // Of a number that there is none yet, the log's end: what comes next is not to be left out.
    let since = since.min(head(reader, view).await?);
    let oldest = app.clock.now().minus(EVENT_WINDOW);
    let owner = view.actor.account;
    Ok(reader.last_audit_before(owner, since, oldest).await?)
}

async fn head(reader: &mut Reader, view: &View) -> Result<u64> {
    let head = reader.audit_head_of(view.actor.account).await?;
    Ok(head.unwrap_or_default().seq)
}

/// A stream, and how far it has come.
struct Feed {
    app: App,
    view: View,
    after: u64,
    subscription: Subscription,
    begun: bool,
    /// Whether its last words were said.
    is_over: bool,
}

impl Feed {
    /// What is to be sent next; nothing more, if the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(Bytes::from_static(b": connected\n\n"));
        }
        if self.is_over {
            return None;
        }
        loop {
            let told = match self.read().await {
                Ok(told) => told?,
                Err(error) => {
                    // Whoever listens comes again, behind what they have.
                    let reason = super::error::Failure::of(error).0;
                    tracing::warn!(reason, "a stream of events was cut off");
                    return None;
                }
            };
            if !told.frames.is_empty() {
                return Some(told.frames.into());
            }
            if told.is_all {
                tokio::select! {
                    changed = self.subscription.changed() => match changed {
                        Ok(()) => {}
                        Err(Over::Gone) => return None,
                        Err(Over::Stops) => {
                            self.is_over = true;
                            return Some(Bytes::from_static(STOPS));
                        }
                    },
                    () = tokio::time::sleep(PING) => return Some(Bytes::from_static(b": ping\n\n")),
                }
            }
        }
    }

    /// What happened since; nothing, if the credential has ended.
    async fn read(&mut self) -> Result<Option<Told>> {
        let (owner, now) = (self.view.actor.account, self.app.clock.now());
        let mut reader = self.app.store.read().await?;
        if !is_live(&mut reader, &self.view.actor, now).await? {
            return Ok(None);
        }
        let entries = reader.audit_entries_behind(owner, self.after, BATCH);
        let entries = entries.await?;
        let is_all = entries.len() < BATCH as usize;
        let mut frames = String::new();
        for entry in entries {
            self.after = entry.seq;
            if let Some(event) = self.view.of(&self.app, &mut reader, entry, now).await? {
                push(&mut frames, &event)?;
            }
        }
        Ok(Some(Told { frames, is_all }))
    }
}

struct Told {
    frames: String,
    /// Whether there was nothing behind it.
    is_all: bool,
}

/// An event as a frame: JSON has no line break outside of its texts, and none that is not escaped
/// within them.
fn push(frames: &mut String, event: &Event) -> Result<()> {
    let data = serde_json::to_string(&event.data).map_err(|it| ApiError::Internal(it.into()))?;
    let Ok(()) = write!(
        frames,
        "id: {}\nevent: {}\ndata: {data}\n\n",
        event.id, event.kind
    ) else {
        unreachable!("memory takes whatever is written to it");
    };
    Ok(())
}
