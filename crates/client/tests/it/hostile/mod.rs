//! A server that answers whatever a test wants: honest at first, and then changed in one point.

mod serving;
mod world;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use agentdrop_client::{Client, Identity, Incoming, Received, write_private};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_seal::compat::{channel, wrapped};
use agentdrop_seal::{ContentKey, FileSealer, Salt, SecretKey};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::serving::serve;
use self::world::World;
pub(crate) use self::world::{Served, Uploaded};

pub(crate) const ALICE: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e500";

pub(crate) const BOB: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e501";

pub(crate) const CHANNEL: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e502";

pub(crate) const ACCOUNT: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e503";

pub(crate) const TRANSFER: &str = "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";

pub(crate) const DOWNLOAD: &str = "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";

pub(crate) const NOW: &str = "2026-04-17T12:00:00.000Z";

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
