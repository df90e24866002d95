//! Whoever has a link has read a mail to the address that it was sent to.

use agentdrop_protocol::wire::accounts::CreateAccount;
use agentdrop_server::{Config, EmailVerification, Signup, admin};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, TestAccount, TestServer, text};
use serde_json::{Value, json};

use super::Link;
use crate::audit::log;
use crate::bad_input::no_link;
use crate::world::{assert_same, rows};

const PAT: &str = "pat@example.org";

/// A server on which an address has to be shown to be its owner's, with the key of an account that
/// its operator has made, and its agent `alice`.
async fn server(engine: Engine, signup: Signup) -> (TestServer, String) {
    let server = TestServer::start(engine, |config: &mut Config| {
        config.email_verification = Some(EmailVerification::Required);
        config.signup = Some(signup);
    })
    .await;
    let mut config = Config::new(server.data_dir());
    config.database_url = Some(server.database().url().to_owned());
    let asked = json!({ "name": "Alex", "email": "alex@example.org" });
    let asked: CreateAccount = serde_json::from_value(asked).unwrap();
    let made = admin::create_account(&config, asked).await.unwrap();
    let body = json!({ "agent_id": "alice" });
    let agent = server
        .http
        .post("/v1/agents/register", &made.api_key, &body);
    agent.await.expect(201);
    (server, made.api_key)
}

async fn sign_up(server: &TestServer, email: &str, invitation: Option<&str>) -> Answer {
    let mut body = json!({ "name": "Pat", "email": email, "password": PASSWORD });
    if let Some(token) = invitation {
        body["invitation"] = json!(token);
    }
    server.http.post("/v1/accounts", "", &body).await
}

async fn is_verified(server: &TestServer, made: &Value) -> bool {
    let account = server.http.get("/v1/account", &text(made, "api_key")).await;
    account.expect(200)["email_verified"] == true
}

#[tokio::test]
async fn whoever_signs_up_with_the_link_has_shown_that_the_address_is_theirs() {
    for engine in Engine::ALL {
        let (server, key) = server(engine, Signup::Open).await;
        let link = Link::plain(&server, &key, "alice", "Pat@Example.org").await;
        // Another's address it does not show, nor does what is no invitation.
        let other = sign_up(&server, "other@example.org", Some(&link.token)).await;
        assert!(!is_verified(&server, &other.expect(201)).await);
        let other = sign_up(&server, "another@example.org", Some(&no_link())).await;
        assert!(!is_verified(&server, &other.expect(201)).await);
        let made = sign_up(&server, PAT, Some(&link.token)).await.expect(201);
        assert!(is_verified(&server, &made).await);
        let pat = TestAccount {
            id: text(&made, "id"),
            key: text(&made, "api_key"),
        };
        let log = log(&server, &pat).await;
        let seen: Vec<_> = log.iter().map(|it| text(it, "action")).collect();
        assert_eq!(seen, ["account.verified", "account.created"]);
        let path = link.path();
        server.http.get(&path, &pat.key).await.expect(200);
        let shown = link.show(&server).await.expect(200);
        assert_eq!(shown["next_step"], "set_receive_password");
        // What showed it already is not asked for by mail.
        server
            .mail_to("other@example.org", "Confirm your address")
            .await;
        let asked = |it: &agentdrop_testkit::mailbox::Mail| {
            it.header("To").contains(PAT) && it.header("Subject").contains("Confirm")
        };
        assert!(!server.mails().iter().any(asked));
    }
}

#[tokio::test]
async fn where_only_the_invited_sign_up_a_link_for_the_address_is_the_invitation() {
    for engine in Engine::ALL {
        let (server, key) = server(engine, Signup::Invite).await;
        let link = Link::plain(&server, &key, "alice", PAT).await;
        let over = Link::plain(&server, &key, "alice", "late@example.org").await;
        server.http.delete(&over.path(), &key).await.expect(200);
        let before = rows(&server).await["accounts"].clone();
        let refused = sign_up(&server, PAT, None).await;
        refused.expect_error(403, "SIGNUP_CLOSED");
        for (email, token) in [
            (PAT, no_link()),
            ("other@example.org", link.token.clone()),
            ("late@example.org", over.token),
        ] {
            let other = sign_up(&server, email, Some(&token)).await;
            assert_same(email, &other, &refused);
        }
        assert_eq!(rows(&server).await["accounts"], before);
        let made = sign_up(&server, PAT, Some(&link.token)).await.expect(201);
        assert!(is_verified(&server, &made).await);
        let again = sign_up(&server, PAT, Some(&link.token)).await;
        again.expect_error(409, "ACCOUNT_EXISTS");
    }
}

#[tokio::test]
async fn where_the_operator_makes_the_accounts_no_link_does() {
    for engine in Engine::ALL {
        let (server, key) = server(engine, Signup::Closed).await;
        let link = Link::plain(&server, &key, "alice", PAT).await;
        let refused = sign_up(&server, PAT, Some(&link.token)).await;
        refused.expect_error(403, "SIGNUP_CLOSED");
    }
}

#[tokio::test]
async fn whoever_has_an_account_shows_with_the_link_that_the_address_is_theirs() {
    for engine in Engine::ALL {
        let (server, key) = server(engine, Signup::Open).await;
        let made = sign_up(&server, PAT, None).await.expect(201);
        let session = server.sign_in(PAT).await;
        sign_up(&server, "mallory@example.org", None)
            .await
            .expect(201);
        let mallory = server.sign_in("mallory@example.org").await;
        let link = Link::plain(&server, &key, "alice", "PAT@example.org").await;
        let shown = link.show(&server).await.expect(200);
        assert_eq!(shown["next_step"], "sign_up", "it is not known whose it is");
        let unknown = Link {
            token: no_link(),
            transfer: link.transfer.clone(),
        };
        let before = rows(&server).await;
        let missing = unknown.verify(&server, &session).await;
        missing.expect_error(404, "NOT_FOUND");
        // Of another's link it is not told that it is one.
        let anothers = link.verify(&server, &mallory).await;
        assert_same("another's", &anothers, &missing);
        let anothers = link.verify(&server, &key).await;
        assert_same("a key of another's", &anothers, &missing);
        let by_key = link.verify(&server, &text(&made, "api_key")).await;
        by_key.expect_error(403, "SESSION_REQUIRED");
        let nobody = link.verify(&server, "").await;
        nobody.expect_error(401, "UNAUTHORIZED");
        assert_eq!(rows(&server).await, before);

        assert!(!is_verified(&server, &made).await);
        link.verify(&server, &session).await.expect(200);
        assert!(is_verified(&server, &made).await);
        let after = rows(&server).await;
        link.verify(&server, &session).await.expect(200);
        assert_eq!(rows(&server).await, after, "it was known already");
        let shown = link.show(&server).await.expect(200);
        assert_eq!(shown["next_step"], "set_receive_password");

        // By one that is over, nothing is shown.
        server.http.delete(&link.path(), &key).await.expect(200);
        let late = link.verify(&server, &session).await;
        assert_same("over", &late, &missing);
    }
}

/// The link follows the address, whoever says meanwhile that it is theirs.
#[tokio::test]
async fn whoever_only_said_that_the_address_was_theirs_takes_no_link_along() {
    for engine in Engine::ALL {
        let (server, key) = server(engine, Signup::Open).await;
        sign_up(&server, PAT, None).await.expect(201);
        let mallory = server.sign_in(PAT).await;
        let link = Link::plain(&server, &key, "alice", PAT).await;
        let refused = sign_up(&server, PAT, Some(&link.token)).await;
        refused.expect_error(409, "ACCOUNT_EXISTS");
        let request = server.http.request("DELETE", "/v1/account", &mallory);
        let deleted = send(request.json(&json!({ "password": PASSWORD }))).await;
        deleted.expect(200);
        let shown = link.show(&server).await.expect(200);
        assert_eq!(shown["next_step"], "sign_up");
        let made = sign_up(&server, PAT, Some(&link.token)).await.expect(201);
        assert!(is_verified(&server, &made).await);
        let path = link.path();
        let pat = text(&made, "api_key");
        server.http.get(&path, &pat).await.expect(200);
    }
}
