//! Agents: registered, connected, shown, changed, ended.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{KEY, NOTHING, Page, anonymous, each};
use crate::parties::{Parties, Party};

#[tokio::test]
async fn register_and_connect_agent() {
    // Their tables are not published, but for what every page has.
    let mut register = Page::new("register-agent", &[(401, "UNAUTHORIZED")]);
    let mut connect = Page::new("connect-agent", &[(401, "UNAUTHORIZED")]);
    for (Parties { alex, .. }, _) in &each().await {
        let body = json!({
            "agent_id": "my-agent", "public_key": KEY, "public_key_algorithm": "X25519",
            "name": "My Analysis Agent",
        });
        let path = "/v1/agents/register";
        let refused = anonymous(alex).post(path, &body).await;
        register.refuses(&refused, (401, "UNAUTHORIZED"));
        let example = json!({
            "id": "uuid", "agent_uuid": "uuid", "agent_id": "=my-agent",
            "name": "=My Analysis Agent", "connection_status": "=connected", "public_key": "key",
            "key_version": "integer", "inbox_url": "url", "created_at": "time", "message": "string",
        });
        let made = register.answers(&alex.post(path, &body).await, 201, &example);
        assert_eq!(made["key_version"], 1);
        // What the published client polls.
        let inbox = format!("{}?status=active&limit=50", text(&made, "inbox_url"));
        assert_eq!(alex.get(&inbox).await.expect(200)["transfers"], json!([]));

        // In two steps.
        let body = json!({ "agent_id": "later", "agent_type": "langchain" });
        let example = json!({
            "agent": {
                "id": "uuid", "agent_id": "=later", "name": "string", "agent_type": "=langchain",
                "connection_status": "=pending",
            },
            "connection_token": "string", "claim_code": "string", "token_expires_at": "time",
        });
        let made = register.answers(&alex.post(path, &body).await, 201, &example);
        let token = text(&made, "connection_token");
        assert!(token.starts_with("agt_"));
        assert_eq!(text(&made, "claim_code").len(), 6);
        let with_token = alex.with_key(token);
        let (path, keys) = ("/v1/agents/connect", json!({ "public_key": KEY }));
        for party in [alex, &anonymous(alex)] {
            connect.refuses(&party.post(path, &keys).await, (401, "UNAUTHORIZED"));
        }
        let example = json!({
            "agent_id": "=later", "agent_uuid": "uuid", "status": "=connected",
            "key_version": "integer", "message": "string",
        });
        connect.answers(&with_token.post(path, &keys).await, 200, &example);
        // Once.
        connect.refuses(&with_token.post(path, &keys).await, (401, "UNAUTHORIZED"));
    }
    register.end();
    connect.end();
}

#[tokio::test]
async fn list_agents_and_sendable_agents() {
    let mut list = Page::new("list-agents", &[(401, "UNAUTHORIZED")]);
    let mut sendable = Page::new("list-sendable-agents", &[(401, "UNAUTHORIZED")]);
    for (parties, _) in &each().await {
        let alex = &parties.alex;
        parties.pair("both").await;
        let keyless = json!({ "agent_id": "keyless" });
        alex.post("/v1/agents/register", &keyless).await.expect(201);
        let example = json!({ "agents": [{
            "id": "uuid", "agent_id": "string", "name": "string", "description": "string?",
            "webhook_url": "url?", "agent_type": "string", "connection_status": "string",
            "key_version": "integer", "last_seen_at": "time?", "metadata": "object",
            "created_at": "time",
        }] });
        let listed = list.answers(&alex.get("/v1/agents").await, 200, &example);
        let agents = listed["agents"].as_array().unwrap();
        let keyless = agents
            .iter()
            .find(|it| it["agent_id"] == "keyless")
            .unwrap();
        assert_eq!(
            (&keyless["key_version"], &keyless["connection_status"]),
            (&json!(0), &json!("pending"))
        );
        let refused = anonymous(alex).get("/v1/agents").await;
        list.refuses(&refused, (401, "UNAUTHORIZED"));

        let path = "/v1/agents/sendable";
        let example = json!({ "agents": [{
            "id": "uuid", "agent_id": "string", "name": "string", "own": "boolean",
        }] });
        let listed = sendable.answers(&alex.get(path).await, 200, &example);
        let [own, other] = &listed["agents"].as_array().unwrap()[..] else {
            panic!("{listed}");
        };
        // Own ones first, and an account only where it is another one.
        assert_eq!((&own["own"], own.get("account_name")), (&json!(true), None));
        assert_eq!(
            (&other["own"], &other["account_name"]),
            (&json!(false), &json!("Jamie Chen"))
        );
        let refused = anonymous(alex).get(path).await;
        sendable.refuses(&refused, (401, "UNAUTHORIZED"));
    }
    list.end();
    sendable.end();
}

#[tokio::test]
async fn agent_profile() {
    let page = Page::new("agent-profile", &[]);
    for (parties, _) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        parties.pair("both").await;
        jamie
            .send("analysis-bot", "data-pipeline", &[])
            .await
            .expect(201);
        let example = json!({
            "agent": {
                "id": "uuid", "agent_id": "=data-pipeline", "name": "string",
                "description": "string?", "connection_status": "=connected",
                "key_version": "integer", "public_key_algorithm": "=X25519",
                "last_seen_at": "time?",
            },
            "account": { "plan": "string", "email": "=alex.morgan@example.org" },
            "plan_limits": {
                "transfers_per_month": "integer?", "storage_bytes": "integer?",
                "max_file_size": "integer?", "max_agents": "integer?",
                "max_connections": "integer?",
            },
            "connections": {
                "active": "integer", "pending_incoming": "integer", "pending_outgoing": "integer",
                "paired_agents": "strings",
            },
            "inbox": { "unread_transfers": "integer", "recent": [{
                "id": "string", "sender": "=analysis-bot", "status": "=active",
                "file_count": "integer", "total_size": "integer", "message": "string?",
                "is_encrypted": "boolean", "created_at": "time", "expires_at": "time",
            }] },
            "broadcasts": { "unread_count": "integer", "urgent": [] },
            "sdk": { "latest_versions": "object" },
        });
        let me = page.answers(&alex.get("/v1/agents/me").await, 200, &example);
        assert_eq!(me["inbox"]["unread_transfers"], 1);
        assert_eq!(me["connections"]["paired_agents"], json!(["analysis-bot"]));
        let named = parties
            .server
            .http
            .request("GET", "/v1/agents/me", &alex.account.key);
        let named = send(named.header("x-agentdrop-agent", "data-pipeline")).await;
        page.answers(&named, 200, &example);
    }
    page.end();
}

#[tokio::test]
async fn resolve_agent() {
    let mut page = Page::new(
        "resolve-agent",
        &[(400, "AMBIGUOUS_RECIPIENT"), (404, "NOT_FOUND")],
    );
    for (parties, mallory) in &each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let path = "/v1/agents/resolve?agent_id=analysis-bot";
        page.refuses(&alex.get(path).await, (404, "NOT_FOUND"));
        let (connection, _) = parties.pair("both").await;
        let example = json!({
            "agent_id": "=analysis-bot", "public_key": "key", "public_key_algorithm": "=X25519",
            "key_version": "integer", "signing_public_key": "key?",
            "connection_status": "=connected", "id": "uuid", "agent_uuid": "uuid",
        });
        let shown = page.answers(&alex.get(path).await, 200, &example);
        let by_id = format!("/v1/agents/resolve?agent_id={}", text(&shown, "id"));
        page.answers(&alex.get(&by_id).await, 200, &example);
        page.answers(&jamie.get(path).await, 200, &example);

        server.agent(&mallory.account, "analysis-bot").await;
        let other = alex.connect(mallory).await;
        alex.pair(mallory, &other, ["data-pipeline", "analysis-bot"], "both")
            .await;
        let refused = alex.get(path).await;
        let error = page.refuses(&refused, (400, "AMBIGUOUS_RECIPIENT"));
        assert_ambiguous(&error);
        for account in [&*jamie.account.id, "jamie@example.com", "Jamie%20Chen"] {
            let path = format!("{path}&account={account}");
            let found = page.answers(&alex.get(&path).await, 200, &example);
            assert_eq!(found["account_id"], jamie.account.id);
        }
        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
    }
    page.end();
}

/// The example of the error, which two pages have.
pub(super) fn assert_ambiguous(error: &Value) {
    let example = json!({
        "code": "=AMBIGUOUS_RECIPIENT", "status": "integer",
        "message": "=Multiple agents with this agent_id exist across paired accounts. Pass \
                    `recipient_account` (email or account UUID) to disambiguate.",
        "candidates": [{
            "account_id": "uuid", "account_name": "string", "email_masked": "string",
        }],
    });
    super::assert_shape("AMBIGUOUS_RECIPIENT", error, &example);
    let candidates = error["candidates"].as_array().unwrap();
    let masked: Vec<_> = candidates
        .iter()
        .map(|it| text(it, "email_masked"))
        .collect();
    assert_eq!(masked.len(), 2, "{error}");
    // Two characters stay, and one star stands for each of the others.
    for it in ["ja***@example.com", "ma*****@example.org"] {
        assert!(masked.iter().any(|masked| masked == it), "{error}");
    }
}

#[tokio::test]
async fn get_update_and_delete_agent() {
    const ROWS: &[(u16, &str)] = &[
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
    ];
    let mut get = Page::new("get-agent", ROWS);
    let mut update = Page::new(
        "update-agent",
        &[
            (400, "VALIDATION_ERROR"),
            (401, "UNAUTHORIZED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
        ],
    );
    let mut delete = Page::new("delete-agent", ROWS);
    for (Parties { alex, jamie, .. }, _) in &each().await {
        let id = text(
            &alex.get("/v1/agents/data-pipeline").await.expect(200),
            "id",
        );
        let (path, nothing) = (format!("/v1/agents/{id}"), format!("/v1/agents/{NOTHING}"));
        let body = json!({
            "name": "Renamed", "description": "What it does", "agent_type": "crewai",
            "webhook_url": "https://example.org/hook", "metadata": { "team": "data" },
        });
        let nobody = anonymous(alex);
        let patch = async |party: &Party, path: &str| party.patch(path, &body).await;
        get.refuses(&nobody.get(&path).await, (401, "UNAUTHORIZED"));
        get.hides(&jamie.get(&path).await, (403, "FORBIDDEN"));
        get.refuses(&alex.get(&nothing).await, (404, "NOT_FOUND"));
        update.refuses(&patch(&nobody, &path).await, (401, "UNAUTHORIZED"));
        update.hides(&patch(jamie, &path).await, (403, "FORBIDDEN"));
        update.refuses(&patch(alex, &nothing).await, (404, "NOT_FOUND"));
        delete.refuses(&nobody.delete(&path).await, (401, "UNAUTHORIZED"));
        delete.hides(&jamie.delete(&path).await, (403, "FORBIDDEN"));
        delete.refuses(&alex.delete(&nothing).await, (404, "NOT_FOUND"));
        for bad in [
            json!({ "agent_type": "robot" }),
            json!({ "name": 7 }),
            json!({ "metadata": "team" }),
        ] {
            let refused = alex.patch(&path, &bad).await;
            update.refuses(&refused, (400, "VALIDATION_ERROR"));
        }
        let example = json!({
            "id": "uuid", "agent_id": "=data-pipeline", "name": "string", "description": "string?",
            "webhook_url": "string?", "agent_type": "string", "connection_status": "=connected",
            "metadata": "object", "created_at": "time",
        });
        let updated = update.answers(&patch(alex, &path).await, 200, &example);
        assert_eq!(updated["metadata"], json!({ "team": "data" }));
        // It is replaced and not added to, and a key is no field of this.
        let other = json!({ "metadata": { "a": 1 }, "public_key": "x", "key_version": 9 });
        let updated = update.answers(&alex.patch(&path, &other).await, 200, &example);
        assert_eq!(updated["metadata"], json!({ "a": 1 }));
        assert_eq!(
            (&updated["public_key"], &updated["key_version"]),
            (&json!(KEY), &json!(1))
        );
        let mut whole = example;
        for (name, kind) in [
            ("public_key", "key"),
            ("public_key_spki", "string"),
            ("signing_public_key", "key?"),
            ("key_version", "integer"),
            ("last_seen_at", "time?"),
        ] {
            whole[name] = json!(kind);
        }
        get.answers(&alex.get(&path).await, 200, &whole);
        let example = json!({ "message": "=Agent deleted" });
        delete.answers(&alex.delete(&path).await, 200, &example);
        delete.refuses(&alex.delete(&path).await, (404, "NOT_FOUND"));
    }
    for page in [get, update, delete] {
        page.end();
    }
}

#[tokio::test]
async fn disconnect_agent() {
    let mut page = Page::new(
        "disconnect-agent",
        &[
            (401, "UNAUTHORIZED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
            (409, "ALREADY_DISCONNECTED"),
        ],
    );
    for (Parties { alex, jamie, .. }, _) in &each().await {
        let id = text(
            &alex.get("/v1/agents/data-pipeline").await.expect(200),
            "id",
        );
        let path = format!("/v1/agents/{id}/disconnect");
        let post = async |party: &Party, path: &str| party.post(path, &json!({})).await;
        page.refuses(&post(&anonymous(alex), &path).await, (401, "UNAUTHORIZED"));
        page.hides(&post(jamie, &path).await, (403, "FORBIDDEN"));
        let nothing = format!("/v1/agents/{NOTHING}/disconnect");
        page.refuses(&post(alex, &nothing).await, (404, "NOT_FOUND"));
        let example = json!({
            "agent_id": "=data-pipeline", "status": "=disconnected",
            "message": "=Agent disconnected. Encryption keys have been wiped.",
        });
        page.answers(&post(alex, &path).await, 200, &example);
        let again = post(alex, &path).await;
        page.refuses(&again, (409, "ALREADY_DISCONNECTED"));
        let shown = alex.get(&format!("/v1/agents/{id}")).await.expect(200);
        assert_eq!(shown["public_key"], Value::Null);
    }
    page.end();
}

#[tokio::test]
async fn agent_inbox() {
    let mut page = Page::new(
        "agent-inbox",
        &[
            (401, "UNAUTHORIZED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
        ],
    );
    for (parties, _) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        parties.pair("both").await;
        alex.send("data-pipeline", "analysis-bot", &[("message", "hello")])
            .await
            .expect(201);
        let id = text(
            &jamie.get("/v1/agents/analysis-bot").await.expect(200),
            "id",
        );
        let path = format!("/v1/agents/{id}/inbox");
        let example = json!({
            "agent_id": "=analysis-bot",
            "transfers": [{
                "id": "string", "url": "url", "api_url": "url", "mode": "=agent-to-agent",
                "sender": "=data-pipeline", "recipient": "=analysis-bot", "status": "=active",
                "files": [{ "name": "=a.txt", "size": "integer", "content_type": "string" }],
                "total_size": "integer", "file_count": "integer", "downloads": "integer",
                "max_downloads": "integer", "message": "=hello", "auto_delete": "boolean",
                "is_encrypted": "boolean", "expires_at": "time", "created_at": "time",
                "download_url": "url", "channel_id": "uuid?", "encryption_salt": "string?",
                "recipient_account_id": "uuid",
            }],
            "total": "integer", "limit": "integer", "offset": "integer",
        });
        let all = format!("{path}?status=active&limit=50&offset=0");
        for path in [&path, &all] {
            let listed = page.answers(&jamie.get(path).await, 200, &example);
            assert_eq!(
                (&listed["limit"], &listed["offset"]),
                (&json!(50), &json!(0))
            );
        }
        // What the register page's `inbox_url` was, once.
        let mut example = example;
        example.as_object_mut().unwrap().remove("agent_id");
        let path_of_all = "/v1/transfers/inbox?status=active&limit=50";
        page.answers(&jamie.get(path_of_all).await, 200, &example);
        page.refuses(&anonymous(jamie).get(&path).await, (401, "UNAUTHORIZED"));
        page.hides(&alex.get(&path).await, (403, "FORBIDDEN"));
        let nothing = format!("/v1/agents/{NOTHING}/inbox");
        page.refuses(&jamie.get(&nothing).await, (404, "NOT_FOUND"));
    }
    page.end();
}
