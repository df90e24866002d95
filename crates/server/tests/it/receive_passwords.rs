//! What people open with what they are sent, and what to encrypt for them with.

use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::TestServer;
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::world::{assert_same, rows, run_sql};

pub(crate) const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const OTHER_KEY: &str = "pTdKtmpCIUNTHuaOwgTOqB2CQwAvYPVZfXsO7qcUGHw=";
const PATH: &str = "/v1/account/receive-password";

/// What sets a receive password with this public key.
pub(crate) fn password(public_key: &str) -> Value {
    json!({
        "public_key": public_key,
        "encrypted_private_key": {
            "v": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": 600_000,
            "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "cipher": "AES-256-GCM",
            "nonce": "AAAAAAAAAAAAAAAA", "ciphertext": "A".repeat(64),
        }
    })
}

pub(crate) async fn put(server: &TestServer, credential: &str, body: &Value) -> Answer {
    let request = server.http.request("PUT", PATH, credential);
    send(request.json(body)).await
}

async fn looked_up(by: &Party, email: &str) -> Answer {
    let email = email.replace('@', "%40").replace('+', "%2B");
    let path = format!("/v1/transfers/recipient-public-key?email={email}");
    by.get(&path).await
}

#[tokio::test]
async fn a_receive_password_is_set_changed_and_removed_in_a_session() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let session = server.session_of(&alex.account).await;
        alex.get(PATH).await.expect_error(404, "NOT_FOUND");
        let before = rows(server).await;
        // A key that was stolen must not have what people are sent encrypted for another.
        let refused = put(server, &alex.account.key, &password(KEY)).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let refused = alex.delete(PATH).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let refused = server.http.delete(PATH, &session).await;
        refused.expect_error(404, "NOT_FOUND");
        assert_eq!(rows(server).await, before);

        for key in [KEY, OTHER_KEY] {
            let set = put(server, &session, &password(key)).await.expect(200);
            assert_eq!(set["public_key"], key);
            let shown = alex.get(PATH).await.expect(200);
            assert_eq!(shown, set);
            let private = &shown["encrypted_private_key"];
            assert_eq!(*private, password(key)["encrypted_private_key"]);
        }
        let exported = server.http.get("/v1/account/export", &session).await;
        let exported = exported.expect(200);
        assert_eq!(exported["receive_password"]["public_key"], OTHER_KEY);
        server.http.delete(PATH, &session).await.expect(200);
        alex.get(PATH).await.expect_error(404, "NOT_FOUND");
    }
}

/// As with the password of the account: it may have been somebody else.
#[tokio::test]
async fn its_owner_is_mailed_what_became_of_it() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let session = server.session_of(&alex.account).await;
        let mut other_password = password(OTHER_KEY);
        other_password["encrypted_private_key"]["salt"] = json!("BBBBBBBBBBBBBBBBBBBBBA==");
        for (body, done, says) in [
            (password(KEY), "was set", "what waited for you"),
            (password(OTHER_KEY), "was replaced", "those from before"),
            (other_password, "was changed", "the same"),
            (Value::Null, "was removed", "waits until you set another"),
        ] {
            let before = told(server);
            server.clock.advance(Duration::from_millis(1));
            let changed = match body {
                Value::Null => server.http.delete(PATH, &session).await,
                body => put(server, &session, &body).await,
            };
            changed.expect(200);
            let subject = format!("receive password for AgentDrop {done}");
            let mail = server.mail_to(&alex.email, &subject).await;
            assert_eq!(
                mail.header("To"),
                "\"Alex Morgan\" <alex.morgan@example.org>"
            );
            let said = mail.text.replace("\r\n", " ");
            assert!(said.contains(says), "{said}");
            assert!(said.contains(&server.url), "{said}");
            // Nothing that works, and nothing of the keys.
            for secret in ["token=", KEY, OTHER_KEY] {
                assert!(!mail.text.contains(secret), "{}", mail.text);
            }
            assert_eq!(told(server), before + 1);
        }
        // What is refused is not told.
        let before = told(server);
        let refused = server.http.delete(PATH, &session).await;
        refused.expect_error(404, "NOT_FOUND");
        put(server, &alex.account.key, &password(KEY))
            .await
            .expect_error(403, "SESSION_REQUIRED");
        server.send_mails().await;
        assert_eq!(told(server), before);
    }
}

/// How many mails there are about receive passwords.
fn told(server: &TestServer) -> usize {
    let mails = server.mails().into_iter();
    mails
        .filter(|it| it.header("Subject").contains("receive password"))
        .count()
}

/// Else anybody signs up with another's address, and writes to it as often as they like.
#[tokio::test]
async fn an_address_that_may_be_anothers_is_not_written_to() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&alex.account).await;
        let sql = "UPDATE accounts SET email_verified_at = NULL WHERE name = 'Alex Morgan'";
        run_sql(server, sql).await;
        put(server, &session, &password(KEY)).await.expect(200);
        server.http.delete(PATH, &session).await.expect(200);
        // Mails go in the order in which they were written: behind this one there is none.
        server.clock.advance(Duration::from_millis(1));
        let body = json!({ "email": jamie.email });
        let asked = server.http.post("/v1/password-resets", "", &body).await;
        asked.expect(200);
        server.mail_to(&jamie.email, "Set a new password").await;
        assert_eq!(told(server), 0);
    }
}

#[tokio::test]
async fn what_is_weak_is_refused_and_named() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let session = server.session_of(&alex.account).await;
        let before = rows(server).await;
        let all_zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let mut bad = vec![password(all_zero)];
        for (field, value) in [
            ("iterations", json!(599_999)),
            ("iterations", json!(10_000_001)),
            ("kdf", json!("argon2id")),
            ("salt", json!("AAAA")),
            ("v", json!(2)),
        ] {
            let mut body = password(KEY);
            body["encrypted_private_key"][field] = value;
            bad.push(body);
        }
        for body in bad {
            let refused = put(server, &session, &body).await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"].as_array().unwrap().len(), 1, "{error}");
        }
        assert_eq!(rows(server).await, before);
    }
}

/// Whoever asks learns of nobody whether they have an account.
#[tokio::test]
async fn who_cannot_be_encrypted_for_looks_like_who_is_not_there() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let nobody = looked_up(alex, "nobody@example.org").await;
        let said = nobody.expect(200);
        assert_eq!(said, json!({ "has_public_key": false, "public_key": null }));
        assert_same("registered", &looked_up(alex, &jamie.email).await, &nobody);

        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        let found = looked_up(alex, "Jamie@EXAMPLE.com").await.expect(200);
        assert_eq!(found, json!({ "has_public_key": true, "public_key": KEY }));

        // An address that is only said to be somebody's is nobody's.
        let sql = "UPDATE accounts SET email_verified_at = NULL WHERE email = 'jamie@example.com'";
        run_sql(server, sql).await;
        assert_same("unverified", &looked_up(alex, &jamie.email).await, &nobody);
        let wrong = looked_up(alex, "no address").await;
        wrong.expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn whoever_sends_to_the_same_people_over_and_over_finds_their_keys_each_time() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        for n in 0..150 {
            // Less than may be asked within a minute.
            if n % 50 == 0 {
                server.clock.advance(Duration::from_mins(1));
            }
            let found = looked_up(alex, &jamie.email).await.expect(200);
            assert_eq!(found["public_key"], KEY);
        }
    }
}

#[tokio::test]
async fn nobody_looks_a_whole_address_book_up() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        for n in 0..120 {
            looked_up(alex, &format!("a{n}@example.org"))
                .await
                .expect(200);
        }
        let refused = looked_up(alex, "a120@example.org").await;
        let error = refused.expect_error(429, "RATE_LIMITED");
        assert_eq!(error["retry_after"], 30);
        // Neither does asking once more.
        let refused = looked_up(alex, "a120@example.org").await;
        refused.expect_error(429, "RATE_LIMITED");
        // Who was looked up can be sent to, again and again: a client that is refused the key of
        // somebody sends them plaintext.
        looked_up(alex, "A7@example.org").await.expect(200);
        looked_up(jamie, "a120@example.org").await.expect(200);
    }
}
