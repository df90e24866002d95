//! Pairings.

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{NOTHING, Page, anonymous, each};
use crate::parties::{Parties, Party};

const AGENTS: [&str; 2] = ["data-pipeline", "analysis-bot"];

#[tokio::test]
async fn create_pairing() {
    let mut page = Page::new(
        "create-pairing",
        &[
            (400, "VALIDATION_ERROR"),
            (400, "CONNECTION_NOT_ACTIVE"),
            (400, "AGENT_NOT_CONNECTED"),
            (400, "TARGET_NOT_CONNECTED"),
            (401, "UNAUTHORIZED"),
            (403, "AGENT_NOT_AVAILABLE"),
            (403, "PLAN_LIMIT_REACHED"),
            (404, "NOT_FOUND"),
            (404, "AGENT_NOT_FOUND"),
            (409, "PAIRING_EXISTS"),
        ],
    );
    for (
        Parties {
            server,
            alex,
            jamie,
        },
        mallory,
    ) in &each().await
    {
        let invited = text(&alex.invite(&jamie.email).await.expect(201), "id");
        let early = alex.propose(&invited, AGENTS, "both").await;
        page.refuses(&early, (400, "CONNECTION_NOT_ACTIVE"));
        let accept = format!("/v1/connections/{invited}/accept");
        jamie.post(&accept, &json!({})).await.expect(200);
        let connection = invited;
        server.agent(&mallory.account, "third").await;

        let refused = anonymous(alex).propose(&connection, AGENTS, "both").await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        let path = format!("/v1/connections/{connection}/pairings");
        for body in [
            json!({}),
            json!({ "my_agent_id": "data-pipeline" }),
            json!({ "their_agent_id": "analysis-bot" }),
            json!({ "my_agent_id": AGENTS[0], "their_agent_id": AGENTS[1], "permission": "all" }),
        ] {
            page.refuses(&alex.post(&path, &body).await, (400, "VALIDATION_ERROR"));
        }
        for (party, connection) in [(mallory, &*connection), (alex, NOTHING)] {
            let refused = party.propose(connection, AGENTS, "both").await;
            page.refuses(&refused, (404, "NOT_FOUND"));
        }
        let third = mallory.get("/v1/agents/third").await.expect(200);
        for agents in [
            [AGENTS[0], "nobody"],
            ["nobody", AGENTS[1]],
            // Not of the account that it should be of.
            [AGENTS[1], AGENTS[0]],
            [AGENTS[0], AGENTS[0]],
            [AGENTS[0], NOTHING],
            [AGENTS[0], &text(&third, "id")],
        ] {
            let refused = alex.propose(&connection, agents, "both").await;
            page.refuses(&refused, (404, "AGENT_NOT_FOUND"));
        }
        for party in [alex, jamie] {
            let body = json!({ "agent_id": "keyless" });
            party.post("/v1/agents/register", &body).await.expect(201);
        }
        let refused = alex
            .propose(&connection, ["keyless", AGENTS[1]], "both")
            .await;
        page.refuses(&refused, (400, "AGENT_NOT_CONNECTED"));
        let refused = alex
            .propose(&connection, [AGENTS[0], "keyless"], "both")
            .await;
        page.refuses(&refused, (400, "TARGET_NOT_CONNECTED"));
        let available = async |is: bool| {
            let body = json!({ "available_for_connections": is });
            let changed = jamie.patch("/v1/agents/analysis-bot", &body).await;
            changed.expect(200);
        };
        available(false).await;
        let refused = alex.propose(&connection, AGENTS, "both").await;
        page.refuses(&refused, (403, "AGENT_NOT_AVAILABLE"));
        available(true).await;

        let made = example(&page, alex, jamie, &connection).await;
        // Pending or active, whoever asks.
        for _ in 0..2 {
            for (party, agents) in [(alex, AGENTS), (jamie, [AGENTS[1], AGENTS[0]])] {
                let again = party.propose(&connection, agents, "both").await;
                page.refuses(&again, (409, "PAIRING_EXISTS"));
            }
            jamie.confirm(&text(&made, "id")).await;
        }
        server.set_plan(&alex.account, Plan::Free).await;
        for slug in ["second", "third"] {
            server.agent(&jamie.account, slug).await;
        }
        let second = alex.propose(&connection, [AGENTS[0], "second"], "both");
        second.await.expect(201);
        let full = alex
            .propose(&connection, [AGENTS[0], "third"], "both")
            .await;
        page.refuses(&full, (403, "PLAN_LIMIT_REACHED"));
    }
    page.end();
}

/// The page's example: by id, as it has them.
async fn example(page: &Page, alex: &Party, jamie: &Party, connection: &str) -> Value {
    let mine = text(
        &alex.get("/v1/agents/data-pipeline").await.expect(200),
        "id",
    );
    let theirs = text(
        &jamie.get("/v1/agents/analysis-bot").await.expect(200),
        "id",
    );
    let made = alex
        .propose(connection, [&mine, &theirs], "send_only")
        .await;
    let example = json!({
        "id": "uuid", "status": "=pending",
        "my_agent": { "id": "uuid", "agent_id": "=data-pipeline", "name": "string" },
        "their_agent": { "id": "uuid", "agent_id": "=analysis-bot", "name": "string" },
        "permission": "=send_only", "proposed_by": "uuid",
    });
    let made = page.answers(&made, 201, &example);
    assert_eq!(
        (&made["my_agent"]["id"], &made["their_agent"]["id"]),
        (&json!(mine), &json!(theirs))
    );
    assert_eq!(made["proposed_by"], alex.account.id);
    made
}

#[tokio::test]
async fn list_pairings() {
    let mut page = Page::new(
        "list-pairings",
        &[(401, "UNAUTHORIZED"), (404, "NOT_FOUND")],
    );
    for (parties, mallory) in &each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (connection, first) = parties.pair("send_only").await;
        server.agent(&jamie.account, "other").await;
        // Newest first, which the clock of a test has to tell.
        server.clock.advance(std::time::Duration::from_secs(1));
        let second = alex
            .propose(&connection, [AGENTS[0], "other"], "both")
            .await;
        let second = text(&second.expect(201), "id");
        let agent =
            json!({ "id": "uuid", "agent_id": "string", "name": "string", "account_id": "uuid" });
        let example = json!({ "pairings": [{
            "id": "uuid", "agent_a": agent, "agent_b": agent, "status": "string",
            "permission": "string", "raw_permission": "string", "proposed_by": "uuid",
            "agent_a_public_key": "key", "agent_a_key_version": "integer",
            "agent_b_public_key": "key", "agent_b_key_version": "integer",
            "created_at": "time", "confirmed_at": "time?", "revoked_at": "time?",
        }] });
        let path = format!("/v1/connections/{connection}/pairings");
        for (party, seen) in [(alex, "send_only"), (jamie, "receive_only")] {
            let listed = page.answers(&party.get(&path).await, 200, &example);
            let [newer, older] = &listed["pairings"].as_array().unwrap()[..] else {
                panic!("{listed}");
            };
            assert_eq!(
                (text(newer, "id"), text(older, "id")),
                (second.clone(), first.clone())
            );
            assert_eq!(
                (&newer["status"], &older["status"]),
                (&json!("pending"), &json!("active"))
            );
            assert!(newer["confirmed_at"].is_null() && older["confirmed_at"].is_string());
            assert_eq!(older["permission"], seen);
            assert_eq!(older["raw_permission"], "send_only");
        }
        page.refuses(&anonymous(alex).get(&path).await, (401, "UNAUTHORIZED"));
        page.refuses(&mallory.get(&path).await, (404, "NOT_FOUND"));
    }
    page.end();
}

#[tokio::test]
async fn confirm_pairing() {
    let mut page = Page::new(
        "confirm-pairing",
        &[
            (400, "INVALID_STATUS"),
            (401, "UNAUTHORIZED"),
            (403, "CANNOT_CONFIRM_OWN"),
            (404, "NOT_FOUND"),
        ],
    );
    for (Parties { alex, jamie, .. }, mallory) in &each().await {
        let connection = alex.connect(jamie).await;
        let made = alex.propose(&connection, AGENTS, "both").await.expect(201);
        let id = text(&made, "id");
        page.refuses(&anonymous(jamie).confirm(&id).await, (401, "UNAUTHORIZED"));
        page.refuses(&alex.confirm(&id).await, (403, "CANNOT_CONFIRM_OWN"));
        page.refuses(&mallory.confirm(&id).await, (404, "NOT_FOUND"));
        page.refuses(&jamie.confirm(NOTHING).await, (404, "NOT_FOUND"));
        let example = json!({
            "id": "uuid", "status": "=active", "confirmed_at": "time",
            "message": "=Pairing confirmed. Agents can now exchange files.",
        });
        page.answers(&jamie.confirm(&id).await, 200, &example);
        page.refuses(&jamie.confirm(&id).await, (400, "INVALID_STATUS"));
        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
        page.refuses(&jamie.confirm(&id).await, (400, "INVALID_STATUS"));
    }
    page.end();
}

#[tokio::test]
async fn update_pairing() {
    let mut page = Page::new(
        "update-pairing",
        &[
            (400, "VALIDATION_ERROR"),
            (400, "INVALID_STATUS"),
            (401, "UNAUTHORIZED"),
            (404, "NOT_FOUND"),
        ],
    );
    for (parties, mallory) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        let (connection, id) = parties.pair("both").await;
        let path = format!("/v1/pairings/{id}");
        let body = json!({ "permission": "send_only" });
        let refused = anonymous(jamie).patch(&path, &body).await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        page.refuses(&mallory.patch(&path, &body).await, (404, "NOT_FOUND"));
        let nothing = format!("/v1/pairings/{NOTHING}");
        page.refuses(&jamie.patch(&nothing, &body).await, (404, "NOT_FOUND"));
        for bad in [json!({}), json!({ "permission": "none" })] {
            page.refuses(&jamie.patch(&path, &bad).await, (400, "VALIDATION_ERROR"));
        }
        let example = json!({
            "id": "uuid", "permission": "=send_only", "status": "=pending",
            "message": "=Permission updated. The other side must re-confirm the pairing.",
        });
        page.answers(&jamie.patch(&path, &body).await, 200, &example);
        // Stored as whoever proposed it sees it.
        let list = format!("/v1/connections/{connection}/pairings");
        let listed = alex.get(&list).await.expect(200);
        assert_eq!(listed["pairings"][0]["raw_permission"], "receive_only");
        let path_of = format!("/v1/connections/{connection}");
        alex.delete(&path_of).await.expect(200);
        page.refuses(&jamie.patch(&path, &body).await, (400, "INVALID_STATUS"));
    }
    page.end();
}

#[tokio::test]
async fn delete_pairing() {
    let mut page = Page::new(
        "delete-pairing",
        &[
            (400, "ALREADY_REVOKED"),
            (401, "UNAUTHORIZED"),
            (403, "SESSION_REQUIRED"),
            (404, "NOT_FOUND"),
        ],
    );
    for (parties, mallory) in &each().await {
        let (_, id) = parties.pair("both").await;
        let path = format!("/v1/pairings/{id}");
        let refused = anonymous(&parties.alex).delete(&path).await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        let refused = parties.alex.delete(&path).await;
        page.refuses(&refused, (403, "SESSION_REQUIRED"));
        page.refuses(&mallory.delete(&path).await, (404, "NOT_FOUND"));
        let session = parties.server.session_of(&parties.alex.account).await;
        let person = parties.alex.with_key(session);
        let example = json!({ "id": "uuid", "status": "=revoked" });
        page.answers(&person.delete(&path).await, 200, &example);
        let again = person.delete(&path).await;
        page.refuses(&again, (400, "ALREADY_REVOKED"));
    }
    page.end();
}
