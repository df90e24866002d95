//! Making an identity with a server that lies or fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use agentdrop_client::{Client, Identity, NewAgent};
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_seal::SecretKey;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::hostile::{ALICE, Hostile, api_key, names, public};

const REGISTER: &str = "POST /v1/agents/register";

fn keys() -> String {
    format!("POST /v1/agents/{ALICE}/keys")
}

fn client(server: &Hostile) -> Client {
    Client::builder(&server.url)
        .api_key(api_key(KeyKind::Account))
        .build()
        .unwrap()
}

fn answer(public_key: &Value) -> Value {
    json!({
        "id": ALICE, "agent_uuid": ALICE, "agent_id": "alice", "name": "alice",
        "agent_type": "custom", "connection_status": "connected", "available_for_connections": true,
        "public_key": public_key, "public_key_algorithm": "X25519", "key_version": 1,
        "metadata": {}, "created_at": "2026-04-17T12:00:00.000Z",
        "inbox_url": "http://x/v1/transfers/inbox", "message": "",
    })
}

fn alice() -> NewAgent {
    NewAgent::new("alice".parse().unwrap())
}

#[tokio::test]
async fn a_server_that_has_another_key_is_not_believed() {
    let other = public(&SecretKey::generate().unwrap());
    for key in [json!(other), Value::Null] {
        let server = Hostile::start().await;
        let folder = server.target.path().join(".agentdrop");
        server.world().answer(REGISTER, &answer(&key));
        let error = client(&server)
            .register(&folder, alice())
            .await
            .unwrap_err();
        assert_eq!(error.code(), "OWN_KEY_DIFFERS");
        assert_eq!(names(&folder), [".gitignore"]);
    }
}

#[tokio::test]
async fn an_identity_is_for_its_owner_only_and_is_not_overwritten() {
    let server = Hostile::start().await;
    let folder = server.target.path().join("deep/.agentdrop");
    server.world().echoes_key = true;
    server.world().answer(REGISTER, &answer(&Value::Null));
    let key = api_key(KeyKind::Agent);
    server.world().answer(
        &keys(),
        &json!({
            "id": "key_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6", "name": "default", "prefix": key.shown(),
            "scope": "agent", "agent_id": ALICE, "api_key": key.expose_secret(),
            "created_at": "2026-04-17T12:00:00.000Z",
        }),
    );
    let registered = client(&server).register(&folder, alice()).await.unwrap();
    assert!(registered.without_key.is_none());

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("config.json")), 0o600);
    assert_eq!(names(&folder), [".gitignore", "config.json"]);
    let identity = Identity::load(&folder).unwrap();
    assert_eq!(identity.public_key(), registered.identity.public_key());
    assert_eq!(identity.api_key(), Some(&key));
    assert_eq!(identity.server(), Some(&*server.url));

    let before = fs::read(folder.join("config.json")).unwrap();
    let error = client(&server)
        .register(&folder, alice())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "IDENTITY_EXISTS");
    assert_eq!(server.world().calls(REGISTER), 1, "nothing was asked");
    assert_eq!(fs::read(folder.join("config.json")).unwrap(), before);
}

#[tokio::test]
async fn an_agent_without_a_key_of_its_own_still_has_its_identity() {
    let server = Hostile::start().await;
    server.world().echoes_key = true;
    server.world().answer(REGISTER, &answer(&Value::Null));
    server
        .world()
        .answer_raw(&keys(), StatusCode::FORBIDDEN, &[], "");
    let folder = server.target.path().join(".agentdrop");
    let registered = client(&server).register(&folder, alice()).await.unwrap();
    assert_eq!(registered.without_key.unwrap().code(), "UNKNOWN");
    assert!(Identity::load(&folder).unwrap().api_key().is_none());
}

#[tokio::test]
async fn a_refused_registration_leaves_no_identity() {
    let server = Hostile::start().await;
    let folder = server.target.path().join(".agentdrop");
    let body = json!({"error": {"code": "AGENT_EXISTS", "message": "taken", "status": 409}});
    server
        .world()
        .answer_raw(REGISTER, StatusCode::CONFLICT, &[], body.to_string());
    let error = client(&server)
        .register(&folder, alice())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "AGENT_EXISTS");
    assert_eq!(names(&folder), [".gitignore"]);
    assert_eq!(server.world().calls(&keys()), 0);
}

#[tokio::test]
async fn connecting_makes_an_identity_too() {
    let server = Hostile::start().await;
    let folder = server.target.path().join(".agentdrop");
    server.world().answer(
        "POST /v1/agents/connect",
        &json!({
            "agent_id": "alice", "agent_uuid": ALICE, "status": "connected", "key_version": 1,
            "inbox_url": "http://x/v1/transfers/inbox", "message": "",
        }),
    );
    let token = api_key(KeyKind::ConnectionToken);
    let client = Client::builder(&server.url).api_key(token).build().unwrap();
    client.connect(&folder).await.unwrap();
    let identity = Identity::load(&folder).unwrap();
    assert_eq!(identity.agent_id().as_str(), "alice");
    assert_eq!(identity.server(), Some(&*server.url));
    assert!(identity.api_key().is_none());
}
