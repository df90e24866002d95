//! What stands in front of a server and passes on, or lies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::header::{self, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http::client;

/// What the relay makes of an answer.
pub type Lie = Box<dyn FnMut(&Asked, Answered) -> Answered + Send>;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How.
    pub method: Method,
    /// What, without the query.
    pub path: String,
}

/// What the server answered, or the relay in its place.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Stands in front of a server, under an address of its own, until this is dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it is, without a slash at the end.
    pub url: String,
    passing: Arc<Passing>,
    task: JoinHandle<()>,
}

struct Passing {
    server: String,
    url: String,
    http: reqwest::Client,
    lie: Mutex<Option<Lie>>,
    wire: Mutex<Wire>,
}

/// What went over the wire, and how it was asked for.
#[derive(Default)]
struct Wire {
    asked: Vec<Asked>,
    bytes: Vec<u8>,
}

impl Relay {
    /// Passes on to the server at this address, and is honest.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let url = format!("http://{address}");
        let passing = Arc::new(Passing {
            server: server.to_owned(),
            url: url.clone(),
            http: client(),
            lie: Mutex::default(),
            wire: Mutex::default(),
        });
        let router = Router::new().fallback(pass);
        let router = router.with_state(Arc::clone(&passing));
        let task = tokio::spawn(async move {
            let served = axum::serve(listener, router).await;
            served.expect("it accepts");
        });
        Self { url, passing, task }
    }

    /// From here on it does this to every answer.
    pub fn lie(&self, lie: impl FnMut(&Asked, Answered) -> Answered + Send + 'static) {
        *held(&self.passing.lie) = Some(Box::new(lie));
    }

    /// From here on it is honest.
    pub fn stop_lying(&self) {
        *held(&self.passing.lie) = None;
    }

    /// Forgets what went over the wire until here.
    pub fn forget(&self) {
        *held(&self.passing.wire) = Wire::default();
    }

    /// What was asked since.
    pub fn asked(&self) -> Vec<Asked> {
        held(&self.passing.wire).asked.clone()
    }

    /// Whether this went over the wire since: in an address, in what was sent, or in what the server answered.
    pub fn heard(&self, what: &[u8]) -> bool {
        let wire = held(&self.passing.wire);
        wire.bytes.windows(what.len()).any(|it| it == what)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Passing");
        told.field("server", &self.server).finish_non_exhaustive()
    }
}

impl Answered {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the server answered JSON")
    }

    /// The same with another body.
    pub fn with(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.headers.remove(header::CONTENT_LENGTH);
        self
    }

    /// The same with a member of its JSON body changed.
    pub fn change(self, change: impl FnOnce(&mut Value)) -> Self {
        let mut body = self.json();
        change(&mut body);
        self.with(body.to_string())
    }

    /// An error in its place.
    pub fn refused(status: u16, code: &str) -> Self {
        let body = json!({ "error": { "code": code, "message": "", "status": status, "request_id": "x" } });
        let mut headers = HeaderMap::new();
        let json = header::HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        Self {
            status: StatusCode::from_u16(status).expect("it is a status"),
            headers,
            body: body.to_string().into(),
        }
    }
}

/// What is in there, also after a lie that panicked.
fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(passing): State<Arc<Passing>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let asked = Asked {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
    };
    let body = axum::body::to_bytes(body, usize::MAX).await;
    // Whoever asked has hung up.
    let Ok(body) = body else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    {
        let mut wire = held(&passing.wire);
        wire.asked.push(asked.clone());
        wire.bytes.extend_from_slice(path.as_bytes());
        wire.bytes.extend_from_slice(&body);
    }
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let url = format!("{}{path}", passing.server);
    let request = passing.http.request(parts.method, url).headers(headers);
    let answer = request.body(body).send().await;
    let answer = answer.expect("the server answers");
    let mut answered = Answered {
        status: answer.status(),
        headers: answer.headers().clone(),
        body: answer.bytes().await.expect("the answer comes whole"),
    };
    answered.headers.remove(header::TRANSFER_ENCODING);
    held(&passing.wire).bytes.extend_from_slice(&answered.body);
    answered = passing.here(answered);
    if let Some(lie) = &mut *held(&passing.lie) {
        answered = lie(&asked, answered);
    }
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() = answered.status;
    *response.headers_mut() = answered.headers;
    response.into_response()
}

impl Passing {
    /// Addresses in an answer lead through the relay too.
    fn here(&self, answered: Answered) -> Answered {
        let kind = answered.headers.get(header::CONTENT_TYPE);
        let is_json = kind.is_some_and(|it| it.as_bytes().starts_with(b"application/json"));
        match str::from_utf8(&answered.body) {
            Ok(text) if is_json && text.contains(&self.server) => {
                let text = text.replace(&self.server, &self.url);
                answered.with(text)
            }
            _ => answered,
        }
    }
}
