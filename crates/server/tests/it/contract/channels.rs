//! Channels.

use agentdrop_testkit::server::text;
use serde_json::json;

use super::{NOTHING, Page, anonymous, each};
use crate::parties::Parties;

#[tokio::test]
async fn create_channel() {
    let mut page = Page::new(
        "create-channel",
        &[
            (400, "VALIDATION_ERROR"),
            (401, "UNAUTHORIZED"),
            (403, "NO_CONNECTION"),
            (404, "NOT_FOUND"),
            (409, "CHANNEL_EXISTS"),
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
        server.agent(&alex.account, "second").await;
        let ask = |one: &str, other: &str| json!({ "agent_id": one, "target_agent_id": other });
        let refused = anonymous(alex)
            .post("/v1/channels", &ask("data-pipeline", "second"))
            .await;
        page.refuses(&refused, (401, "UNAUTHORIZED"));
        for bad in [
            json!({ "agent_id": "second" }),
            json!({ "target_agent_id": "second" }),
            ask("second", "second"),
        ] {
            page.refuses(
                &alex.post("/v1/channels", &bad).await,
                (400, "VALIDATION_ERROR"),
            );
        }
        let theirs = text(
            &jamie.get("/v1/agents/analysis-bot").await.expect(200),
            "id",
        );
        let keyless = json!({ "agent_id": "keyless" });
        alex.post("/v1/agents/register", &keyless).await.expect(201);
        for (one, other) in [
            ("second", "nobody"),
            ("second", "keyless"),
            ("second", NOTHING),
            ("nobody", "second"),
        ] {
            let refused = alex.post("/v1/channels", &ask(one, other)).await;
            page.refuses(&refused, (404, "NOT_FOUND"));
        }
        // An agent that exists and one that does not are the same to whoever is not connected.
        let stranger = alex.post("/v1/channels", &ask("second", &theirs)).await;
        stranger.expect_error(404, "NOT_FOUND");

        let example = json!({
            "id": "uuid", "status": "=active", "my_public_key": "key", "their_public_key": "key",
        });
        let body = ask("data-pipeline", "second");
        let made = page.answers(&alex.post("/v1/channels", &body).await, 200, &example);
        // Not 409: the published client asks each time it starts.
        let again = page.answers(&alex.post("/v1/channels", &body).await, 200, &example);
        assert_eq!(again["id"], made["id"]);

        // Across accounts: pending until the other side asks, too.
        let connection = alex.connect(jamie).await;
        let (mine, other) = (
            ask("data-pipeline", "analysis-bot"),
            ask("analysis-bot", "data-pipeline"),
        );
        let mut pending = example.clone();
        pending["status"] = json!("=pending");
        let waiting = page.answers(&alex.post("/v1/channels", &mine).await, 200, &pending);
        let agreed = page.answers(&jamie.post("/v1/channels", &other).await, 200, &example);
        assert_eq!(agreed["id"], waiting["id"]);
        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
        // Of the agent it has dealt with it may know that it is out of reach.
        let late = alex
            .post("/v1/channels", &ask("data-pipeline", &theirs))
            .await;
        page.refuses(&late, (403, "NO_CONNECTION"));
    }
    page.end();
}

#[tokio::test]
async fn get_list_and_revoke_channel() {
    let mut get = Page::new("get-channel", &[(403, "FORBIDDEN"), (404, "NOT_FOUND")]);
    let list = Page::new("list-channels", &[]);
    let mut revoke = Page::new(
        "revoke-channel",
        &[
            (400, "ALREADY_REVOKED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
        ],
    );
    for (parties, mallory) in &each().await {
        let Parties { alex, jamie, .. } = parties;
        parties.pair("both").await;
        let body = json!({ "agent_id": "data-pipeline", "target_agent_id": "analysis-bot" });
        let made = alex.post("/v1/channels", &body).await.expect(200);
        let path = format!("/v1/channels/{}", text(&made, "id"));
        let example = json!({
            "id": "uuid", "agent_a_id": "uuid", "agent_b_id": "uuid", "status": "=active",
            "agent_a_public_key": "key", "agent_b_public_key": "key",
            "agent_a_key_version": "integer", "agent_b_key_version": "integer",
        });
        for party in [alex, jamie] {
            let shown = get.answers(&party.get(&path).await, 200, &example);
            assert!(text(&shown, "agent_a_id") < text(&shown, "agent_b_id"));
            let example = json!({ "channels": [example] });
            list.answers(&party.get("/v1/channels").await, 200, &example);
        }
        let nothing = format!("/v1/channels/{NOTHING}");
        get.hides(&mallory.get(&path).await, (403, "FORBIDDEN"));
        get.refuses(&alex.get(&nothing).await, (404, "NOT_FOUND"));
        revoke.hides(&mallory.delete(&path).await, (403, "FORBIDDEN"));
        revoke.refuses(&alex.delete(&nothing).await, (404, "NOT_FOUND"));
        let example = json!({ "message": "string" });
        revoke.answers(&jamie.delete(&path).await, 200, &example);
        for party in [alex, jamie] {
            revoke.refuses(&party.delete(&path).await, (400, "ALREADY_REVOKED"));
        }
    }
    for page in [get, list, revoke] {
        page.end();
    }
}
