//! Connections: invited, seen, answered, ended.

use agentdrop_protocol::wire::accounts::CreateAccount;
use agentdrop_server::{Config, EmailVerification, Signup, admin};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestAccount, TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::world::assert_same;

#[tokio::test]
async fn an_invitation_is_sent_seen_and_taken_up() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let body = json!({ "email": "Jamie@Example.com", "message": "Let's connect our agents!" });
        let sent = alex.post("/v1/connections", &body).await.expect(201);
        assert_eq!(sent["status"], "pending");
        assert_eq!(sent["invited_email"], "Jamie@Example.com");
        assert_eq!(sent["message"], "Let's connect our agents!");
        let id = text(&sent, "id");

        let seen = jamie.get("/v1/connections?status=all").await.expect(200);
        let alex_shown = json!({
            "id": alex.account.id, "name": "Alex Morgan", "email": "alex.morgan@example.org",
            "avatar_url": null,
        });
        assert_eq!(
            seen,
            json!({
                "connections": [], "active": [], "pending_outgoing": [],
                "pending_pairings_count": 0,
                "pending_incoming": [{
                    "id": id, "from": alex_shown, "message": "Let's connect our agents!",
                    "created_at": sent["created_at"],
                }],
            })
        );
        let seen = alex.get("/v1/connections").await.expect(200);
        assert_eq!(
            seen["pending_outgoing"],
            json!([{
                "id": id, "to_email": "Jamie@Example.com", "message": "Let's connect our agents!",
                "created_at": sent["created_at"],
            }])
        );

        let path = format!("/v1/connections/{id}");
        let own = alex.post(&format!("{path}/accept"), &json!({})).await;
        own.expect_error(403, "FORBIDDEN");
        let own = alex.post(&format!("{path}/reject"), &json!({})).await;
        own.expect_error(403, "FORBIDDEN");
        let accepted = jamie.post(&format!("{path}/accept"), &json!({})).await;
        assert_eq!(
            accepted.expect(200),
            json!({ "id": id, "status": "active", "message": "Connection established." })
        );
        for answer in ["accept", "reject"] {
            let again = jamie.post(&format!("{path}/{answer}"), &json!({})).await;
            again.expect_error(409, "ALREADY_PROCESSED");
        }

        let seen = jamie.get("/v1/connections?status=active").await.expect(200);
        assert_eq!(seen["active"], seen["connections"]);
        let accepted_at = seen["connections"][0]["accepted_at"].clone();
        assert!(accepted_at.is_string());
        assert_eq!(
            seen["connections"],
            json!([{
                "id": id, "other_account": alex_shown, "status": "active",
                "invited_by": alex.account.id, "message": "Let's connect our agents!",
                "created_at": sent["created_at"], "accepted_at": accepted_at,
                "pairing_count": 0, "pending_pairing_count": 0,
            }])
        );
        let seen = alex.get("/v1/connections").await.expect(200);
        assert_eq!(
            seen["connections"][0]["other_account"]["name"],
            "Jamie Chen"
        );
        let pending = alex.get("/v1/connections?status=pending").await.expect(200);
        assert_eq!(pending["connections"], json!([]));
        let wrong = alex.get("/v1/connections?status=revoked").await;
        wrong.expect_error(400, "VALIDATION_ERROR");
        let nobody = alex.with_key(String::new());
        let nobody = nobody.get("/v1/connections").await;
        nobody.expect_error(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn every_refusal_of_an_invitation() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let long = format!("{}@example.org", "x".repeat(250));
        for body in [
            json!({ "email": "nobody" }),
            json!({ "email": long }),
            json!({ "email": jamie.email, "message": "x".repeat(501) }),
            json!({ "message": "to whom?" }),
        ] {
            let refused = alex.post("/v1/connections", &body).await;
            refused.expect_error(400, "VALIDATION_ERROR");
        }
        for own in [&*alex.email, "ALEX.Morgan@example.org"] {
            alex.invite(own).await.expect_error(400, "SELF_CONNECTION");
        }
        let nobody = alex.with_key(String::new()).invite(&jamie.email).await;
        nobody.expect_error(401, "UNAUTHORIZED");

        let sent = alex.invite(&jamie.email).await.expect(201);
        for again in [&*jamie.email, "JAMIE@example.com"] {
            alex.invite(again).await.expect_error(409, "INVITE_PENDING");
        }
        jamie
            .invite(&alex.email)
            .await
            .expect_error(409, "INVITE_PENDING");
        alex.invite("later@example.org").await.expect(201);
        alex.invite("Later@example.org")
            .await
            .expect_error(409, "INVITE_PENDING");
        let path = format!("/v1/connections/{}", text(&sent, "id"));
        jamie
            .post(&format!("{path}/accept"), &json!({}))
            .await
            .expect(200);
        for (one, other) in [(alex, jamie), (jamie, alex)] {
            one.invite(&other.email)
                .await
                .expect_error(409, "ALREADY_CONNECTED");
        }
        jamie
            .post(&format!("{path}/block"), &json!({}))
            .await
            .expect(200);
        for (one, other) in [(alex, jamie), (jamie, alex)] {
            one.invite(&other.email).await.expect_error(403, "BLOCKED");
        }

        for n in 0..8 {
            let email = format!("guest{n}@example.org");
            alex.invite(&email).await.expect(201);
        }
        let over = alex.invite("one-more@example.org").await;
        let error = over.expect_error(429, "RATE_LIMITED");
        assert_eq!(error["retry_after"], 3600);
        assert_eq!(over.header("retry-after"), "3600");
        // Taking one back makes no room: it was sent.
        let list = alex.get("/v1/connections").await.expect(200);
        let last = text(&list["pending_outgoing"][0], "id");
        alex.delete(&format!("/v1/connections/{last}"))
            .await
            .expect(200);
        let over = alex.invite("one-more@example.org").await;
        over.expect_error(429, "RATE_LIMITED");
        server.sweep().await;
        alex.invite("one-more@example.org")
            .await
            .expect_error(429, "RATE_LIMITED");
        server.clock.advance(std::time::Duration::from_hours(1));
        server.sweep().await;
        alex.invite("one-more@example.org").await.expect(201);
    }
}

#[tokio::test]
async fn an_invitation_is_turned_down_or_taken_back() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let sent = alex.invite(&jamie.email).await.expect(201);
        let path = format!("/v1/connections/{}", text(&sent, "id"));
        let rejected = jamie.post(&format!("{path}/reject"), &json!({})).await;
        assert_eq!(
            rejected.expect(200),
            json!({ "id": sent["id"], "status": "rejected" })
        );
        for party in [alex, jamie] {
            party.delete(&path).await.expect_error(404, "NOT_FOUND");
        }
        let sent = alex.invite(&jamie.email).await.expect(201);
        let path = format!("/v1/connections/{}", text(&sent, "id"));
        assert_eq!(
            alex.delete(&path).await.expect(200),
            json!({ "id": sent["id"], "status": "revoked", "pairings_revoked": 0 })
        );
        alex.delete(&path)
            .await
            .expect_error(409, "ALREADY_REVOKED");
        let late = jamie.post(&format!("{path}/accept"), &json!({})).await;
        late.expect_error(409, "ALREADY_PROCESSED");
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"], json!([]));
        alex.connect(jamie).await;
    }
}

/// Whoever sends an invitation does not learn whether there is an account.
#[tokio::test]
async fn with_or_without_an_account_an_invitation_looks_the_same() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let mut seen = Vec::new();
        for email in [&*jamie.email, "nobody@example.com"] {
            let sent = alex.invite(email).await;
            let id = text(&sent.expect(201), "id");
            let again = alex.invite(email).await;
            let path = format!("/v1/connections/{id}");
            let list = alex.get("/v1/connections").await;
            let blocked = alex.post(&format!("{path}/block"), &json!({})).await;
            blocked.expect_error(403, "FORBIDDEN");
            let agents = alex.get(&format!("{path}/agents")).await;
            agents.expect_error(400, "CONNECTION_NOT_ACTIVE");
            let proposed = alex.propose(&id, ["data-pipeline", "analysis-bot"], "both");
            let proposed = proposed.await;
            proposed.expect_error(400, "CONNECTION_NOT_ACTIVE");
            let pairings = alex.get(&format!("{path}/pairings")).await;
            let me = alex.get("/v1/agents/me").await.expect(200);
            assert_eq!(me["connections"]["pending_outgoing"], 1);
            let own = alex.post(&format!("{path}/accept"), &json!({})).await;
            let over = alex.delete(&path).await;
            let late = alex.post(&format!("{path}/block"), &json!({})).await;
            late.expect_error(403, "FORBIDDEN");
            let blocked_list = alex.get("/v1/blocked").await;
            let answers = [
                sent,
                again,
                list,
                blocked,
                agents,
                proposed,
                pairings,
                own,
                over,
                late,
                blocked_list,
            ];
            seen.push((id, email, answers));
        }
        let [(one, to_one, with), (other, to_other, without)] = &seen[..] else {
            unreachable!("two were invited");
        };
        for (mut with, mut without) in with.iter().cloned().zip(without.iter().cloned()) {
            let plain = |bytes: &[u8], id: &str, email: &str| {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let mut value: Value =
                    serde_json::from_str(&text.replace(id, "ID").replace(email, "EMAIL")).unwrap();
                if value["created_at"].is_string() {
                    value["created_at"] = json!("then");
                }
                value.to_string().into_bytes()
            };
            with.bytes = plain(&with.bytes, one, to_one);
            without.bytes = plain(&without.bytes, other, to_other);
            assert_same("an invitation", &with, &without);
        }
    }
}

#[tokio::test]
async fn an_invitation_waits_for_whoever_signs_up_with_the_address() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let sent = alex.invite("sam@example.org").await.expect(201);
        let sam = Party::new(server, "Sam", "Sam@Example.org").await;
        let list = sam.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"][0]["id"], sent["id"]);
        let path = format!("/v1/connections/{}/accept", text(&sent, "id"));
        sam.post(&path, &json!({})).await.expect(200);
        let list = alex.get("/v1/connections").await.expect(200);
        assert_eq!(list["connections"][0]["other_account"]["name"], "Sam");
    }
}

#[tokio::test]
async fn whoever_only_says_that_an_address_is_theirs_sees_no_invitation() {
    for engine in Engine::ALL {
        let server = TestServer::start(engine, |config| {
            config.signup = Some(Signup::Open);
            config.email_verification = Some(EmailVerification::Required);
        })
        .await;
        let Parties {
            server,
            alex,
            jamie,
        } = Parties::on(server).await;
        // Of an address that is known to be its owner's, the operator makes the account.
        let mut config = Config::new(server.data_dir());
        config.database_url = Some(server.database().url().to_owned());
        let asked: CreateAccount =
            serde_json::from_value(json!({ "name": "Kim", "email": "kim@example.org" })).unwrap();
        let made = admin::create_account(&config, asked).await.unwrap();
        let mut kim = jamie.with_key(made.api_key);
        kim.account = TestAccount {
            id: made.id.to_string(),
            ..kim.account
        };

        let to_jamie = text(&alex.invite(&jamie.email).await.expect(201), "id");
        alex.invite("kim@example.org").await.expect(201);
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"], json!([]));
        let me = jamie.get("/v1/agents/me").await.expect(200);
        assert_eq!(me["connections"]["pending_incoming"], 0);
        for what in ["accept", "reject", "block"] {
            let path = format!("/v1/connections/{to_jamie}/{what}");
            let refused = jamie.post(&path, &json!({})).await;
            refused.expect_error(404, "NOT_FOUND");
        }
        let path = format!("/v1/connections/{to_jamie}");
        jamie.delete(&path).await.expect_error(404, "NOT_FOUND");
        let list = kim.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn of_many_invitations_at_once_ten_are_sent() {
    for Parties { alex, .. } in &Parties::each().await {
        let emails: Vec<_> = (0..64).map(|n| format!("guest{n}@example.org")).collect();
        let answers = join_all(emails.iter().map(|it| alex.invite(it))).await;
        let sent = answers.iter().filter(|it| it.status == 201).count();
        assert_eq!(sent, 10);
        for refused in answers.iter().filter(|it| it.status != 201) {
            refused.expect_error(429, "RATE_LIMITED");
        }
    }
}

#[tokio::test]
async fn of_two_who_invite_each_other_at_once_one_does() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        for _ in 0..4 {
            let (one, other) = tokio::join!(alex.invite(&jamie.email), jamie.invite(&alex.email));
            let (sent, refused) = if one.status == 201 {
                (one, other)
            } else {
                (other, one)
            };
            refused.expect_error(409, "INVITE_PENDING");
            let path = format!("/v1/connections/{}", text(&sent.expect(201), "id"));
            alex.delete(&path).await.expect(200);
        }
    }
}

#[tokio::test]
async fn connections_are_the_accounts_and_not_an_agents() {
    for parties in &Parties::each().await {
        let alex = &parties.alex;
        let (connection, _) = parties.pair("both").await;
        let made = alex
            .post("/v1/agents/data-pipeline/keys", &json!({ "name": "ci" }))
            .await;
        let agent = alex.with_key(text(&made.expect(201), "api_key"));
        let path = format!("/v1/connections/{connection}");
        for refused in [
            agent.invite("a@example.org").await,
            agent.get("/v1/connections").await,
            agent.get("/v1/blocked").await,
            agent.get(&format!("{path}/agents")).await,
            agent.post(&format!("{path}/accept"), &json!({})).await,
            agent.post(&format!("{path}/reject"), &json!({})).await,
            agent.post(&format!("{path}/block"), &json!({})).await,
            agent.delete(&path).await,
        ] {
            refused.expect_error(403, "SCOPE_MISMATCH");
        }
    }
}

#[tokio::test]
async fn the_agents_that_may_be_paired_are_shown() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let hidden = server.agent(&jamie.account, "kept-apart").await;
        let later = json!({ "agent_id": "later" });
        jamie.post("/v1/agents/register", &later).await.expect(201);
        let path = format!("/v1/agents/{}", text(&hidden, "id"));
        let apart = json!({ "available_for_connections": false });
        jamie.patch(&path, &apart).await.expect(200);
        let connection = alex.connect(jamie).await;
        let path = format!("/v1/connections/{connection}/agents");
        let shown = alex.get(&path).await.expect(200);
        let agents = shown["agents"].as_array().unwrap();
        assert_eq!(agents.len(), 1, "{shown}");
        assert_eq!(agents[0]["agent_id"], "analysis-bot");
        for field in ["id", "name", "description", "agent_type"] {
            assert!(agents[0].get(field).is_some(), "{field}");
        }
        let shown = jamie.get(&path).await.expect(200);
        assert_eq!(shown["agents"][0]["agent_id"], "data-pipeline");
    }
}
