//! Accounts and API keys.

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::server::text;
use serde_json::json;

use super::{Page, anonymous, each};
use crate::parties::Parties;

#[tokio::test]
async fn accounts() {
    let page = Page::new("accounts v1", &[]);
    for (Parties { server, .. }, _) in &each().await {
        let body = json!({ "name": "My Org", "email": "dev@myorg.com" });
        let made = server.http.post("/v1/accounts", "", &body).await;
        let example = json!({ "id": "uuid", "name": "=My Org", "api_key": "string" });
        let made = page.answers(&made, 201, &example);
        assert!(text(&made, "api_key").starts_with("agd_live_"));
    }
    page.end();
}

#[tokio::test]
async fn api_keys() {
    let mut create = Page::new(
        "create-api-key",
        &[(401, "UNAUTHORIZED"), (403, "KEY_LIMIT_REACHED")],
    );
    let mut list = Page::new("list-api-keys", &[(401, "UNAUTHORIZED")]);
    let mut revoke = Page::new(
        "revoke-api-key",
        &[
            (401, "UNAUTHORIZED"),
            (404, "NOT_FOUND"),
            (409, "SELF_REVOKE"),
        ],
    );
    for (Parties { server, alex, .. }, mallory) in &each().await {
        let nobody = anonymous(alex);
        let body = json!({ "name": "production-agent" });
        let made = alex.post("/v1/api-keys", &body).await;
        let example = json!({
            "id": "string", "name": "=production-agent", "api_key": "string", "created_at": "time",
        });
        let made = create.answers(&made, 201, &example);
        let refused = nobody.post("/v1/api-keys", &body).await;
        create.refuses(&refused, (401, "UNAUTHORIZED"));

        let example = json!({ "keys": [{
            "id": "string", "name": "string", "prefix": "string", "last_used_at": "time?",
            "transfer_count": "integer", "created_at": "time",
        }] });
        let listed = list.answers(&alex.get("/v1/api-keys").await, 200, &example);
        list.refuses(&nobody.get("/v1/api-keys").await, (401, "UNAUTHORIZED"));

        let keys = listed["keys"].as_array().unwrap();
        let own = keys.iter().find(|it| it["id"] != made["id"]).unwrap();
        let own = format!("/v1/api-keys/{}", text(own, "id"));
        let path = format!("/v1/api-keys/{}", text(&made, "id"));
        revoke.refuses(&nobody.delete(&path).await, (401, "UNAUTHORIZED"));
        revoke.refuses(&mallory.delete(&path).await, (404, "NOT_FOUND"));
        revoke.refuses(&alex.delete(&own).await, (409, "SELF_REVOKE"));
        let example = json!({ "id": "string", "revoked": "true", "revoked_at": "time" });
        let revoked = revoke.answers(&alex.delete(&path).await, 200, &example);
        assert_eq!(revoked["id"], made["id"]);
        revoke.refuses(&alex.delete(&path).await, (404, "NOT_FOUND"));
        let late = alex.with_key(text(&made, "api_key"));
        late.get("/v1/agents")
            .await
            .expect_error(401, "KEY_REVOKED");
        server.set_plan(&alex.account, Plan::Free).await;
        alex.post("/v1/api-keys", &body).await.expect(201);
        let full = alex.post("/v1/api-keys", &body).await;
        create.refuses(&full, (403, "KEY_LIMIT_REACHED"));
    }
    for page in [create, list, revoke] {
        page.end();
    }
}

/// Not on a page: as the published client uses them.
#[tokio::test]
async fn keys_of_agents() {
    let mut page = Page::new(
        "agent keys",
        &[(401, "KEY_REVOKED"), (403, "SCOPE_MISMATCH")],
    );
    for (Parties { alex, .. }, _) in &each().await {
        let path = "/v1/agents/data-pipeline/keys";
        let made = alex.post(path, &json!({ "name": "default" })).await;
        let example = json!({
            "id": "string", "name": "=default", "prefix": "string", "scope": "=agent",
            "agent_id": "uuid", "api_key": "string", "created_at": "time",
        });
        let made = page.answers(&made, 201, &example);
        let agent = alex.with_key(text(&made, "api_key"));
        assert!(agent.account.key.starts_with("ada_"));
        let example = json!({ "keys": [{
            "prefix": "string", "name": "=default", "last_used_at": "time?",
        }] });
        page.answers(&alex.get(path).await, 200, &example);
        let one = format!("{path}/{}", text(&made, "id"));
        for refused in [
            agent.post(path, &json!({ "name": "more" })).await,
            agent.get(path).await,
            agent.delete(&one).await,
        ] {
            page.refuses(&refused, (403, "SCOPE_MISMATCH"));
        }
        alex.delete(&one).await.expect(200);
        page.refuses(&agent.get("/v1/agents/me").await, (401, "KEY_REVOKED"));
    }
    page.end();
}

/// Their tables are not published, but for what every page has.
#[tokio::test]
async fn receive_passwords() {
    let mut own = Page::new("receive-password", &[(401, "UNAUTHORIZED")]);
    let mut others = Page::new("recipient-public-key", &[(401, "UNAUTHORIZED")]);
    for (
        Parties {
            server,
            alex,
            jamie,
        },
        _,
    ) in &each().await
    {
        let (session, nobody) = (server.session_of(&jamie.account).await, anonymous(alex));
        let body = crate::receive_passwords::password(super::KEY);
        let refused = crate::receive_passwords::put(server, "", &body).await;
        own.refuses(&refused, (401, "UNAUTHORIZED"));
        let set = crate::receive_passwords::put(server, &session, &body).await;
        own.answers(&set, 200, &json!({ "public_key": "key" }));
        let path = "/v1/transfers/recipient-public-key?email=jamie%40example.com";
        let example = json!({ "has_public_key": "true", "public_key": "key" });
        others.answers(&alex.get(path).await, 200, &example);
        others.refuses(&nobody.get(path).await, (401, "UNAUTHORIZED"));
    }
    own.end();
    others.end();
}
