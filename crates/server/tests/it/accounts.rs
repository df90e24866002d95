//! Accounts.

use agentdrop_server::Signup;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;

#[tokio::test]
async fn an_account_comes_with_a_key_that_works() {
    for server in TestServer::each().await {
        let body = json!({ "name": "My Org", "email": "Dev@MyOrg.com" });
        let made = server.http.post("/v1/accounts", "", &body).await;
        let account = made.expect(201);
        assert_eq!(account["name"], "My Org");
        assert_eq!(account["email"], "Dev@MyOrg.com");
        assert_eq!(account["created_at"], "2026-04-17T12:00:00.000Z");
        let key = text(&account, "api_key");
        assert!(key.starts_with("agd_live_"));
        assert_eq!(made.header("cache-control"), "no-store");
        let keys = server.http.get("/v1/api-keys", &key).await.expect(200);
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        assert!(!keys.to_string().contains(&key), "it is shown once");
    }
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_spelled() {
    for server in TestServer::each().await {
        let made = |email: &str| json!({ "name": "A", "email": email });
        let first = made("dev@example.org");
        let first = server.http.post("/v1/accounts", "", &first).await;
        first.expect(201);
        for again in ["dev@example.org", "DEV@EXAMPLE.ORG"] {
            let again = server.http.post("/v1/accounts", "", &made(again)).await;
            again.expect_error(409, "ACCOUNT_EXISTS");
        }
    }
}

#[tokio::test]
async fn where_the_operator_makes_the_accounts_nobody_else_does() {
    for engine in Engine::ALL {
        let change = |config: &mut agentdrop_server::Config| config.signup = Some(Signup::Closed);
        let server = TestServer::start(engine, change).await;
        let body = json!({ "name": "A", "email": "a@example.org" });
        let refused = server.http.post("/v1/accounts", "", &body).await;
        refused.expect_error(403, "SIGNUP_CLOSED");
    }
}

#[tokio::test]
async fn of_many_who_take_an_address_at_once_one_gets_it() {
    for server in TestServer::each().await {
        let body = json!({ "name": "A", "email": "dev@example.org" });
        let racers = (0..16).map(|_| server.http.post("/v1/accounts", "", &body));
        let answers = futures_util::future::join_all(racers).await;
        let made = answers.iter().filter(|it| it.status == 201).count();
        assert_eq!(made, 1);
        for refused in answers.iter().filter(|it| it.status != 201) {
            refused.expect_error(409, "ACCOUNT_EXISTS");
        }
    }
}
