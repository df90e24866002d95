//! Agents: how they come by their keys, change them and lose them.

use std::time::Duration;

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, blobs, file_url};

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const OTHER_KEY: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";
const SIGNING_KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[tokio::test]
async fn an_agent_with_a_key_is_registered_in_one_step() {
    for world in &World::each().await {
        let body = json!({
            "agent_id": "my-agent", "public_key": KEY, "public_key_algorithm": "X25519",
            "signing_public_key": SIGNING_KEY, "signing_key_algorithm": "Ed25519",
            "name": "My Analysis Agent", "description": "one\ntwo", "agent_type": "langchain",
            "webhook_url": "https://example.org/hook", "metadata": { "team": 7 },
        });
        let made = world.post("/v1/agents/register", &body).await.expect(201);
        for (field, value) in [
            ("agent_id", json!("my-agent")),
            ("name", json!("My Analysis Agent")),
            ("description", json!("one\ntwo")),
            ("agent_type", json!("langchain")),
            ("webhook_url", json!("https://example.org/hook")),
            ("metadata", json!({ "team": 7 })),
            ("connection_status", json!("connected")),
            ("available_for_connections", json!(true)),
            ("public_key", json!(KEY)),
            ("signing_public_key", json!(SIGNING_KEY)),
            ("public_key_algorithm", json!("X25519")),
            ("key_version", json!(1)),
            ("created_at", json!("2026-04-17T12:00:00.000Z")),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        assert_eq!(made["id"], made["agent_uuid"]);
        assert!(text(&made, "message").contains("registered"));
        assert!(made.get("connection_token").is_none());
        let inbox = text(&made, "inbox_url");
        assert_eq!(world.get(&inbox).await.expect(200)["agent_id"], "my-agent");
        world
            .post("/v1/agents/register", &body)
            .await
            .expect_error(409, "AGENT_EXISTS");

        // The other form of a key is the same key, and a slug is a name.
        let spki = text(&made, "public_key_spki");
        let body = json!({ "agent_id": "Other_1.x", "public_key": spki });
        let other = world.post("/v1/agents/register", &body).await.expect(201);
        assert_eq!(other["public_key"], KEY);
        assert_eq!(other["name"], "Other_1.x");
        assert_eq!(other["agent_type"], "custom");
        // Of low order: whoever encrypts to it encrypts to everybody.
        for low in [
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            let body = json!({ "agent_id": "low", "public_key": low });
            let refused = world.post("/v1/agents/register", &body).await;
            refused.expect_error(400, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn an_agent_without_a_key_is_registered_in_two_steps() {
    for world in &World::each().await {
        let (http, body) = (
            &world.server.http,
            json!({ "agent_id": "later", "agent_type": "n8n" }),
        );
        let made = world.post("/v1/agents/register", &body).await.expect(201);
        assert_eq!(made["agent"]["agent_id"], "later");
        assert_eq!(made["agent"]["connection_status"], "pending");
        assert_eq!(made["connection_status"], "pending");
        assert_eq!(made["key_version"], 0);
        assert_eq!(made["token_expires_at"], "2026-04-17T13:00:00.000Z");
        assert_eq!(text(&made, "claim_code").len(), 6);
        let token = text(&made, "connection_token");
        assert!(token.starts_with("agt_"));
        // It is no key, and a key is no token.
        http.get("/v1/agents", &token)
            .await
            .expect_error(401, "UNAUTHORIZED");
        let keys = json!({ "public_key": KEY });
        let connect = "/v1/agents/connect";
        world
            .post(connect, &keys)
            .await
            .expect_error(401, "UNAUTHORIZED");
        http.post(connect, "", &keys)
            .await
            .expect_error(401, "UNAUTHORIZED");

        let done = http.post(connect, &token, &keys).await.expect(200);
        assert_eq!(done["agent_id"], "later");
        assert_eq!(done["agent_uuid"], made["id"]);
        assert_eq!(done["status"], "connected");
        assert_eq!(done["key_version"], 1);
        assert!(done["message"].is_string());
        http.post(connect, &token, &keys)
            .await
            .expect_error(401, "UNAUTHORIZED");

        let late = json!({ "agent_id": "late" });
        let late = world.post("/v1/agents/register", &late).await.expect(201);
        world.server.clock.advance(Duration::from_hours(1));
        let token = text(&late, "connection_token");
        http.post(connect, &token, &keys)
            .await
            .expect_error(401, "UNAUTHORIZED");
        world.server.sweep().await;
        http.post(connect, &token, &keys)
            .await
            .expect_error(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn of_many_who_use_a_token_at_once_one_connects() {
    for world in &World::each().await {
        let body = json!({ "agent_id": "later" });
        let made = world.post("/v1/agents/register", &body).await.expect(201);
        let (token, keys) = (
            text(&made, "connection_token"),
            json!({ "public_key": KEY }),
        );
        let http = &world.server.http;
        let racers = (0..16).map(|_| http.post("/v1/agents/connect", &token, &keys));
        let answers = join_all(racers).await;
        assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
        for refused in answers.iter().filter(|it| it.status != 200) {
            refused.expect_error(401, "UNAUTHORIZED");
        }
        let agent = world.get("/v1/agents/later").await.expect(200);
        assert_eq!(agent["key_version"], 1);
    }
}

#[tokio::test]
async fn of_many_who_register_a_name_at_once_one_gets_it() {
    for world in &World::each().await {
        let body = json!({ "agent_id": "one", "public_key": KEY });
        let racers = (0..16).map(|_| world.post("/v1/agents/register", &body));
        let answers = join_all(racers).await;
        assert_eq!(answers.iter().filter(|it| it.status == 201).count(), 1);
        for refused in answers.iter().filter(|it| it.status != 201) {
            refused.expect_error(409, "AGENT_EXISTS");
        }
    }
}

#[tokio::test]
async fn an_agent_is_shown_changed_and_listed() {
    for world in &World::each().await {
        let by_id = world
            .get(&format!("/v1/agents/{}", text(&world.bob, "id")))
            .await;
        let by_slug = world.get("/v1/agents/bob").await;
        assert_eq!(by_id.expect(200), by_slug.expect(200));
        let change = json!({ "name": "Bob", "description": "d", "agent_type": "crewai",
            "webhook_url": "https://example.org", "metadata": { "a": 1 },
            "available_for_connections": false, "public_key": OTHER_KEY, "agent_id": "robert" });
        let changed = world.patch("/v1/agents/bob", &change).await.expect(200);
        for field in [
            "name",
            "description",
            "agent_type",
            "webhook_url",
            "metadata",
            "available_for_connections",
        ] {
            assert_eq!(changed[field], change[field], "{field}");
        }
        assert_eq!(
            changed["public_key"], world.bob["public_key"],
            "it is not changed here"
        );
        assert_eq!(changed["agent_id"], "bob");
        let change = json!({ "metadata": { "b": 2 }, "name": null });
        let changed = world.patch("/v1/agents/bob", &change).await.expect(200);
        assert_eq!(changed["metadata"], json!({ "b": 2 }), "the whole object");
        assert_eq!(changed["name"], "Bob");
        let listed = world.get("/v1/agents").await.expect(200);
        let listed = listed["agents"].as_array().unwrap();
        assert_eq!(listed.len(), 2);
        let bob = listed.iter().find(|it| it["agent_id"] == "bob");
        assert_eq!(bob, Some(&changed));
    }
}

#[tokio::test]
async fn sendable_are_those_with_keys() {
    for world in &World::each().await {
        world
            .post("/v1/agents/register", &json!({ "agent_id": "later" }))
            .await
            .expect(201);
        let sendable = world.get("/v1/agents/sendable").await.expect(200);
        let mut sendable = sendable["agents"].as_array().unwrap().clone();
        // Of agents of one moment either may be the older.
        sendable.sort_by_key(|it| text(it, "agent_id"));
        let expected = [&world.alice, &world.bob].map(|it| {
            let slug = &it["agent_id"];
            json!({ "id": it["id"], "agent_id": slug, "name": slug, "own": true })
        });
        assert_eq!(sendable, expected);
    }
}

#[tokio::test]
async fn resolving_tells_what_it_takes_to_send() {
    for world in &World::each().await {
        let bob = text(&world.bob, "id");
        let email = world.get("/v1/agents/me").await.expect(200);
        let email = text(&email["account"], "email").to_uppercase();
        for query in [
            "agent_id=bob".to_owned(),
            format!("agent_id={bob}"),
            format!("agent_id=bob&account={}", world.account.id),
            format!("agent_id=bob&account={email}"),
        ] {
            let found = world
                .get(&format!("/v1/agents/resolve?{query}"))
                .await
                .expect(200);
            assert_eq!(found["agent_id"], "bob");
            assert_eq!(found["id"], world.bob["id"]);
            assert_eq!(found["agent_uuid"], world.bob["id"]);
            assert_eq!(found["account_id"], world.account.id);
            assert_eq!(found["public_key"], KEY);
            assert_eq!(found["public_key_algorithm"], "X25519");
            assert_eq!(found["key_version"], 1);
            assert_eq!(found["signing_public_key"], Value::Null);
            assert_eq!(found["connection_status"], "connected");
        }
        for query in [
            "agent_id=nobody",
            "agent_id=bob&account=somebody@example.org",
        ] {
            let path = format!("/v1/agents/resolve?{query}");
            world.get(&path).await.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn a_disconnected_agent_has_no_keys_and_may_have_new_ones() {
    for world in &World::each().await {
        let between = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let channel = world.post("/v1/channels", &between).await.expect(200);
        let path = "/v1/agents/bob/disconnect";
        let http = &world.server.http;
        let gone = send(http.request("POST", path, &world.account.key))
            .await
            .expect(200);
        assert_eq!(gone["agent_id"], "bob");
        assert_eq!(gone["status"], "disconnected");
        assert_eq!(
            gone["message"],
            "Agent disconnected. Encryption keys have been wiped."
        );
        let again = send(http.request("POST", path, &world.account.key)).await;
        again.expect_error(409, "ALREADY_DISCONNECTED");
        let bob = world.get("/v1/agents/bob").await.expect(200);
        assert_eq!(bob["public_key"], Value::Null);
        assert_eq!(bob["connection_status"], "disconnected");
        let channel = world
            .get(&format!("/v1/channels/{}", text(&channel, "id")))
            .await;
        assert_eq!(channel.expect(200)["status"], "revoked");
        world
            .post("/v1/channels", &between)
            .await
            .expect_error(404, "NOT_FOUND");

        let keys = json!({ "public_key": OTHER_KEY });
        let back = world
            .post("/v1/agents/bob/rotate-key", &keys)
            .await
            .expect(200);
        assert_eq!(
            (&back["status"], &back["key_version"]),
            (&json!("connected"), &json!(2))
        );
        world.post("/v1/channels", &between).await.expect(200);
    }
}

#[tokio::test]
async fn keys_are_rotated_and_remembered() {
    for world in &World::each().await {
        let rotate = json!({ "public_key": OTHER_KEY, "signing_public_key": SIGNING_KEY });
        let rotated = world
            .post("/v1/agents/bob/rotate-key", &rotate)
            .await
            .expect(200);
        assert_eq!(rotated["key_version"], 2);
        assert_eq!(rotated["agent_uuid"], world.bob["id"]);
        world.server.clock.advance(Duration::from_mins(1));
        let rotate = json!({ "public_key": KEY });
        let rotated = world
            .post("/v1/agents/bob/rotate-key", &rotate)
            .await
            .expect(200);
        assert_eq!(rotated["key_version"], 3);
        let history = world.get("/v1/agents/bob/public-keys").await.expect(200);
        let keys = history["keys"].as_array().unwrap();
        let versions: Vec<_> = keys.iter().map(|it| &it["key_version"]).collect();
        assert_eq!(versions, [3, 2, 1]);
        assert_eq!(keys[1]["public_key"], OTHER_KEY);
        assert_eq!(keys[0]["signing_public_key"], SIGNING_KEY, "it stays");
        assert_eq!(keys[0]["retired_at"], Value::Null);
        assert_eq!(keys[1]["retired_at"], "2026-04-17T12:01:00.000Z");
    }
}

#[tokio::test]
async fn deleting_an_agent_deletes_what_it_sent_and_was_sent() {
    for world in &World::each().await {
        let empty = blobs(&world.server);
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let fields = [("sender", "bob"), ("recipient", "alice")];
        let http = &world.server.http;
        let back = http.form("/v1/transfers", &world.account.key, &fields, &[("b", b"b")]);
        let back = back.await.expect(201);
        let (_, key) = world.agent_key("bob").await;
        assert_eq!(blobs(&world.server).len(), empty.len() + 2);

        let gone = world.delete("/v1/agents/bob").await.expect(200);
        assert_eq!(gone, json!({ "message": "Agent deleted" }));
        world.has_blobs(&empty).await;
        for path in [
            "/v1/agents/bob".to_owned(),
            format!("/v1/transfers/{}", text(&sent, "id")),
            format!("/v1/transfers/{}", text(&back, "id")),
            file_url(&grant, 0),
        ] {
            world.get(&path).await.expect_error(404, "NOT_FOUND");
        }
        http.get("/v1/agents/me", &key)
            .await
            .expect_error(401, "UNAUTHORIZED");
        world
            .delete("/v1/agents/bob")
            .await
            .expect_error(404, "NOT_FOUND");
        world.server.agent(&world.account, "bob").await;
    }
}

#[tokio::test]
async fn an_agent_that_starts_is_told_who_it_is_and_what_waits() {
    for world in &World::each().await {
        for _ in 0..7 {
            world.sent(&[("message", "hello")]).await;
        }
        let http = &world.server.http;
        let me = http.request("GET", "/v1/agents/me", &world.account.key);
        let me = send(me.header("x-agentdrop-agent", "bob"))
            .await
            .expect(200);
        assert_eq!(me["agent"]["id"], world.bob["id"]);
        assert_eq!(me["agent"]["connection_status"], "connected");
        assert_eq!(me["agent"]["last_seen_at"], "2026-04-17T12:00:00.000Z");
        assert_eq!(me["account"]["plan"], "enterprise");
        assert_eq!(me["inbox"]["unread_transfers"], 7);
        let recent = me["inbox"]["recent"].as_array().unwrap();
        assert_eq!(recent.len(), 5);
        assert_eq!(
            (&recent[0]["sender"], &recent[0]["message"]),
            (&json!("alice"), &json!("hello"))
        );
        for field in [
            "id",
            "status",
            "file_count",
            "total_size",
            "is_encrypted",
            "created_at",
            "expires_at",
        ] {
            assert!(!recent[0][field].is_null(), "{field}");
        }
        for (part, field) in [
            ("connections", "paired_agents"),
            ("broadcasts", "urgent"),
            ("sdk", "latest_versions"),
            ("plan_limits", "max_file_size"),
        ] {
            assert!(!me[part][field].is_null(), "{part}.{field}");
        }
        // Without the header, the first that has keys.
        let other = world.server.account().await;
        let pending = json!({ "agent_id": "pending" });
        let pending = http.post("/v1/agents/register", &other.key, &pending).await;
        pending.expect(201);
        for slug in ["first", "second"] {
            world.server.clock.advance(Duration::from_secs(1));
            world.server.agent(&other, slug).await;
        }
        let first = http.get("/v1/agents/me", &other.key).await.expect(200);
        assert_eq!(first["agent"]["agent_id"], "first");
        let nobody = world.server.account().await;
        http.get("/v1/agents/me", &nobody.key)
            .await
            .expect_error(404, "NOT_FOUND");
    }
}
