//! Recipients who are people: the table of the page on sending, and what it says behind that.

use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::{Value, json};

use super::{KEY, assert_shape};
use crate::parties::{Parties, Party};
use crate::receive_passwords::put;
use crate::world::{thief, until};

const NEW: &str = "new@example.org";

/// The page's fields, to a person.
async fn to(from: &Party, email: &str, sealed: &[(&'static str, &str)]) -> Value {
    let mut fields = vec![
        ("mode", "agent-to-human"),
        ("message", "Weekly report files"),
        ("max_downloads", "3"),
        ("expires_in", "12h"),
    ];
    fields.extend_from_slice(sealed);
    let sent = from.send("data-pipeline", email, &fields).await.expect(201);
    let example = json!({
        "id": "string", "url": "url", "api_url": "url", "status": "string",
        "mode": "=agent-to-human", "sender": "=data-pipeline",
        "recipient": format!("={email}"), "pending_reason": "string?",
        "files": [{ "name": "string", "size": "integer", "type": "string" }],
        "max_downloads": "integer", "downloads": "integer", "total_size": "integer",
        "created_at": "time", "expires_at": "time", "is_encrypted": "boolean",
        "auto_delete": "boolean", "message": "=Weekly report files",
    });
    assert_shape("agent-to-human", &sent, &example);
    sent
}

fn path_of(sent: &Value) -> String {
    format!("/v1/transfers/{}", text(sent, "id"))
}

async fn set_password(server: &TestServer, of: &Party, key: &ReceiveKey) {
    let session = server.session_of(&of.account).await;
    put(server, &session, &key.password()).await.expect(200);
}

/// "Registered + receiving password set: files encrypted with recipient's X25519 public key (E2E).
/// Status: active."
#[tokio::test]
async fn to_who_has_a_receiving_password() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let key = ReceiveKey::new();
        set_password(server, jamie, &key).await;
        let email = jamie.email.replace('@', "%40");
        let path = format!("/v1/transfers/recipient-public-key?email={email}");
        let found = alex.get(&path).await.expect(200);
        assert_eq!(found["public_key"], key.public());
        let sealed = [
            ("is_encrypted", "true"),
            ("encryption_algorithm", "X25519-HKDF-AES-256-GCM-A2H"),
            ("encrypted_key", KEY),
            ("encryption_salt", KEY),
        ];
        let sent = to(alex, &jamie.email, &sealed).await;
        assert_eq!(
            (&sent["status"], &sent["is_encrypted"]),
            (&json!("active"), &json!(true))
        );
        assert_eq!(sent["pending_reason"], Value::Null);
        let grant = jamie.get(&format!("{}/download", path_of(&sent))).await;
        let grant = grant.expect(200);
        let file = text(&grant["files"][0], "download_url");
        let file = server.http.get(&file, "").await;
        assert_eq!(
            file.bytes, b"0123456789",
            "as it came: the server adds nothing"
        );
    }
}

/// "Registered, no receiving password: files encrypted with server key. Recipient gets a nudge email
/// to set their password", "Not registered: files encrypted with server key. Recipient gets an invite
/// email to create an account", both `pending_recipient`; and "when a `pending_recipient` transfer
/// activates (recipient signs up + sets password), files are re-encrypted with their public key and
/// the server key is deleted. The recipient gets a 'files ready' notification."
#[tokio::test]
async fn to_who_has_none_or_is_not_registered() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        for (email, asks_for) in [
            (&*jamie.email, "until you have set a receive password"),
            (NEW, "until you have an account with this address"),
        ] {
            let sent = to(alex, email, &[]).await;
            assert_eq!(sent["status"], "pending_recipient");
            let reason = text(&sent, "pending_reason");
            assert!(reason.contains("receive password"), "{reason}");
            let mail = server.mail_to(email, "Files wait for you").await;
            let said = mail.text.replace("\r\n", " ");
            assert!(said.contains(asks_for), "{said}");
            let row = async || {
                let store = server.database().open().await;
                let (owner, id) = (alex.account.id.parse(), text(&sent, "id").parse());
                let mut reader = store.read().await.unwrap();
                let found = reader.transfer_of(owner.unwrap(), id.unwrap()).await;
                found.unwrap().unwrap()
            };
            let before = row().await;
            assert_eq!(
                thief(server).open(&before),
                Some(vec![b"0123456789".to_vec()])
            );

            let person = if email == NEW {
                &Party::new(server, "New", NEW).await
            } else {
                jamie
            };
            let key = ReceiveKey::new();
            set_password(server, person, &key).await;
            let active = async || {
                let shown = alex.get(&path_of(&sent)).await.expect(200);
                shown["status"] == "active" && shown["pending_reason"].is_null()
            };
            until("it activates by itself", active).await;
            server.mail_to(email, "are ready").await;
            let after = row().await;
            assert_ne!(after.wrapped_key, before.wrapped_key);
            let gone = async || thief(server).blobs_of(after.id).len() == 2;
            until("what the server key opened is gone", gone).await;
            assert_eq!(thief(server).open(&before), None);
            let grant = person.get(&format!("{}/download", path_of(&sent))).await;
            let files = crate::activation::opened(person, server, &grant.expect(200), &key).await;
            assert_eq!(files, [("a.txt".to_owned(), b"0123456789".to_vec())]);
        }
    }
}

/// "Transfers to non-registered emails are rate-limited to 5 per account per day": to others they
/// are not, and neither are another account's.
#[tokio::test]
async fn five_a_day_to_who_is_not_registered() {
    for Parties {
        server: _server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        for _ in 0..2 {
            to(alex, &jamie.email, &[]).await;
        }
        for _ in 0..5 {
            to(alex, NEW, &[]).await;
        }
        let mode = [("mode", "agent-to-human")];
        let refused = alex.send("data-pipeline", NEW, &mode).await;
        refused.expect_error(429, "INVITE_RATE_LIMIT");
        to(alex, &jamie.email, &[]).await;
        jamie.send("label", NEW, &mode).await.expect(201);
    }
}
