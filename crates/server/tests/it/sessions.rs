//! Signing in, and out.

use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{assert_same, rows, unlogged};

const EMAIL: &str = "alex@example.org";

/// An account with a password; answers what making it answered.
async fn sign_up(server: &TestServer, email: &str) -> Value {
    let body = json!({ "name": "Alex Morgan", "email": email, "password": PASSWORD });
    let made = server.http.post("/v1/accounts", "", &body).await;
    made.expect(201)
}

/// Tries a password as if from another machine, which a trusted proxy would say.
async fn try_from(server: &TestServer, address: &str, email: &str, password: &str) -> Answer {
    let request = server.http.request("POST", "/v1/sessions", "");
    let request = request.header("x-forwarded-for", address);
    send(request.json(&json!({ "email": email, "password": password }))).await
}

async fn behind_a_proxy() -> Vec<TestServer> {
    let mut servers = Vec::new();
    for engine in agentdrop_testkit::engines::Engine::ALL {
        let trust = |config: &mut agentdrop_server::Config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        };
        servers.push(TestServer::start(engine, trust).await);
    }
    servers
}

#[tokio::test]
async fn a_person_signs_in_and_does_all_that_a_key_does_and_signs_out() {
    for server in &TestServer::each().await {
        let account = sign_up(server, EMAIL).await;
        assert!(account.get("password").is_none());
        let made = server.try_password("Alex@Example.ORG", PASSWORD).await;
        let made = made.expect(201);
        let token = text(&made, "session_token");
        assert!(token.starts_with("ags_"));
        assert_eq!(made["expires_at"], "2026-05-17T12:00:00.000Z");
        assert_eq!(made["account"]["id"], account["id"]);
        assert_eq!(made["account"]["email"], EMAIL);
        assert_eq!(made["account"]["has_password"], true);

        let (http, body) = (&server.http, json!({ "agent_id": "alice" }));
        http.post("/v1/agents/register", &token, &body)
            .await
            .expect(201);
        let agents = http.get("/v1/agents", &token).await.expect(200);
        assert_eq!(agents["agents"].as_array().unwrap().len(), 1);
        let acting = http.request("GET", "/v1/agents/me", &token);
        let me = send(acting.header("x-agentdrop-agent", "alice")).await;
        assert_eq!(me.expect(200)["agent"]["agent_id"], "alice");
        let key = json!({ "name": "ci" });
        http.post("/v1/api-keys", &token, &key).await.expect(201);

        server.clock.advance(Duration::from_millis(1));
        let other = server.sign_in(EMAIL).await;
        let list = http.get("/v1/sessions", &token).await.expect(200);
        let list = list["sessions"].as_array().unwrap().clone();
        let current: Vec<_> = list.iter().map(|it| it["current"].clone()).collect();
        assert_eq!(current, [json!(false), json!(true)]);
        assert_eq!(list[1]["id"], made["id"]);
        assert_eq!(list[1]["address"], "127.0.0.1");
        assert!(!format!("{list:?}").contains("ags_"));
        let key = text(&account, "api_key");
        let path = format!("/v1/sessions/{}", text(&list[1], "id"));
        for refused in [
            http.get("/v1/sessions", &key).await,
            http.delete("/v1/sessions/current", &key).await,
            http.delete(&path, &key).await,
        ] {
            refused.expect_error(403, "SESSION_REQUIRED");
        }
        let ended = http.delete("/v1/sessions/current", &token).await;
        assert_eq!(
            ended.expect(200),
            json!({ "id": made["id"], "ended": true })
        );
        http.get("/v1/agents", &token)
            .await
            .expect_error(401, "UNAUTHORIZED");
        http.delete(&path, &other)
            .await
            .expect_error(404, "NOT_FOUND");
        let path = format!("/v1/sessions/{}", text(&list[0], "id"));
        http.delete(&path, &other).await.expect(200);
        http.get("/v1/account", &other)
            .await
            .expect_error(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn who_does_not_get_in_does_not_learn_why() {
    for server in &TestServer::each().await {
        sign_up(server, EMAIL).await;
        let without = server.account().await;
        let without = server.http.get("/v1/account", &without.key).await;
        let without = text(&without.expect(200), "email");
        let before = rows(server).await;
        let wrong = server
            .try_password(EMAIL, "correct horse battery stapl")
            .await;
        wrong.expect_error(401, "UNAUTHORIZED");
        for email in ["nobody@example.org", &without] {
            let refused = server.try_password(email, PASSWORD).await;
            assert_same(email, &refused, &wrong);
        }
        // But in the log of the account, behind the answer.
        assert_eq!(unlogged(rows(server).await), unlogged(before));
    }
}

#[tokio::test]
async fn a_password_is_no_name_and_no_address_and_is_typed_either_way() {
    for server in &TestServer::each().await {
        for known in ["alex morgan", "ALEX@example.org"] {
            let body = json!({ "name": "Alex Morgan", "email": EMAIL, "password": known });
            let refused = server.http.post("/v1/accounts", "", &body).await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "password");
        }
        let body = json!({ "name": "A", "email": EMAIL, "password": "caf\u{e9} au lait" });
        server
            .http
            .post("/v1/accounts", "", &body)
            .await
            .expect(201);
        let decomposed = server.try_password(EMAIL, "cafe\u{301} au lait").await;
        decomposed.expect(201);
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_and_is_forgotten() {
    for server in &TestServer::each().await {
        sign_up(server, EMAIL).await;
        let token = server.sign_in(EMAIL).await;
        let nearly = 30 * 24 * 60 * 60 - 1;
        server.clock.advance(Duration::from_secs(nearly));
        server.http.get("/v1/account", &token).await.expect(200);
        server.clock.advance(Duration::from_secs(1));
        let late = server.http.get("/v1/account", &token).await;
        late.expect_error(401, "UNAUTHORIZED");
        server.sweep().await;
        assert_eq!(rows(server).await["sessions"], [""; 0]);
    }
}

#[tokio::test]
async fn after_ten_attempts_at_an_account_there_is_a_pause_whether_it_exists_or_not() {
    for server in &behind_a_proxy().await {
        sign_up(server, EMAIL).await;
        for email in [EMAIL, "nobody@example.org"] {
            let attempts = (0..12).map(|_| try_from(server, "192.0.2.1", email, "a wrong one"));
            let answers = join_all(attempts).await;
            let refused = answers.iter().filter(|it| it.status == 429).count();
            assert_eq!(refused, 2, "{email}");
        }
        let mut limited = Vec::new();
        for email in [EMAIL, "nobody@example.org"] {
            let answer = try_from(server, "192.0.2.1", email, PASSWORD).await;
            let error = answer.expect_error(429, "RATE_LIMITED");
            assert_eq!(error["retry_after"], 90);
            assert_eq!(answer.header("retry-after"), "90");
            limited.push(answer);
        }
        assert_same("locked out", &limited[0], &limited[1]);
        // Its owner, who is elsewhere, gets in; and here, too, after the pause.
        let elsewhere = try_from(server, "192.0.2.2", EMAIL, PASSWORD).await;
        elsewhere.expect(201);
        server.clock.advance(Duration::from_secs(90));
        let later = try_from(server, "192.0.2.1", EMAIL, PASSWORD).await;
        later.expect(201);
    }
}

#[tokio::test]
async fn a_token_of_another_kind_or_a_made_up_one_is_no_session() {
    for server in &TestServer::each().await {
        sign_up(server, EMAIL).await;
        let token = server.sign_in(EMAIL).await;
        let chance = &[9; 64];
        let made_up = |kind| agentdrop_protocol::api_key::ApiKey::new(kind, chance).unwrap();
        for kind in [
            agentdrop_protocol::api_key::KeyKind::Session,
            agentdrop_protocol::api_key::KeyKind::MailedLink,
        ] {
            let made_up = made_up(kind).expose_secret().to_owned();
            let refused = server.http.get("/v1/account", &made_up).await;
            refused.expect_error(401, "UNAUTHORIZED");
        }
        let as_key = token.replace("ags_", "agd_live_");
        let refused = server.http.get("/v1/account", &as_key).await;
        refused.expect_error(401, "UNAUTHORIZED");
    }
}
