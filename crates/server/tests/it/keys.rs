//! The API keys of an account.

use agentdrop_testkit::server::text;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_key_is_made_listed_used_and_revoked() {
    for world in &World::each().await {
        let body = json!({ "name": "production-agent" });
        let made = world.post("/v1/api-keys", &body).await.expect(201);
        assert!(text(&made, "id").starts_with("key_"));
        assert_eq!(made["name"], "production-agent");
        assert_eq!(made["scope"], "account");
        assert_eq!(made["created_at"], "2026-04-17T12:00:00.000Z");
        let key = text(&made, "api_key");
        assert!(key.starts_with("agd_live_") && key.len() == 47, "{key}");

        let find = |keys: serde_json::Value| {
            let keys = keys["keys"].as_array().unwrap().clone();
            keys.into_iter().find(|it| it["id"] == made["id"])
        };
        let listed = world.get("/v1/api-keys").await.expect(200);
        let listed = find(listed).unwrap();
        assert_eq!(listed["prefix"].as_str(), key.get(..13));
        assert_eq!(listed["last_used_at"], json!(null));
        assert_eq!(listed["transfer_count"], 0);
        assert!(listed.get("api_key").is_none());

        let fields = [("sender", "x"), ("recipient", "bob")];
        let http = &world.server.http;
        let sent = http.form("/v1/transfers", &key, &fields, &[("a", b"x")]);
        sent.await.expect(201);
        let path = format!("/v1/api-keys/{}", text(&made, "id"));
        let own = http.delete(&path, &key).await;
        own.expect_error(409, "SELF_REVOKE");
        let listed = world.get("/v1/api-keys").await.expect(200);
        assert_eq!(find(listed).unwrap()["transfer_count"], 1);

        let revoked = world.delete(&path).await.expect(200);
        assert_eq!(revoked["id"], made["id"]);
        assert_eq!(revoked["revoked"], true);
        assert_eq!(revoked["revoked_at"], "2026-04-17T12:00:00.000Z");
        http.get("/v1/agents", &key)
            .await
            .expect_error(401, "KEY_REVOKED");
        world.delete(&path).await.expect_error(404, "NOT_FOUND");
        let listed = world.get("/v1/api-keys").await.expect(200);
        assert_eq!(find(listed), None);
    }
}
