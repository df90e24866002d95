//! Keys that act as one agent.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_key_of_an_agent_is_made_listed_and_revoked() {
    for world in &World::each().await {
        let named = json!({ "name": "ci" });
        let made = world.post("/v1/agents/bob/keys", &named).await.expect(201);
        assert_eq!(made["scope"], "agent");
        assert_eq!(made["agent_id"], world.bob["id"]);
        let key = text(&made, "api_key");
        assert!(key.starts_with("ada_live_"));
        // Without a body, and by its other name.
        let path = format!("/v1/agents/{}/keys", text(&world.bob, "id"));
        let http = &world.server.http;
        let unnamed = send(http.request("POST", &path, &world.account.key)).await;
        assert_eq!(unnamed.expect(201)["name"], "default");
        let listed = world.get(&path).await.expect(200);
        let listed = listed["keys"].as_array().unwrap().clone();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|it| it.get("api_key").is_none()));
        assert_eq!(
            world.get("/v1/agents/alice/keys").await.expect(200)["keys"],
            json!([])
        );

        let me = http.get("/v1/agents/me", &key).await.expect(200);
        assert_eq!(me["agent"]["agent_id"], "bob");
        let id = text(&made, "id");
        let of_another = format!("/v1/agents/alice/keys/{id}");
        world
            .delete(&of_another)
            .await
            .expect_error(404, "NOT_FOUND");
        let path = format!("{path}/{id}");
        assert_eq!(world.delete(&path).await.expect(200)["revoked"], true);
        http.get("/v1/agents/me", &key)
            .await
            .expect_error(401, "KEY_REVOKED");
        world.delete(&path).await.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_key_of_an_agent_sends_and_receives_as_it() {
    for world in &World::each().await {
        let (http, sent) = (&world.server.http, world.sent(&[]).await);
        let (_, bob) = world.agent_key("bob").await;
        let inbox = http.get("/v1/transfers/inbox", &bob).await.expect(200);
        assert_eq!(inbox["agent_id"], "bob");
        assert_eq!(inbox["transfers"][0]["id"], sent["id"]);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        http.get(&path, &bob).await.expect(200);
        let grant = http
            .get(&format!("{path}/download"), &bob)
            .await
            .expect(200);
        let ack = json!({ "download_id": grant["download_id"], "status": "received" });
        let acked = http.post(&format!("{path}/ack"), &bob, &ack).await;
        assert_eq!(acked.expect(200)["status"], "received");
        // Its sender sees it, and cannot say it in the recipient's place.
        let (_, alice) = world.agent_key("alice").await;
        let seen = http.get(&path, &alice).await.expect(200);
        assert_eq!(seen["deliveries"][0]["download_id"], grant["download_id"]);
        let acked = http.post(&format!("{path}/ack"), &alice, &ack).await;
        acked.expect_error(404, "NOT_FOUND");

        let fields = [("sender", "bob"), ("recipient", "alice")];
        let sent = http.form("/v1/transfers", &bob, &fields, &[("a", b"x")]);
        assert_eq!(sent.await.expect(201)["sender_agent_id"], world.bob["id"]);
        let listed = http.get("/v1/transfers", &bob).await.expect(200);
        assert_eq!(listed["total"], 1);
        let between = json!({ "agent_id": "bob", "target_agent_id": "alice" });
        http.post("/v1/channels", &bob, &between).await.expect(200);
        for path in [
            "/v1/agents/resolve?agent_id=alice",
            "/v1/agents/sendable",
            "/v1/agents/alice/public-keys",
            "/v1/agents/bob",
            "/v1/agents/bob/inbox",
        ] {
            http.get(path, &bob).await.expect(200);
        }
    }
}
