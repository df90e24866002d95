//! A server that answers whatever a test wants: honest at first, and then changed in one point.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use agentdrop_client::{Client, Identity, Incoming, Received, write_private};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_seal::compat::{channel, wrapped};
use agentdrop_seal::{ContentKey, FileSealer, Salt, SecretKey};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ALICE: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e500";
pub(crate) const BOB: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e501";
pub(crate) const CHANNEL: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e502";
pub(crate) const ACCOUNT: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e503";
pub(crate) const TRANSFER: &str = "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";
pub(crate) const DOWNLOAD: &str = "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";
pub(crate) const NOW: &str = "2026-04-17T12:00:00.000Z";

/// How a file is served.
#[derive(Default)]
pub(crate) struct Served {
    pub(crate) bytes: Vec<u8>,
    /// The first answers break off after so many bytes of theirs.
    pub(crate) cuts: Vec<usize>,
    /// What comes once behind the answers that break off.
    pub(crate) refuses: Option<StatusCode>,
    pub(crate) etag: Option<&'static str>,
    /// After the bytes comes nothing, and no end either.
    pub(crate) stalls: bool,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// A form that was uploaded whole.
#[derive(Default)]
pub(crate) struct Uploaded {
    pub(crate) fields: HashMap<String, String>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// What the server will answer.
#[derive(Default)]
pub(crate) struct World {
    /// By method and path; each answer is given once, and the last of them again and again.
    pub(crate) answers: HashMap<String, Vec<(StatusCode, HeaderMap, Bytes)>>,
    pub(crate) files: HashMap<String, Served>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) uploads: Vec<Uploaded>,
    /// Neither reads nor answers uploads.
    pub(crate) holds_uploads: bool,
    /// This call is never answered.
    pub(crate) holds: Option<String>,
    /// Registers whatever key it is sent.
    pub(crate) echoes_key: bool,
    /// Answers uploads at once, with this, and throws away what still comes: a socket that is closed
    /// with unread bytes is reset, and with it may go the answer.
    pub(crate) refuses_uploads: Option<(StatusCode, Value)>,
}

impl World {
    pub(crate) fn answer(&mut self, call: &str, body: &Value) {
        self.answer_raw(call, StatusCode::OK, &[], body.to_string());
    }

    pub(crate) fn answer_raw(
        &mut self,
        call: &str,
        status: StatusCode,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let answer = (status, headers.collect(), body.into());
        self.answers.insert(call.to_owned(), vec![answer]);
    }

    /// Changes a JSON answer.
    pub(crate) fn change(&mut self, call: &str, change: impl FnOnce(&mut Value)) {
        let answers = self.answers.get_mut(call).unwrap();
        let (.., body) = answers.last_mut().unwrap();
        let mut value = serde_json::from_slice(body).unwrap();
        change(&mut value);
        *body = value.to_string().into();
    }

    /// How often something was called.
    pub(crate) fn calls(&self, call: &str) -> usize {
        let is_it = |it: &&Seen| format!("{} {}", it.method, it.path) == call;
        self.seen.iter().filter(is_it).count()
    }
}

/// The server, and Bob, who talks to it.
pub(crate) struct Hostile {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
    pub(crate) alice: SecretKey,
    pub(crate) bob: SecretKey,
    pub(crate) home: TempDir,
    pub(crate) target: TempDir,
}

pub(crate) fn list() -> String {
    format!("GET /v1/transfers/{TRANSFER}")
}

pub(crate) fn grant() -> String {
    format!("GET /v1/transfers/{TRANSFER}/download")
}

pub(crate) fn channel() -> String {
    format!("GET /v1/channels/{CHANNEL}")
}

pub(crate) fn acknowledgement() -> String {
    format!("POST /v1/transfers/{TRANSFER}/ack")
}

pub(crate) fn public(key: &SecretKey) -> String {
    STANDARD.encode(key.public_key().as_bytes())
}

pub(crate) fn api_key(kind: KeyKind) -> ApiKey {
    ApiKey::new(kind, &std::array::from_fn(|n| u8::try_from(n).unwrap())).unwrap()
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Hostile {
    pub(crate) async fn start() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(serve).with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (alice, bob) = (
            SecretKey::generate().unwrap(),
            SecretKey::generate().unwrap(),
        );
        let home = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        let it = Self {
            url,
            world,
            alice,
            bob,
            home,
            target,
        };
        it.write_identity(&it.bob);
        it
    }

    /// Makes this the key of the client.
    pub(crate) fn write_identity(&self, secret: &SecretKey) {
        let config = json!({
            "agent_id": "bob",
            "agent_uuid": BOB,
            "inbox_url": format!("{}/v1/transfers/inbox", self.url),
            "public_key": public(secret),
            "private_key": STANDARD.encode(secret.expose_secret()),
            "server": self.url,
            "api_key": api_key(KeyKind::Agent).expose_secret(),
        });
        let file = self.home.path().join("config.json");
        write_private(&file, config.to_string().as_bytes()).unwrap();
    }

    /// Has Alice seal these files for Bob over their channel.
    pub(crate) async fn with_transfer(files: &[(&str, &[u8])]) -> Self {
        let it = Self::start().await;
        let salt = Salt::generate().unwrap();
        let key = channel::content_key(&it.alice, &it.bob.public_key(), &salt).unwrap();
        it.announce(
            files,
            &key,
            &json!({
                "encryption_algorithm": channel::ALGORITHM,
                "channel_id": CHANNEL,
                "encryption_salt": STANDARD.encode(salt.as_bytes()),
            }),
        );
        it
    }

    /// Has Alice seal these files for Bob with a wrapped key.
    pub(crate) async fn with_wrapped_transfer(files: &[(&str, &[u8])]) -> Self {
        let it = Self::start().await;
        let key = ContentKey::generate().unwrap();
        let wrapped = wrapped::wrap(&key, &it.alice, &it.bob.public_key()).unwrap();
        it.announce(
            files,
            &key,
            &json!({
                "encryption_algorithm": wrapped::ALGORITHM,
                "encrypted_key": STANDARD.encode(wrapped.as_bytes()),
            }),
        );
        it
    }

    fn announce(&self, files: &[(&str, &[u8])], key: &ContentKey, how: &Value) {
        let mut listed = transfer(true);
        let mut granted = json!({
            "id": TRANSFER, "download_id": DOWNLOAD, "download_expires_at": NOW,
            "sender": "alice", "files": [], "downloads": 1, "downloads_remaining": 9,
            "expires_at": NOW, "auto_delete": true, "message": "hello", "is_encrypted": true,
            "sender_public_key": public(&self.alice), "recipient_public_key": public(&self.bob),
            "recipient_key_version": 1,
        });
        granted
            .as_object_mut()
            .unwrap()
            .extend(how.as_object().unwrap().clone());
        let mut world = self.world();
        for (n, (name, content)) in files.iter().enumerate() {
            let sealer = FileSealer::new(key).unwrap();
            let nonce = sealer.nonce();
            let mut bytes = Vec::new();
            sealer.seal_to(*content, &mut bytes).unwrap();
            add_file(
                &mut listed,
                &mut granted,
                n,
                name,
                bytes.len(),
                Some(nonce.as_bytes()),
            );
            world.files.insert(
                format!("/files/{n}"),
                Served {
                    bytes,
                    ..Served::default()
                },
            );
        }
        world.answer(&list(), &listed);
        world.answer(&grant(), &granted);
        world.answer(
            &acknowledgement(),
            &json!({"download_id": DOWNLOAD, "status": "received", "at": NOW}),
        );
        world.answer(
            &channel(),
            &json!({
                "id": CHANNEL, "agent_a_id": ALICE, "agent_b_id": BOB, "status": "active",
                "agent_a_public_key": public(&self.alice), "agent_b_public_key": public(&self.bob),
                "agent_a_key_version": 1, "agent_b_key_version": 1, "created_at": NOW,
            }),
        );
    }

    /// Announces a file that nobody sealed.
    pub(crate) async fn with_plaintext(content: &[u8]) -> Self {
        let it = Self::with_transfer(&[]).await;
        {
            let mut world = it.world();
            let mut listed = transfer(false);
            let mut granted = Value::Null;
            world.change(&grant(), |it| granted = it.clone());
            for field in ["encryption_algorithm", "channel_id", "encryption_salt"] {
                granted[field] = Value::Null;
            }
            granted["is_encrypted"] = json!(false);
            add_file(&mut listed, &mut granted, 0, "a.txt", content.len(), None);
            let served = Served {
                bytes: content.to_vec(),
                ..Served::default()
            };
            world.files.insert("/files/0".to_owned(), served);
            world.answer(&list(), &listed);
            world.answer(&grant(), &granted);
        }
        it
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let identity = Identity::load(self.home.path()).unwrap();
        Client::builder(&self.url)
            .identity(identity)
            .build()
            .unwrap()
    }

    pub(crate) fn incoming(&self) -> Incoming {
        Incoming::into_folder(self.target.path())
    }

    pub(crate) async fn receive(&self) -> agentdrop_client::Result<Received> {
        self.client().receive(id(), self.incoming()).await
    }

    /// The names in the target that do not hide.
    pub(crate) fn visible(&self) -> Vec<String> {
        let mut names = names(self.target.path());
        names.retain(|it| !it.starts_with('.'));
        names
    }

    /// Receives, which has to fail like this, and to leave nothing behind.
    pub(crate) async fn refuses(&self, code: &str) {
        self.refuses_for_now(code).await;
        assert_eq!(names(self.target.path()), [""; 0]);
    }

    /// Receives, which has to fail like this, and to place nothing.
    pub(crate) async fn refuses_for_now(&self, code: &str) {
        let error = self.receive().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(self.visible(), [""; 0], "{error}");
        assert_eq!(self.world().calls(&acknowledgement()), 0, "{error}");
    }
}

pub(crate) fn id() -> TransferId {
    TRANSFER.parse().unwrap()
}

pub(crate) fn transfer(is_encrypted: bool) -> Value {
    json!({
        "id": TRANSFER, "url": "", "api_url": "", "download_url": "", "status": "active",
        "mode": "agent-to-agent", "sender": "alice", "sender_agent_id": ALICE,
        "sender_account_id": ACCOUNT, "recipient": "bob", "recipient_agent_id": BOB,
        "recipient_account_id": ACCOUNT, "files": [], "file_count": 0, "total_size": 0,
        "max_downloads": 10, "downloads": 0, "download_count": 0, "metadata": {},
        "auto_delete": true, "is_encrypted": is_encrypted, "encrypted": true,
        "created_at": NOW, "expires_at": NOW,
    })
}

pub(crate) fn add_file(
    listed: &mut Value,
    granted: &mut Value,
    n: usize,
    name: &str,
    size: usize,
    nonce: Option<&[u8; 12]>,
) {
    let id = format!("019a9f3e-5c1a-7b2d-8e4f-{n:012x}");
    listed["files"].as_array_mut().unwrap().push(json!({
        "file_id": id, "name": name, "size": size,
        "type": "application/octet-stream", "content_type": "application/octet-stream",
    }));
    granted["files"].as_array_mut().unwrap().push(json!({
        "file_id": id, "name": name, "file_name": name, "download_url": format!("/files/{n}"),
        "size": size, "content_type": "application/octet-stream",
        "encryption_iv": nonce.map(|it| STANDARD.encode(it)),
    }));
}

async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let call = format!("{} {path}", request.method());
    let is_upload = call == "POST /v1/transfers";
    let is_registration = call == "POST /v1/agents/register";
    let holds;
    {
        let mut world = world.lock().unwrap();
        world.seen.push(Seen {
            method: request.method().clone(),
            path: path.clone(),
            headers: request.headers().clone(),
        });
        if let Some(served) = world.files.get_mut(&path) {
            return serve_file(served, request.headers());
        }
        holds = is_upload && world.holds_uploads || world.holds.as_ref() == Some(&call);
        if let Some((status, body)) = world.refuses_uploads.clone().filter(|_| is_upload) {
            let mut rest = request.into_body().into_data_stream();
            tokio::spawn(async move { while let Some(Ok(_)) = rest.next().await {} });
            return (status, body.to_string()).into_response();
        }
    }
    if holds {
        std::future::pending::<()>().await;
    }
    if is_registration && world.lock().unwrap().echoes_key {
        let body = axum::body::to_bytes(request.into_body(), 10_000)
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        world
            .lock()
            .unwrap()
            .change(&call, |it| it["public_key"] = body["public_key"].clone());
    } else if is_upload {
        match read_form(request).await {
            Some(form) => world.lock().unwrap().uploads.push(form),
            None => return StatusCode::BAD_REQUEST.into_response(),
        }
    }
    let mut world = world.lock().unwrap();
    let Some(answers) = world.answers.get_mut(&call) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = if answers.len() > 1 {
        answers.remove(0)
    } else {
        answers.first().unwrap().clone()
    };
    answer.into_response()
}

fn serve_file(served: &mut Served, headers: &HeaderMap) -> Response {
    if served.cuts.is_empty()
        && let Some(status) = served.refuses.take()
    {
        return status.into_response();
    }
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let begin = text(header::RANGE).map(|it| {
        it.trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse::<usize>()
            .unwrap()
    });
    let begin = begin.filter(|_| served.etag.is_some() && text(header::IF_RANGE) == served.etag);
    let total = served.bytes.len();
    let rest = Bytes::copy_from_slice(&served.bytes[begin.unwrap_or(0)..]);
    let mut answer = Response::builder().header(header::CONTENT_LENGTH, rest.len());
    if let Some(etag) = served.etag {
        answer = answer.header(header::ETAG, etag);
    }
    if let Some(begin) = begin {
        let range = format!("bytes {begin}-{}/{total}", total - 1);
        answer = answer.status(206).header(header::CONTENT_RANGE, range);
    }
    let body = if served.stalls {
        let first =
            futures_util::stream::iter([Ok::<_, std::io::Error>(rest.slice(..rest.len() / 2))]);
        let never = futures_util::stream::pending();
        Body::from_stream(futures_util::StreamExt::chain(first, never))
    } else if served.cuts.is_empty() {
        Body::from(rest)
    } else {
        let cut = served.cuts.remove(0).min(rest.len());
        // The pause lets what was sent arrive before the end does.
        let pieces = futures_util::stream::unfold(Some(rest.slice(..cut)), |rest| async move {
            if let Some(rest) = rest {
                return Some((Ok(rest), None));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Err(std::io::Error::other("cut")), None))
        });
        Body::from_stream(pieces)
    };
    answer.body(body).unwrap()
}

async fn read_form(request: Request) -> Option<Uploaded> {
    let announced: u64 = request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    assert!(announced > 0, "the length is known before the body");
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut uploaded = Uploaded::default();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content = field.bytes().await.ok()?.to_vec();
        if let Some(file_name) = file_name {
            uploaded.files.push((file_name, content));
        } else {
            assert!(uploaded.files.is_empty(), "fields go before files");
            uploaded
                .fields
                .insert(name, String::from_utf8(content).ok()?);
        }
    }
    Some(uploaded)
}
