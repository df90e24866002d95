//! Requests that a caller may repeat, and that have their effect once.
//!
//! What a request with an idempotency key was answered is written down in the unit of work that has
//! its effect, so that there is never one without the other, wherever the power goes out. Only what
//! succeeded is kept: a refused request had no effect, and is judged anew when it is repeated.

use agentdrop_domain::{Actor, Scope};
use agentdrop_protocol::idempotency_key::{IDEMPOTENCY_KEY, IDEMPOTENT_REPLAYED};
use agentdrop_protocol::limits::IDEMPOTENCY_WINDOW;
use agentdrop_protocol::{AccountId, ErrorCode, IdempotencyKey, Timestamp};
use agentdrop_store::{Answer, Repeatable, Tx};
use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Ref, Required};
use utoipa::{IntoParams, ToSchema as _};

use super::error::{ApiError, Result};
use super::extract::read;
use crate::app::App;
use crate::at_rest::AnswerKey;
use crate::auth::{ACTING_AGENT, Caller, only};
use crate::under_way::Running;

/// What a caller calls its request, if it wants to be able to repeat it.
pub(crate) struct Once(Option<Named>);

/// A request, and its body as `B` reads it.
pub(crate) struct Repeating<B>(pub(crate) B, pub(crate) Once);

struct Named {
    name: IdempotencyKey,
    /// Method and template of the path.
    route: String,
    /// What the request says, as far as it was read.
    said: Said,
}

/// Whose request it is. One credential is never shown what another one was, unless it may act as
/// the same.
pub(crate) enum By {
    /// An account's, or one of its agents'.
    Caller(Actor),
    /// Of whoever holds the connection token with this digest.
    Token([u8; 32]),
}

/// A request that runs, and of which no second one does on this node.
pub(crate) struct Begun(Option<Begin>);

struct Begin {
    by: By,
    digest: [u8; 32],
    said: Said,
    key: AnswerKey,
    running: Running,
}

/// An answer, as it goes out and as it is kept.
#[derive(Debug)]
pub(crate) struct Answered {
    status: StatusCode,
    body: Vec<u8>,
    /// Whether an earlier request had the effect.
    pub(crate) replayed: bool,
}

impl Once {
    /// What the head of a request says about repeating it.
    pub(crate) fn of(parts: &Parts) -> Result<Self> {
        let wrong = |message: String| ApiError::invalid(IDEMPOTENCY_KEY, message);
        let header = HeaderName::from_static(IDEMPOTENCY_KEY);
        let value = only(&parts.headers, &header);
        let value = value.map_err(|()| wrong("must be given once".to_owned()))?;
        let Some(value) = value else {
            return Ok(Self(None));
        };
        // What is no text has no character that it may have.
        let name = value.to_str().unwrap_or_default().parse();
        let name = name.map_err(|it: agentdrop_protocol::ParseError| wrong(it.to_string()))?;
        let template = parts.extensions.get::<MatchedPath>();
        let mut said = Said::new();
        let target = parts.uri.path_and_query();
        said.add(target.map_or("", |it| it.as_str()).as_bytes());
        let acting = parts.headers.get(ACTING_AGENT);
        said.add(acting.map_or(&[][..], HeaderValue::as_bytes));
        Ok(Self(Some(Named {
            name,
            route: format!(
                "{} {}",
                parts.method,
                template.map_or("", MatchedPath::as_str)
            ),
            said,
        })))
    }

    /// Begins the request, unless the same one runs.
    pub(crate) fn begin(self, app: &App, by: By) -> Result<Begun> {
        let Some(named) = self.0 else {
            return Ok(Begun(None));
        };
        let digest = named.digest(&by);
        let running = app.under_way.begin(digest).ok_or_else(|| {
            let message = "the first request with this idempotency key has not ended yet";
            ApiError::refused(ErrorCode::IdempotencyInProgress, message)
        })?;
        Ok(Begun(Some(Begin {
            by,
            digest,
            said: named.said,
            key: AnswerKey::new(&app.server_key, &named.name)?,
            running,
        })))
    }

    /// Begins the request, and does it; see [`Begun::write`].
    pub(crate) async fn write<T, F>(self, app: &App, by: By, unit: F) -> Result<Answered>
    where
        T: Serialize + Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<(StatusCode, T)> + Send + 'static,
    {
        self.begin(app, by)?.write(app, unit).await
    }
}

impl<B: FromRequest<App, Rejection = ApiError>> FromRequest<App> for Repeating<B> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut once = Once::of(&parts)?;
        let request = match &mut once.0 {
            None => Request::from_parts(parts, body),
            Some(named) => {
                let bytes = read(body).await?;
                named.said.add(&bytes);
                Request::from_parts(parts, HttpBody::from(bytes))
            }
        };
        Ok(Self(B::from_request(request, app).await?, once))
    }
}

impl IntoParams for Once {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .schema(Some(Ref::from_schema_name(IdempotencyKey::name())))
            .description(Some(
                "What the caller calls this request, best a random UUID. Within 24 hours the same \
                 request under the same name has no second effect: it is answered as the first \
                 one was, with `Idempotent-Replayed: true`. Another request under the name is \
                 refused, and so is one that comes while the first still runs. A refusal is not \
                 kept: repeated, the request is judged anew.",
            ));
        vec![parameter.build()]
    }
}

impl Named {
    /// `SHA-256` of who asks for what under which name.
    fn digest(&self, by: &By) -> [u8; 32] {
        let mut digest = Said::new();
        match by {
            By::Caller(actor) => {
                digest.add(b"account");
                digest.add(actor.account.as_bytes());
                match &actor.scope {
                    Scope::Account => digest.add(b""),
                    Scope::Agent(agent) => digest.add(agent.as_bytes()),
                }
            }
            By::Token(token) => {
                digest.add(b"token");
                digest.add(token);
            }
        }
        digest.add(self.route.as_bytes());
        digest.add(self.name.expose_secret().as_bytes());
        digest.finish()
    }
}

impl From<&Caller> for By {
    fn from(caller: &Caller) -> Self {
        Self::Caller(caller.actor)
    }
}

impl Begun {
    /// Whether the caller may want to repeat it.
    pub(crate) const fn is_named(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a request of this name was answered: what it may use up is used up already.
    pub(crate) async fn is_answered(&self, app: &App) -> Result<bool> {
        let Some(begin) = &self.0 else {
            return Ok(false);
        };
        let since = app.clock.now().minus(IDEMPOTENCY_WINDOW);
        let mut reader = app.store.read().await?;
        Ok(reader.is_answered(&begin.digest, since).await?)
    }

    /// Adds to what the request says.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if let Some(begin) = &mut self.0 {
            begin.said.add(bytes);
        }
    }

    /// Runs the unit of work that has the effect, and keeps its answer in it; or answers what the
    /// first such request was answered.
    pub(crate) async fn write<T, F>(self, app: &App, unit: F) -> Result<Answered>
    where
        T: Serialize + Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<(StatusCode, T)> + Send + 'static,
    {
        let Some(begin) = self.0 else {
            let (status, answer) = app.store.write(unit).await?;
            return Answered::new(status, &answer);
        };
        let now = app.clock.now();
        let request = Repeatable {
            digest: begin.digest,
            body_digest: begin.said.finish(),
        };
        let (by, key, running) = (begin.by, begin.key, begin.running);
        let answered = app.store.write(async move |tx: &mut Tx| -> Result<_> {
            if let Some(found) = by.claim(tx, &request, now).await? {
                return Answered::replayed(&found, &request, &key);
            }
            let (status, answer) = unit(tx).await?;
            let answered = Answered::new(status, &answer)?;
            let sealed = key.seal(&request.digest, &answered.body)?;
            tx.update_answer(&request, status.as_u16(), &sealed).await?;
            Ok(answered)
        });
        let answered = answered.await;
        drop(running);
        answered
    }
}

impl By {
    /// Claims the request for this unit of work, or finds what it was answered.
    async fn claim(
        &self,
        tx: &mut Tx,
        request: &Repeatable,
        now: Timestamp,
    ) -> Result<Option<Answer>> {
        let since = now.minus(IDEMPOTENCY_WINDOW);
        let owner: Option<AccountId> = match self {
            Self::Caller(actor) => Some(actor.account),
            Self::Token(digest) => tx.account_of_connection_token(digest).await?,
        };
        Ok(match owner {
            Some(owner) => tx.claim_answer(owner, request, since, now).await?,
            // A spent token belongs to nobody; whoever spent it may ask what came of it.
            None => tx.answer_of(request, since).await?,
        })
    }
}

impl Answered {
    fn new(status: StatusCode, answer: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(answer).map_err(|it| ApiError::Internal(it.into()))?;
        Ok(Self {
            status,
            body,
            replayed: false,
        })
    }

    fn replayed(found: &Answer, request: &Repeatable, key: &AnswerKey) -> Result<Self> {
        if found.body_digest != request.body_digest {
            let message = "another request was made with this idempotency key; take a new one";
            return Err(ApiError::refused(ErrorCode::IdempotencyConflict, message));
        }
        let status = StatusCode::from_u16(found.status);
        Ok(Self {
            status: status.map_err(|it| ApiError::Internal(it.into()))?,
            body: key.open(&request.digest, &found.answer)?,
            replayed: true,
        })
    }
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response();
        if self.replayed {
            let name = HeaderName::from_static(IDEMPOTENT_REPLAYED);
            let replayed = HeaderValue::from_static("true");
            response.headers_mut().insert(name, replayed);
        }
        response
    }
}

/// `SHA-256` over texts, each behind its length, so that none can be moved from one to the next.
struct Said(Context);

impl Said {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}
