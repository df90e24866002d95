//! Connections and blocks.

use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::server::text;
use serde_json::json;

use super::{NOTHING, Page, anonymous, each};
use crate::parties::Parties;

#[tokio::test]
async fn create_connection() {
    let mut page = Page::new(
        "create-connection",
        &[
            (400, "VALIDATION_ERROR"),
            (400, "SELF_CONNECTION"),
            (401, "UNAUTHORIZED"),
            (403, "BLOCKED"),
            (403, "PLAN_LIMIT_REACHED"),
            (409, "ALREADY_CONNECTED"),
            (409, "INVITE_PENDING"),
            (429, "RATE_LIMITED"),
        ],
    );
    for (
        Parties {
            server,
            alex,
            jamie,
        },
        _,
    ) in &each().await
    {
        let refused = anonymous(alex).invite(&jamie.email).await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        page.refuses(&alex.invite("nobody").await, (400, "VALIDATION_ERROR"));
        let long = [("x".repeat(245), 1), ("x".repeat(10), 501)];
        for (local, length) in long {
            let email = format!("{local}@example.org");
            let long = json!({ "email": email, "message": "x".repeat(length) });
            let refused = alex.post("/v1/connections", &long).await;
            page.refuses(&refused, (400, "VALIDATION_ERROR"));
        }
        let own = alex.invite(&alex.email).await;
        page.refuses(&own, (400, "SELF_CONNECTION"));

        let body = json!({ "email": jamie.email, "message": "Let's connect our agents!" });
        let made = alex.post("/v1/connections", &body).await;
        let example = json!({
            "id": "uuid", "status": "=pending", "invited_email": "=jamie@example.com",
            "message": "=Let's connect our agents!", "created_at": "time",
        });
        let made = page.answers(&made, 201, &example);
        let again = alex.post("/v1/connections", &body).await;
        page.refuses(&again, (409, "INVITE_PENDING"));
        // As long as the page allows.
        let long = json!({ "email": "long@example.org", "message": "x".repeat(500) });
        alex.post("/v1/connections", &long).await.expect(201);
        let plain = alex.invite("plain@example.org").await;
        let mut example = example;
        example["invited_email"] = json!("=plain@example.org");
        example["message"] = json!("string?");
        page.answers(&plain, 201, &example);

        let path = format!("/v1/connections/{}", text(&made, "id"));
        let accept = jamie.post(&format!("{path}/accept"), &json!({})).await;
        accept.expect(200);
        let again = alex.invite(&jamie.email).await;
        page.refuses(&again, (409, "ALREADY_CONNECTED"));
        let block = jamie.post(&format!("{path}/block"), &json!({})).await;
        block.expect(200);
        for (one, other) in [(alex, jamie), (jamie, alex)] {
            page.refuses(&one.invite(&other.email).await, (403, "BLOCKED"));
        }
        for n in 0..7 {
            let email = format!("guest{n}@example.org");
            alex.invite(&email).await.expect(201);
        }
        let over = alex.invite("one-more@example.org").await;
        page.refuses(&over, (429, "RATE_LIMITED"));
        assert_eq!(over.header("retry-after"), "3600");
        server.clock.advance(Duration::from_hours(1));
        alex.invite("one-more@example.org").await.expect(201);
        server.set_plan(&alex.account, Plan::Free).await;
        let full = alex.invite("too-many@example.org").await;
        page.refuses(&full, (403, "PLAN_LIMIT_REACHED"));
    }
    page.end();
}

#[tokio::test]
async fn list_connections() {
    let mut page = Page::new("list-connections", &[(401, "UNAUTHORIZED")]);
    for (parties, mallory) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        let (connection, _) = parties.pair("both").await;
        parties.server.agent(&jamie.account, "other").await;
        let proposed = jamie
            .propose(&connection, ["other", "data-pipeline"], "both")
            .await;
        proposed.expect(201);
        let body = json!({ "email": alex.email, "message": "Want to pair our research agents" });
        mallory.post("/v1/connections", &body).await.expect(201);
        alex.invite("later@example.org").await.expect(201);

        let account = json!({
            "id": "uuid", "name": "string", "email": "string", "avatar_url": "url?",
        });
        let example = json!({
            "connections": [{
                "id": "uuid", "other_account": account, "status": "=active", "invited_by": "uuid",
                "message": "string?", "created_at": "time", "accepted_at": "time",
                "pairing_count": "integer", "pending_pairing_count": "integer",
            }],
            "pending_incoming": [{
                "id": "uuid", "from": account, "message": "=Want to pair our research agents",
                "created_at": "time",
            }],
            "pending_outgoing": [{
                "id": "uuid", "to_email": "=later@example.org", "message": "string?",
                "created_at": "time",
            }],
            "pending_pairings_count": "integer",
        });
        for path in ["/v1/connections?status=all", "/v1/connections"] {
            let listed = page.answers(&alex.get(path).await, 200, &example);
            assert_eq!(listed["pending_pairings_count"], 1);
            assert_eq!(listed["connections"][0]["pairing_count"], 1);
            assert_eq!(listed["connections"][0]["pending_pairing_count"], 1);
            // The guide reads another name.
            assert_eq!(listed["active"], listed["connections"]);
        }
        for (status, active, pending) in [("active", 1, 0), ("pending", 0, 1)] {
            let path = format!("/v1/connections?status={status}");
            let listed = alex.get(&path).await.expect(200);
            let count = |name: &str| listed[name].as_array().unwrap().len();
            assert_eq!(count("connections"), active, "{status}");
            assert_eq!(count("pending_incoming"), pending, "{status}");
            assert_eq!(count("pending_outgoing"), pending, "{status}");
        }
        // Revoked ones are not in it.
        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
        let listed = alex.get("/v1/connections?status=all").await.expect(200);
        assert_eq!(listed["connections"], json!([]));
        let refused = anonymous(alex).get("/v1/connections").await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
    }
    page.end();
}

#[tokio::test]
async fn accept_and_reject_connection() {
    const ROWS: &[(u16, &str)] = &[
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (409, "ALREADY_PROCESSED"),
    ];
    let accept =
        json!({ "id": "uuid", "status": "=active", "message": "=Connection established." });
    let reject = json!({ "id": "uuid", "status": "=rejected" });
    for (name, what, example) in [
        ("accept-connection", "accept", accept),
        ("reject-connection", "reject", reject),
    ] {
        let mut page = Page::new(name, ROWS);
        for (Parties { alex, jamie, .. }, mallory) in &each().await {
            let id = text(&alex.invite(&jamie.email).await.expect(201), "id");
            let of = |id: &str| format!("/v1/connections/{id}/{what}");
            let path = of(&id);
            let refused = anonymous(jamie).post(&path, &json!({})).await;
            page.refuses(&refused, (401, "UNAUTHORIZED"));
            let own = alex.post(&path, &json!({})).await;
            page.refuses(&own, (403, "FORBIDDEN"));
            for refused in [
                mallory.post(&path, &json!({})).await,
                jamie.post(&of(NOTHING), &json!({})).await,
            ] {
                page.refuses(&refused, (404, "NOT_FOUND"));
            }
            let done = page.answers(&jamie.post(&path, &json!({})).await, 200, &example);
            assert_eq!(done["id"], id);
            let again = jamie.post(&path, &json!({})).await;
            if what == "accept" {
                page.refuses(&again, (409, "ALREADY_PROCESSED"));
            } else {
                // Its record is gone, so one that was accepted shows the row.
                page.refuses(&again, (404, "NOT_FOUND"));
                let other = alex.connect(jamie).await;
                let late = jamie.post(&of(&other), &json!({})).await;
                page.refuses(&late, (409, "ALREADY_PROCESSED"));
            }
        }
        page.end();
    }
}

#[tokio::test]
async fn delete_connection() {
    let mut page = Page::new(
        "delete-connection",
        &[
            (401, "UNAUTHORIZED"),
            (404, "NOT_FOUND"),
            (409, "ALREADY_REVOKED"),
        ],
    );
    for (parties, mallory) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        let (connection, _) = parties.pair("both").await;
        let path = format!("/v1/connections/{connection}");
        let refused = anonymous(alex).delete(&path).await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        page.refuses(&mallory.delete(&path).await, (404, "NOT_FOUND"));
        let example = json!({ "id": "uuid", "status": "=revoked", "pairings_revoked": "integer" });
        let ended = page.answers(&jamie.delete(&path).await, 200, &example);
        assert_eq!(ended["pairings_revoked"], 1);
        for party in [alex, jamie] {
            page.refuses(&party.delete(&path).await, (409, "ALREADY_REVOKED"));
        }
    }
    page.end();
}

#[tokio::test]
async fn blocking() {
    let mut block = Page::new("block-user", &[(403, "FORBIDDEN"), (404, "NOT_FOUND")]);
    let mut unblock = Page::new("unblock-user", &[(403, "FORBIDDEN"), (404, "NOT_FOUND")]);
    let list = Page::new("list-blocked", &[]);
    for (parties, mallory) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        let invited = alex.invite("nobody@example.org").await.expect(201);
        let of = |id: &str| format!("/v1/connections/{id}/block");
        let nobody = alex.post(&of(&text(&invited, "id")), &json!({})).await;
        block.refuses(&nobody, (403, "FORBIDDEN"));
        let (connection, _) = parties.pair("both").await;
        let path = of(&connection);
        for refused in [
            mallory.post(&path, &json!({})).await,
            alex.post(&of(NOTHING), &json!({})).await,
        ] {
            block.refuses(&refused, (404, "NOT_FOUND"));
        }
        let example = json!({
            "blocked_account_id": "uuid", "pairings_revoked": "integer",
            "connection_revoked": "true",
        });
        let blocked = block.answers(&alex.post(&path, &json!({})).await, 200, &example);
        assert_eq!(blocked["blocked_account_id"], jamie.account.id);
        assert_eq!(blocked["pairings_revoked"], 1);

        let example = json!({ "blocked": [{
            "id": "uuid", "blocked_at": "time",
            "account": { "id": "uuid", "name": "=Jamie Chen", "email": "string" },
        }] });
        let listed = list.answers(&alex.get("/v1/blocked").await, 200, &example);
        let of = |id: &str| format!("/v1/blocked/{id}");
        let path = of(&text(&listed["blocked"][0], "id"));
        // Whoever is blocked does not learn of the record.
        for party in [jamie, mallory] {
            unblock.hides(&party.delete(&path).await, (403, "FORBIDDEN"));
        }
        unblock.refuses(&alex.delete(&of(NOTHING)).await, (404, "NOT_FOUND"));
        let example = json!({ "unblocked_account_id": "uuid", "message": "string" });
        let unblocked = unblock.answers(&alex.delete(&path).await, 200, &example);
        assert_eq!(unblocked["unblocked_account_id"], jamie.account.id);
        unblock.refuses(&alex.delete(&path).await, (404, "NOT_FOUND"));
        // Nothing comes back by itself.
        let refused = jamie.send("analysis-bot", "data-pipeline", &[]).await;
        refused.expect_error(403, "SHARE_REQUIRED");
    }
    for page in [block, unblock, list] {
        page.end();
    }
}
