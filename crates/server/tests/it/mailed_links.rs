//! Mailed links: addresses are verified and passwords set by whoever reads the mail.

use std::time::Duration;

use agentdrop_server::{Config, EmailVerification};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::activation::opened;
use crate::parties::Party;
use crate::receive_passwords::put;
use crate::world::{assert_same, everything, rows, run_sql, until};

const EMAIL: &str = "alex@example.org";
const NEW: &str = "a better password";
const VERIFY: &str = "Confirm your address";
const RESET: &str = "Set a new password";

async fn each() -> Vec<TestServer> {
    let mut servers = Vec::new();
    for engine in Engine::ALL {
        let require = |config: &mut Config| {
            config.email_verification = Some(EmailVerification::Required);
        };
        servers.push(TestServer::start(engine, require).await);
    }
    servers
}

async fn confirm(server: &TestServer, token: &str) -> Answer {
    let body = json!({ "token": token });
    let path = "/v1/email-verifications/confirm";
    server.http.post(path, "", &body).await
}

async fn reset(server: &TestServer, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    let path = "/v1/password-resets/confirm";
    server.http.post(path, "", &body).await
}

async fn ask_for_reset(server: &TestServer, email: &str) -> Answer {
    let body = json!({ "email": email });
    server.http.post("/v1/password-resets", "", &body).await
}

async fn post_form(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    send(server.http.request("POST", path, "").body(form)).await
}

/// An account whose address is known to be its owner's.
async fn verified(server: &TestServer, name: &str, email: &str) -> Party {
    let it = Party::new(server, name, email).await;
    let verify = format!("UPDATE accounts SET email_verified_at = 1 WHERE email = '{email}'");
    run_sql(server, &verify).await;
    it
}

fn is_verified(account: &Value) -> bool {
    account["email_verified"] == true
}

#[tokio::test]
async fn an_address_is_its_accounts_once_its_mail_was_read() {
    for server in &each().await {
        let alex = Party::new(server, "Alex", EMAIL).await;
        let inviter = Party::new(server, "Bo", "bo@example.org").await;
        inviter.invite(EMAIL).await.expect(201);
        let shown = alex.get("/v1/account").await.expect(200);
        assert!(!is_verified(&shown));
        let waiting = async || {
            let list = alex.get("/v1/connections").await.expect(200);
            list["pending_incoming"].as_array().unwrap().len()
        };
        assert_eq!(waiting().await, 0);
        let mail = server.mail_to(EMAIL, VERIFY).await;
        assert!(
            mail.text
                .contains(&format!("{}/verify?token=agl_", server.url))
        );
        let command = format!("account verify {}", mail.token());
        assert!(mail.text.contains(&command), "{}", mail.text);
        assert!(mail.html.contains(&mail.token()));
        assert_eq!(
            mail.header("To"),
            EMAIL,
            "without a name that anybody chose"
        );

        // It sets no password, and a reset verifies nothing by this path.
        let wrong = reset(server, &mail.token(), NEW).await;
        wrong.expect_error(410, "GONE");
        let token = mail.token();
        let followed = join_all((0..4).map(|_| confirm(server, &token))).await;
        let done = followed.iter().filter(|it| it.status == 200).count();
        assert_eq!(done, 1);
        for refused in followed.iter().filter(|it| it.status != 200) {
            refused.expect_error(410, "GONE");
        }
        let shown = alex.get("/v1/account").await.expect(200);
        assert!(is_verified(&shown));
        assert_eq!(waiting().await, 1, "what waited is there now");
        let again = alex.post("/v1/email-verifications", &json!({})).await;
        assert_eq!(again.expect(200)["message"], "The address is verified");
        assert_eq!(everything(server).await["mailed_links"].len(), 1, "of Bo");
    }
}

/// Whoever signs up with another's address must not be able to have mails sent in its name.
#[tokio::test]
async fn nobody_is_invited_by_mail_in_the_name_of_an_address_that_was_not_verified() {
    const INVITED: &str = "An invitation to connect";
    for server in &each().await {
        let alex = Party::new(server, "Alex", EMAIL).await;
        alex.invite("first@example.org").await.expect(201);
        let token = server.mail_to(EMAIL, VERIFY).await.token();
        confirm(server, &token).await.expect(200);
        alex.invite("second@example.org").await.expect(201);
        server.mail_to("second@example.org", INVITED).await;
        let mails = server.mails();
        let invited = mails
            .iter()
            .filter(|it| it.header("Subject").contains(INVITED));
        assert_eq!(invited.count(), 1);
    }
}

#[tokio::test]
async fn a_link_works_for_an_hour_and_until_there_is_a_newer_one() {
    for server in &each().await {
        let alex = Party::new(server, "Alex", EMAIL).await;
        let first = server.mail_to(EMAIL, VERIFY).await.token();
        // So that the later one is the latest.
        server.clock.advance(Duration::from_millis(1));
        let again = alex.post("/v1/email-verifications", &json!({})).await;
        again.expect(200);
        let is_newer = async || server.mail_to(EMAIL, VERIFY).await.token() != first;
        until("it is mailed again", is_newer).await;
        let second = server.mail_to(EMAIL, VERIFY).await.token();
        let old = confirm(server, &first).await;
        old.expect_error(410, "GONE");
        server.clock.advance(Duration::from_hours(1));
        let late = confirm(server, &second).await;
        assert_same("too old, and replaced", &late, &old);
        let made_up = agentdrop_protocol::LinkToken::new(&[3; 64]).unwrap();
        let never = confirm(server, made_up.as_key().expose_secret()).await;
        assert_same("never was", &never, &old);
        assert!(!is_verified(&alex.get("/v1/account").await.expect(200)));
        server.sweep().await;
        assert_eq!(rows(server).await["mailed_links"], [""; 0]);
        for _ in 0..5 {
            let path = "/v1/email-verifications";
            alex.post(path, &json!({})).await.expect(200);
        }
        let limited = alex.post("/v1/email-verifications", &json!({})).await;
        let error = limited.expect_error(429, "RATE_LIMITED");
        assert_eq!(error["retry_after"], 720);
    }
}

#[tokio::test]
async fn a_password_is_set_by_who_reads_the_mail() {
    for server in &each().await {
        let alex = Party::new(server, "Alex Morgan", EMAIL).await;
        let asked = ask_for_reset(server, "ALEX@example.org").await;
        asked.expect(200);
        let nobody = ask_for_reset(server, "nobody@example.org").await;
        assert_same("an address that nobody has", &nobody, &asked);
        let token = server.mail_to(EMAIL, RESET).await.token();
        let known = reset(server, &token, "alex morgan").await;
        let error = known.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "password");
        let wrong = confirm(server, &token).await;
        wrong.expect_error(410, "GONE");
        let set = join_all((0..4).map(|_| reset(server, &token, PASSWORD))).await;
        assert_eq!(set.iter().filter(|it| it.status == 200).count(), 1);
        // Whoever signed up had not shown that the address is theirs: their key works no more.
        let before = alex.get("/v1/account").await;
        before.expect_error(401, "KEY_REVOKED");
        let session = server.sign_in(EMAIL).await;
        let shown = server.http.get("/v1/account", &session).await.expect(200);
        assert!(is_verified(&shown), "the mail reached its owner");
        assert_eq!(shown["has_password"], true);
        let body = json!({ "name": "mine" });
        let mine = server.http.post("/v1/api-keys", &session, &body).await;
        let alex = alex.with_key(text(&mine.expect(201), "api_key"));
        server.mail_to(EMAIL, "was changed").await;

        // Once more: it ends what was begun with the old one.
        server.clock.advance(Duration::from_millis(1));
        ask_for_reset(server, EMAIL).await.expect(200);
        let is_newer = async || server.mail_to(EMAIL, RESET).await.token() != token;
        until("it is mailed again", is_newer).await;
        let newer = server.mail_to(EMAIL, RESET).await.token();
        reset(server, &newer, NEW).await.expect(200);
        let ended = server.http.get("/v1/account", &session).await;
        ended.expect_error(401, "UNAUTHORIZED");
        let old = server.try_password(EMAIL, PASSWORD).await;
        old.expect_error(401, "UNAUTHORIZED");
        server.try_password(EMAIL, NEW).await.expect(201);
        // The keys of an address that was known to be theirs are their own.
        alex.get("/v1/account").await.expect(200);
        let to_nobody = |it: &agentdrop_testkit::mailbox::Mail| it.header("To").contains("nobody");
        assert!(!server.mails().iter().any(to_nobody));
    }
}

#[tokio::test]
async fn links_are_asked_for_a_few_times_whether_there_is_an_account_or_not() {
    for server in &TestServer::each().await {
        Party::new(server, "Alex", EMAIL).await;
        let mut limited = Vec::new();
        for email in [EMAIL, "nobody@example.org"] {
            for _ in 0..5 {
                ask_for_reset(server, email).await.expect(200);
            }
            let refused = ask_for_reset(server, email).await;
            refused.expect_error(429, "RATE_LIMITED");
            limited.push(refused);
        }
        assert_same("limited", &limited[0], &limited[1]);
    }
}

#[tokio::test]
async fn a_page_changes_nothing_until_its_button_is_pressed() {
    for server in &each().await {
        let alex = Party::new(server, "Alex", EMAIL).await;
        let token = server.mail_to(EMAIL, VERIFY).await.token();
        let before = rows(server).await;
        let page = server.http.get(&format!("/verify?token={token}"), "").await;
        assert_eq!(page.status, 200);
        let html = String::from_utf8(page.bytes.clone()).unwrap();
        assert!(html.contains(&token) && html.contains("method=\"post\""));
        assert!(!html.contains("<script"));
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(rows(server).await, before);

        let evil = "/verify?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
        let page = server.http.get(evil, "").await;
        assert!(!String::from_utf8(page.bytes).unwrap().contains("<script"));
        let broken = post_form(server, "/verify", &[("token", "\"><script>")]).await;
        assert_eq!(broken.status, 400);
        assert!(!String::from_utf8(broken.bytes).unwrap().contains("<script"));
        let twice = [("token", &*token), ("token", &token)];
        assert_eq!(post_form(server, "/verify", &twice).await.status, 400);
        let huge = "x".repeat(10_000);
        let huge = post_form(server, "/verify", &[("token", &huge)]).await;
        assert_eq!(huge.status, 400);
        assert_eq!(rows(server).await, before);

        let fields = [("token", &*token)];
        let done = post_form(server, "/verify", &fields).await;
        assert_eq!(done.status, 200);
        assert!(is_verified(&alex.get("/v1/account").await.expect(200)));
        let again = post_form(server, "/verify", &fields).await;
        assert_eq!(again.status, 410);
        assert!(!String::from_utf8(again.bytes).unwrap().contains(&token));
    }
}

#[tokio::test]
async fn a_password_is_set_on_a_page() {
    for server in &each().await {
        Party::new(server, "Alex Morgan", EMAIL).await;
        ask_for_reset(server, EMAIL).await.expect(200);
        let token = server.mail_to(EMAIL, RESET).await.token();
        let page = server.http.get(&format!("/reset?token={token}"), "").await;
        let html = String::from_utf8(page.bytes).unwrap();
        assert!(html.contains("type=\"password\"") && html.contains(&token));
        for bad in ["short", "alex morgan", ""] {
            let fields = [("token", &*token), ("password", bad)];
            let refused = post_form(server, "/reset", &fields).await;
            assert_eq!(refused.status, 400, "{bad}");
            // The form is there again, and no password in it.
            let html = String::from_utf8(refused.bytes).unwrap();
            assert!(html.contains(&token));
            assert!(bad.is_empty() || !html.contains(bad), "{html}");
        }
        let fields = [("token", &*token), ("password", PASSWORD)];
        let set = post_form(server, "/reset", &fields).await;
        assert_eq!(set.status, 200);
        server.sign_in(EMAIL).await;
        let again = post_form(server, "/reset", &fields).await;
        assert_eq!(again.status, 410);
    }
}

#[tokio::test]
async fn what_a_link_has_is_not_written_down_as_it_is() {
    for server in &each().await {
        let made = Party::new(server, "Alex", EMAIL).await;
        let shown = made.get("/v1/account").await.expect(200);
        assert_eq!(text(&shown, "email"), EMAIL);
        let token = server.mail_to(EMAIL, VERIFY).await.token();
        let dumped = format!("{:?}", everything(server).await);
        let chance = token.trim_start_matches("agl_");
        assert!(!dumped.contains(chance) && !dumped.contains(&hex::encode(chance)));
    }
}

#[tokio::test]
async fn a_link_that_was_asked_for_before_sets_no_password_after_it_was_changed() {
    for server in &each().await {
        let alex = Party::new(server, "Alex Morgan", EMAIL).await;
        let session = server.session_of(&alex.account).await;
        ask_for_reset(server, EMAIL).await.expect(200);
        let token = server.mail_to(EMAIL, RESET).await.token();
        let change = json!({ "password": NEW, "current_password": PASSWORD });
        let changed = server.http.patch("/v1/account", &session, &change).await;
        changed.expect(200);
        let late = reset(server, &token, "somebody else's choice").await;
        late.expect_error(410, "GONE");
        server.try_password(EMAIL, NEW).await.expect(201);
    }
}

/// Whoever signs up with another's address, and says what to encrypt for, has nothing encrypted for
/// that once the owner has come: the owner could not open it, nor could anybody else.
#[tokio::test]
async fn what_waited_for_the_owner_is_not_encrypted_for_who_was_there_before() {
    for server in &each().await {
        let sender = verified(server, "Bo", "bo@example.org").await;
        let body = json!({ "name": "Squatter", "email": EMAIL, "password": PASSWORD });
        let made = server.http.post("/v1/accounts", "", &body).await;
        let squatter = server.sign_in(EMAIL).await;
        let (theirs, own) = (ReceiveKey::new(), ReceiveKey::new());
        put(server, &squatter, &theirs.password()).await.expect(200);
        let to_person = [("mode", "agent-to-human")];
        let sent = sender.send("label", EMAIL, &to_person).await.expect(201);
        assert_eq!(sent["status"], "pending_recipient");
        let path = format!("/v1/transfers/{}", text(&sent, "id"));

        ask_for_reset(server, EMAIL).await.expect(200);
        let mail = server.mail_to(EMAIL, RESET).await;
        reset(server, &mail.token(), NEW).await.expect(200);
        let refused = put(server, &squatter, &theirs.password()).await;
        refused.expect_error(401, "UNAUTHORIZED");
        server.activate().await;
        let shown = sender.get(&path).await.expect(200);
        assert_eq!(shown["status"], "pending_recipient");
        let found = everything(server).await;
        assert_eq!(found["receive_passwords"], Vec::<String>::new());

        let body = json!({ "email": EMAIL, "password": NEW });
        let signed_in = server.http.post("/v1/sessions", "", &body).await;
        let session = text(&signed_in.expect(201), "session_token");
        put(server, &session, &own.password()).await.expect(200);
        let active = async || sender.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let key = text(&made.expect(201), "api_key");
        let download = format!("{path}/download");
        let refused = server.http.get(&download, &key).await;
        refused.expect_error(401, "KEY_REVOKED");
        let owner = sender.with_key(session);
        let grant = owner.get(&download).await.expect(200);
        let files = opened(&owner, server, &grant, &own).await;
        assert_eq!(files, [("a.txt".to_owned(), b"0123456789".to_vec())]);
    }
}

/// A key that was set before the address counted as its owner's is one from then on.
#[tokio::test]
async fn what_waits_is_activated_when_the_address_is_verified() {
    for server in &each().await {
        let sender = verified(server, "Bo", "bo@example.org").await;
        let body = json!({ "name": "Alex", "email": EMAIL, "password": PASSWORD });
        server
            .http
            .post("/v1/accounts", "", &body)
            .await
            .expect(201);
        let session = server.sign_in(EMAIL).await;
        let key = ReceiveKey::new();
        put(server, &session, &key.password()).await.expect(200);
        let to_person = [("mode", "agent-to-human")];
        let sent = sender.send("label", EMAIL, &to_person).await.expect(201);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        server.activate().await;
        assert_eq!(
            sender.get(&path).await.expect(200)["status"],
            "pending_recipient"
        );

        let mail = server.mail_to(EMAIL, VERIFY).await;
        confirm(server, &mail.token()).await.expect(200);
        // By itself.
        let active = async || sender.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let owner = sender.with_key(session);
        let grant = owner.get(&format!("{path}/download")).await.expect(200);
        let files = opened(&owner, server, &grant, &key).await;
        assert_eq!(files, [("a.txt".to_owned(), b"0123456789".to_vec())]);
    }
}
