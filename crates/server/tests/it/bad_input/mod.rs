//! What hostile and broken clients send: every operation, every field, each answered by the
//! documented error, and nothing stored.
//!
//! Driven by the API's document: an operation or a field that it gains is tried here too, and an
//! operation without a row in [`row`] fails the test.

mod callers;
mod form;
mod generated;
mod http;
mod json;
mod names;

use agentdrop_protocol::LinkToken;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, text};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::identity::{a_prekey, first_bundle, put};
use crate::isolation::Trust;
use crate::links::Link;
use crate::operations::Operation;
use crate::uploads::{Begun, full_body};
use crate::world::World;

const JSON: &str = "application/json";
const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

/// A world with one of everything, so that what is wrong with a request is the field alone.
struct Things {
    world: World,
    /// Names in braces of a path, with what stands there.
    parameters: Vec<(&'static str, String)>,
    download: String,
    /// What is still to be confirmed.
    begun: Begun,
    /// Of the transfer that its link leads to.
    link_download: String,
    /// The address of its account, which has a password.
    email: String,
    /// A session of its account.
    session: String,
}

impl Things {
    async fn each() -> Vec<Self> {
        let mut things = Vec::new();
        for world in World::each().await {
            things.push(Self::of(world).await);
        }
        things
    }

    async fn of(world: World) -> Self {
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let between = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let channel = world.post("/v1/channels", &between).await.expect(200);
        let (key_id, _) = world.agent_key("bob").await;
        let trust = Trust::of(&world).await;
        let session = world.server.session_of(&world.account).await;
        let sessions = world.server.http.get("/v1/sessions", &session).await;
        let session_id = text(&sessions.expect(200)["sessions"][0], "id");
        let account = world.get("/v1/account").await.expect(200);
        let (http, key) = (&world.server.http, &world.account.key);
        let begun = Begun::new(http, key, ["alice", "bob"]).await;
        let link = Link::of(&world, &session).await;
        let path = format!("/v1/d/{}/downloads", link.token);
        let granted = world.server.http.post(&path, "", &json!({})).await;
        let link_download = text(&granted.expect(200), "download_id");
        let parameters = vec![
            ("agent", "bob".to_owned()),
            ("block_id", trust.block),
            ("connection_id", trust.connection),
            ("pairing_id", trust.pairing),
            ("channel_id", text(&channel, "id")),
            ("download_id", text(&grant, "download_id")),
            ("file_id", text(&grant["files"][0], "file_id")),
            ("key_id", key_id),
            ("session_id", session_id),
            ("token", link.token),
            ("transfer_id", text(&sent, "id")),
        ];
        let bundle = first_bundle(&text(&world.bob, "id"));
        put(http, key, "bob", &bundle).await.expect(200);
        let download = text(&grant, "download_id");
        Self {
            world,
            parameters,
            download,
            begun,
            link_download,
            email: text(&account, "email"),
            session,
        }
    }

    /// An operation's path, with what stands there for each parameter but one.
    fn path(&self, operation: &Operation, but: Option<(&str, &str)>) -> String {
        let mut path = operation.path.clone();
        if let Some((name, value)) = but {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        for (name, value) in &self.parameters_of(&operation.id) {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "no value for a parameter of {path}");
        path
    }

    /// What stands in an operation's path.
    fn parameters_of(&self, operation: &str) -> Vec<(&'static str, String)> {
        let mut parameters = self.parameters.clone();
        for (name, value) in &mut parameters {
            match *name {
                "file_id" if operation.starts_with("uploads_") => {
                    value.clone_from(&self.begun.file);
                }
                "transfer_id" if operation.starts_with("uploads_") => {
                    value.clone_from(&self.begun.transfer);
                }
                _ => {}
            }
        }
        parameters
    }

    async fn try_body(&self, operation: &Operation, body: Vec<u8>) -> Answer {
        let path = self.path(operation, None);
        let request = self.request(operation, &path);
        send(request.header("content-type", JSON).body(body)).await
    }

    fn request(&self, operation: &Operation, path: &str) -> RequestBuilder {
        let key = match &*operation.id {
            "links_verify" | "receive_passwords_set" => &self.session,
            _ => &self.world.account.key,
        };
        self.world.server.http.request(&operation.method, path, key)
    }
}

/// A good body of an operation; `None` for one that takes none.
fn row(operation: &str, things: &Things) -> Option<Value> {
    let good = match operation {
        "account_delete" => json!({ "password": PASSWORD }),
        "account_update" => json!({ "name": "A" }),
        "accounts_create" => json!({ "name": "A", "email": "a@example.org" }),
        "email_verifications_confirm" => json!({ "token": no_link() }),
        "password_resets_confirm" => json!({ "token": no_link(), "password": PASSWORD }),
        "password_resets_create" => json!({ "email": "nobody@example.org" }),
        "sessions_create" => json!({ "email": things.email, "password": PASSWORD }),
        "agent_keys_create" | "keys_create" => json!({ "name": "ci" }),
        "agents_connect" | "agents_rotate_key" => json!({ "public_key": KEY }),
        "agents_register" => json!({ "agent_id": "carol", "public_key": KEY }),
        "agents_update" => json!({ "name": "Bob" }),
        "bundles_publish" => first_bundle(&text(&things.world.bob, "id")),
        "prekeys_add" => a_prekey(&text(&things.world.bob, "id")),
        "channels_create" => json!({ "agent_id": "alice", "target_agent_id": "bob" }),
        "connections_create" => json!({ "email": "new@example.org" }),
        "pairings_create" => json!({ "my_agent_id": "alice", "their_agent_id": "dorian" }),
        "pairings_confirm" | "pairings_update" => json!({ "permission": "both" }),
        "receive_passwords_set" => crate::receive_passwords::password(KEY),
        "downloads_acknowledge" => {
            json!({ "download_id": things.download, "status": "received" })
        }
        "uploads_abort" => json!({ "upload_id": things.begun.upload }),
        "uploads_complete" => things.begun.complete(),
        "uploads_create" | "uploads_create_in_parts" => full_body("alice", "bob"),
        "shield_analyze" => json!({ "localVerdict": { "threat": "LOW", "score": 0.5 } }),
        "links_acknowledge" => {
            json!({ "download_id": things.link_download, "status": "received" })
        }
        "account_export"
        | "account_show"
        | "agent_keys_list"
        | "agent_keys_revoke"
        | "agents_delete"
        | "agents_disconnect"
        | "agents_list"
        | "agents_list_public_keys"
        | "agents_list_sendable"
        | "agents_resolve"
        | "agents_show"
        | "agents_show_me"
        | "audit_list"
        | "blocks_create"
        | "blocks_delete"
        | "blocks_list"
        | "bundles_show"
        | "channels_list"
        | "channels_revoke"
        | "channels_show"
        | "connections_accept"
        | "connections_list"
        | "connections_list_agents"
        | "connections_reject"
        | "events_list"
        | "events_stream"
        | "connections_revoke"
        | "downloads_create"
        | "email_verifications_create"
        | "files_show"
        | "health_show"
        | "health_show_readiness"
        | "inbox_list"
        | "inbox_list_of_agent"
        | "keys_list"
        | "keys_revoke"
        | "links_download"
        | "links_show"
        | "links_verify"
        | "pairings_list"
        | "pairings_revoke"
        | "prekeys_claim"
        | "prekeys_count"
        | "sessions_end"
        | "sessions_list"
        | "receive_passwords_delete"
        | "receive_passwords_show"
        | "recipients_show_public_key"
        | "transfers_create"
        | "transfers_delete"
        | "transfers_list"
        | "transfers_show"
        | "uploads_confirm"
        | "uploads_list_parts"
        | "uploads_put"
        | "usage_show" => return None,
        other => panic!("{other} has no row here"),
    };
    Some(good)
}

/// What a mailed link could have, and has not.
pub(crate) fn no_link() -> String {
    let token = LinkToken::new(&[7; 64]).unwrap();
    token.as_key().expose_secret().to_owned()
}

/// Those that take what works once, or take the account away, or are the other side's.
fn works_once(operation: &str) -> bool {
    matches!(
        operation,
        "account_delete"
            | "agents_connect"
            | "email_verifications_confirm"
            | "pairings_confirm"
            | "password_resets_confirm"
            | "uploads_abort"
    )
}

/// Checks that an answer is the documented refusal of a field.
fn assert_refused(what: &str, answer: &Answer, field: &str) {
    if answer.status == 413 {
        answer.expect_error(413, "BODY_TOO_LARGE");
        return;
    }
    assert_eq!(answer.status, 400, "{what}: {:?}", answer.json());
    let error = answer.expect_error(400, "VALIDATION_ERROR");
    let details = error["details"].as_array().unwrap();
    assert!(!details.is_empty(), "{what}: {error}");
    let named = |it: &Value| {
        let said = it["field"].as_str().unwrap();
        said == "body"
            || said == field
            || said.starts_with(&format!("{field}."))
            || said.starts_with(&format!("{field}["))
    };
    assert!(details.iter().all(named), "{what}: {error}");
    assert!(answer.bytes.len() < 2_000, "{what}: {}", answer.bytes.len());
}

/// A body with a field of it replaced by what is no value, or none of its type.
fn with_raw(body: &Value, field: &str, raw: &[u8]) -> Vec<u8> {
    let mut body = body.clone();
    let object = body.as_object_mut().unwrap();
    object.remove(field);
    let rest = serde_json::to_string(object).unwrap();
    let rest = rest.trim_start_matches('{').trim_end_matches('}');
    let comma = if rest.is_empty() { "" } else { "," };
    let (start, end) = (format!("{{\"{field}\":"), format!("{comma}{rest}}}"));
    [start.as_bytes(), raw, end.as_bytes()].concat()
}
