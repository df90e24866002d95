//! Pairings: proposed, confirmed, changed.

use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::json;

use crate::parties::{Parties, Party};
use crate::world::file_url;

const AGENTS: [&str; 2] = ["data-pipeline", "analysis-bot"];

#[tokio::test]
async fn a_pairing_is_proposed_and_confirmed() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let connection = alex.connect(jamie).await;
        let mine = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let theirs = jamie.get("/v1/agents/analysis-bot").await.expect(200);
        let ids = [text(&mine, "id"), text(&theirs, "id")];
        let body = json!({ "my_agent_id": ids[0], "their_agent_id": ids[1] });
        let path = format!("/v1/connections/{connection}/pairings");
        let made = alex.post(&path, &body).await.expect(201);
        let id = text(&made, "id");
        assert_eq!(made["status"], "pending");
        assert_eq!(made["permission"], "both");
        assert_eq!(made["proposed_by"], alex.account.id);
        for (side, agent, slug) in [
            ("my_agent", &mine, AGENTS[0]),
            ("their_agent", &theirs, AGENTS[1]),
        ] {
            assert_eq!(made[side]["id"], agent["id"]);
            assert_eq!(made[side]["agent_id"], slug);
            assert_eq!(made[side]["name"], agent["name"]);
        }
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_pairings_count"], 1);
        assert_eq!(list["connections"][0]["pending_pairing_count"], 1);
        let pending = jamie
            .get("/v1/connections?status=pending")
            .await
            .expect(200);
        assert_eq!(pending["pending_pairings_count"], 1);
        let list = alex.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_pairings_count"], 0);

        alex.confirm(&id)
            .await
            .expect_error(403, "CANNOT_CONFIRM_OWN");
        let confirmed = jamie.confirm(&id).await.expect(200);
        assert_eq!(confirmed["status"], "active");
        assert_eq!(confirmed["id"], id);
        assert_eq!(
            confirmed["message"],
            "Pairing confirmed. Agents can now exchange files."
        );
        jamie.confirm(&id).await.expect_error(400, "INVALID_STATUS");
        let nobody = jamie.with_key(String::new());
        nobody.confirm(&id).await.expect_error(401, "UNAUTHORIZED");

        let shown = jamie.get(&path).await.expect(200);
        let shown = &shown["pairings"][0];
        let mut both = ids.clone();
        both.sort();
        assert_eq!(
            [text(&shown["agent_a"], "id"), text(&shown["agent_b"], "id")],
            both
        );
        assert_eq!(shown["status"], "active");
        assert_eq!(shown["confirmed_at"], confirmed["confirmed_at"]);
        assert_eq!(shown["revoked_at"], json!(null));
        assert_eq!(shown["agent_a_public_key"], mine["public_key"]);
        assert_eq!(shown["agent_b_key_version"], 1);
        assert!(shown["agent_a"]["account_id"].is_string());
        let list = alex.get("/v1/connections").await.expect(200);
        assert_eq!(list["connections"][0]["pairing_count"], 1);
    }
}

#[tokio::test]
async fn every_refusal_of_a_proposal() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let pending = text(&alex.invite(&jamie.email).await.expect(201), "id");
        alex.propose(&pending, AGENTS, "both")
            .await
            .expect_error(400, "CONNECTION_NOT_ACTIVE");
        let accept = format!("/v1/connections/{pending}/accept");
        jamie.post(&accept, &json!({})).await.expect(200);
        let connection = pending;

        let path = format!("/v1/connections/{connection}/pairings");
        for body in [
            json!({}),
            json!({ "my_agent_id": AGENTS[0] }),
            json!({ "my_agent_id": AGENTS[0], "their_agent_id": AGENTS[1], "permission": "all" }),
            json!({ "my_agent_id": "", "their_agent_id": AGENTS[1] }),
        ] {
            let refused = alex.post(&path, &body).await;
            refused.expect_error(400, "VALIDATION_ERROR");
        }
        for party in [alex, jamie] {
            let later = json!({ "agent_id": "later" });
            party.post("/v1/agents/register", &later).await.expect(201);
        }
        alex.propose(&connection, ["later", AGENTS[1]], "both")
            .await
            .expect_error(400, "AGENT_NOT_CONNECTED");
        alex.propose(&connection, [AGENTS[0], "later"], "both")
            .await
            .expect_error(400, "TARGET_NOT_CONNECTED");
        let nobody = alex.with_key(String::new());
        nobody
            .propose(&connection, AGENTS, "both")
            .await
            .expect_error(401, "UNAUTHORIZED");
        let apart = json!({ "available_for_connections": false });
        server.agent(&jamie.account, "apart").await;
        jamie.patch("/v1/agents/apart", &apart).await.expect(200);
        alex.propose(&connection, [AGENTS[0], "apart"], "both")
            .await
            .expect_error(403, "AGENT_NOT_AVAILABLE");
        let stranger = Party::new(server, "Mallory", "mallory@example.org").await;
        for (by, id) in [(&stranger, &*connection), (alex, &alex.account.id)] {
            by.propose(id, AGENTS, "both")
                .await
                .expect_error(404, "NOT_FOUND");
        }
        for agents in [
            ["nobody", AGENTS[1]],
            [AGENTS[0], "nobody"],
            [AGENTS[1], AGENTS[0]],
            [AGENTS[0], AGENTS[0]],
        ] {
            alex.propose(&connection, agents, "both")
                .await
                .expect_error(404, "AGENT_NOT_FOUND");
        }
        let made = alex.propose(&connection, AGENTS, "both").await.expect(201);
        let crossing = [AGENTS[1], AGENTS[0]];
        jamie
            .propose(&connection, crossing, "both")
            .await
            .expect_error(409, "PAIRING_EXISTS");
        jamie.confirm(&text(&made, "id")).await.expect(200);
        alex.propose(&connection, AGENTS, "send_only")
            .await
            .expect_error(409, "PAIRING_EXISTS");
        alex.delete(&format!("/v1/connections/{connection}"))
            .await
            .expect(200);
        alex.propose(&connection, AGENTS, "both")
            .await
            .expect_error(400, "CONNECTION_NOT_ACTIVE");
        let late = jamie.confirm(&text(&made, "id")).await;
        late.expect_error(400, "INVALID_STATUS");
        let change = json!({ "permission": "both" });
        let path = format!("/v1/pairings/{}", text(&made, "id"));
        let late = jamie.patch(&path, &change).await;
        late.expect_error(400, "INVALID_STATUS");
    }
}

#[tokio::test]
async fn terms_are_seen_from_each_side_and_confirmed_by_the_other() {
    for parties in &Parties::each().await {
        let Parties { alex, jamie, .. } = parties;
        let (connection, pairing) = parties.pair("send_only").await;
        let list = format!("/v1/connections/{connection}/pairings");
        let seen = async |by: &Party| {
            let shown = by.get(&list).await.expect(200)["pairings"][0].clone();
            (text(&shown, "permission"), text(&shown, "raw_permission"))
        };
        let both = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(seen(alex).await, both("send_only", "send_only"));
        assert_eq!(seen(jamie).await, both("receive_only", "send_only"));

        let path = format!("/v1/pairings/{pairing}");
        let change = json!({ "permission": "send_only" });
        assert_eq!(
            jamie.patch(&path, &change).await.expect(200),
            json!({
                "id": pairing, "permission": "send_only", "status": "pending",
                "message": "Permission updated. The other side must re-confirm the pairing.",
            })
        );
        assert_eq!(seen(jamie).await, both("send_only", "receive_only"));
        for (by, sender, recipient) in [(alex, AGENTS[0], AGENTS[1]), (jamie, AGENTS[1], AGENTS[0])]
        {
            let sent = by.send(sender, recipient, &[]).await;
            sent.expect_error(403, "SHARE_REQUIRED");
        }
        jamie
            .confirm(&pairing)
            .await
            .expect_error(403, "CANNOT_CONFIRM_OWN");
        alex.confirm(&pairing).await.expect(200);
        jamie.send(AGENTS[1], AGENTS[0], &[]).await.expect(201);
        for bad in [json!({}), json!({ "permission": "none" })] {
            let refused = jamie.patch(&path, &bad).await;
            refused.expect_error(400, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn a_pairing_is_ended_by_a_person_and_not_by_a_key() {
    for parties in &Parties::each().await {
        let Parties { server, alex, .. } = parties;
        let (_, pairing) = parties.pair("both").await;
        let path = format!("/v1/pairings/{pairing}");
        alex.delete(&path)
            .await
            .expect_error(403, "SESSION_REQUIRED");
        let stranger = Party::new(server, "Mallory", "mallory@example.org").await;
        let session = stranger.with_key(server.session_of(&stranger.account).await);
        let missing = session.delete(&path).await;
        missing.expect_error(404, "NOT_FOUND");
        let change = json!({ "permission": "both" });
        for refused in [
            stranger.delete(&path).await,
            stranger.patch(&path, &change).await,
            stranger.confirm(&pairing).await,
        ] {
            refused.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn the_key_of_an_agent_deals_with_its_own_pairings() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        server.agent(&alex.account, "other").await;
        let connection = alex.connect(jamie).await;
        let key = async |party: &Party, agent: &str| {
            let path = format!("/v1/agents/{agent}/keys");
            let made = party
                .post(&path, &json!({ "name": "ci" }))
                .await
                .expect(201);
            party.with_key(text(&made, "api_key"))
        };
        let (pipeline, other) = (key(alex, "data-pipeline").await, key(alex, "other").await);
        let bot = key(jamie, "analysis-bot").await;
        for mine in ["data-pipeline", "nobody"] {
            let refused = other.propose(&connection, [mine, AGENTS[1]], "both").await;
            refused.expect_error(403, "SCOPE_MISMATCH");
        }
        let made = pipeline.propose(&connection, AGENTS, "both").await;
        let id = text(&made.expect(201), "id");
        other.confirm(&id).await.expect_error(404, "NOT_FOUND");
        // Nor does it learn which key another agent of the account deals with.
        let compared =
            json!({ "their_public_key": "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=" });
        let path = format!("/v1/pairings/{id}/confirm");
        let refused = other.post(&path, &compared).await;
        refused.expect_error(404, "NOT_FOUND");
        bot.confirm(&id).await.expect(200);
        let list = format!("/v1/connections/{connection}/pairings");
        for (by, count) in [(&pipeline, 1), (&bot, 1), (&other, 0)] {
            let shown = by.get(&list).await.expect(200);
            assert_eq!(shown["pairings"].as_array().unwrap().len(), count);
        }
        pipeline.send(AGENTS[0], AGENTS[1], &[]).await.expect(201);
        let me = pipeline.get("/v1/agents/me").await.expect(200);
        assert_eq!(me["connections"]["paired_agents"], json!(["analysis-bot"]));
        let me = other.get("/v1/agents/me").await.expect(200);
        assert_eq!(me["connections"]["paired_agents"], json!([]));
        assert_eq!(me["connections"]["active"], 1);
        // What another agent is paired with is nothing to this one.
        let found = other.get("/v1/agents/resolve?agent_id=analysis-bot").await;
        found.expect_error(404, "NOT_FOUND");
        let sendable = other.get("/v1/agents/sendable").await.expect(200);
        assert_eq!(sendable["agents"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn of_many_who_propose_at_once_one_does_and_one_confirms() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let connection = alex.connect(jamie).await;
        let swapped = [AGENTS[1], AGENTS[0]];
        let proposals = (0..8).map(async |n: u8| {
            if n.is_multiple_of(2) {
                alex.propose(&connection, AGENTS, "both").await
            } else {
                jamie.propose(&connection, swapped, "both").await
            }
        });
        let answers = join_all(proposals).await;
        let made: Vec<_> = answers.iter().filter(|it| it.status == 201).collect();
        assert_eq!(made.len(), 1);
        for refused in answers.iter().filter(|it| it.status != 201) {
            refused.expect_error(409, "PAIRING_EXISTS");
        }
        let made = made[0].expect(201);
        let other = if made["proposed_by"] == alex.account.id {
            jamie
        } else {
            alex
        };
        let id = text(&made, "id");
        let answers = join_all((0..8).map(|_| other.confirm(&id))).await;
        let confirmed = answers.iter().filter(|it| it.status == 200).count();
        assert_eq!(confirmed, 1);
    }
}

/// The agents that it is not about go on as they did.
#[tokio::test]
async fn a_person_who_ends_a_pairing_ends_what_stands_on_it() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (connection, pairing) = parties.pair("both").await;
        server.agent(&jamie.account, "other-bot").await;
        let others = [AGENTS[0], "other-bot"];
        let other = alex.pair(jamie, &connection, others, "both").await;
        let between = |to: &str| json!({ "agent_id": AGENTS[0], "target_agent_id": to, "account": jamie.email });
        for to in [AGENTS[1], "other-bot"] {
            let made = alex.post("/v1/channels", &between(to)).await.expect(200);
            assert_eq!(made["status"], "active", "{made}");
        }
        let sent = alex.send(AGENTS[0], AGENTS[1], &[]).await.expect(201);
        let kept = alex.send(AGENTS[0], "other-bot", &[]).await.expect(201);
        let download =
            |of: &serde_json::Value| format!("/v1/transfers/{}/download", text(of, "id"));
        let grant = jamie.get(&download(&sent)).await.expect(200);
        let url = file_url(&grant, 0);

        // Either side may.
        let person = jamie.with_key(server.session_of(&jamie.account).await);
        let path = format!("/v1/pairings/{pairing}");
        let answers = join_all((0..4).map(|_| person.delete(&path))).await;
        let done: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
        assert_eq!(done.len(), 1);
        let said = json!({ "id": pairing, "status": "revoked" });
        assert_eq!(done[0].expect(200), said);
        for refused in answers.iter().filter(|it| it.status != 200) {
            refused.expect_error(400, "ALREADY_REVOKED");
        }

        let refused = alex.send(AGENTS[0], AGENTS[1], &[]).await;
        refused.expect_error(403, "SHARE_REQUIRED");
        let late = jamie.get(&download(&sent)).await;
        late.expect_error(410, "GONE");
        assert!(server.http.get(&url, "").await.status >= 400);
        let channels = alex.get("/v1/channels").await.expect(200);
        let active = channels["channels"].as_array().unwrap().iter();
        let active = active.filter(|it| it["status"] == "active").count();
        assert_eq!(active, 1, "{channels}");
        alex.send(AGENTS[0], "other-bot", &[]).await.expect(201);
        jamie.get(&download(&kept)).await.expect(200);
        let path = format!("/v1/connections/{connection}/pairings");
        let list = alex.get(&path).await.expect(200);
        for shown in list["pairings"].as_array().unwrap() {
            let over = shown["id"] == *pairing;
            assert!(over || shown["id"] == *other);
            assert_eq!(shown["status"], if over { "revoked" } else { "active" });
        }
        server.sweep().await;
        // One that waits is turned down like that.
        let again = alex.propose(&connection, AGENTS, "both").await.expect(201);
        let path = format!("/v1/pairings/{}", text(&again, "id"));
        person.delete(&path).await.expect(200);
    }
}

#[tokio::test]
async fn only_what_was_seen_is_agreed_to() {
    const OTHER: &str = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=";
    for parties in Parties::each().await {
        let Parties { alex, jamie, .. } = &parties;
        let connection = parties.connect().await;
        let agents = ["data-pipeline", "analysis-bot"];
        let made = alex.propose(&connection, agents, "send_only").await;
        let path = format!("/v1/pairings/{}/confirm", text(&made.expect(201), "id"));
        let mine = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let key = text(&mine, "public_key");
        assert_ne!(key, OTHER);
        for changed in [
            json!({ "permission": "both" }),
            json!({ "permission": "send_only" }),
            json!({ "their_public_key": OTHER }),
            json!({ "permission": "receive_only", "their_public_key": OTHER }),
        ] {
            let refused = jamie.post(&path, &changed).await;
            refused.expect_error(409, "TERMS_CHANGED");
        }
        let seen = json!({ "permission": "receive_only", "their_public_key": key });
        jamie.post(&path, &seen).await.expect(200);
    }
}
