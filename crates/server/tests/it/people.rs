//! Sending to people, and what they see of it.

use std::time::Duration;

use agentdrop_server::EmailVerification;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use reqwest::multipart::{Form as MultipartForm, Part};
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password, put};
use crate::world::{blobs, everything, rows, run_sql, thief, until};

const TO_PERSON: (&str, &str) = ("mode", "agent-to-human");
/// As the published client seals for a person.
const SEALED: [(&str, &str); 4] = [
    ("is_encrypted", "true"),
    ("encryption_algorithm", "X25519-HKDF-AES-256-GCM-A2H"),
    ("encrypted_key", KEY),
    (
        "encryption_salt",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
];

async fn to(from: &Party, email: &str, more: &[(&'static str, &str)]) -> Answer {
    let mut fields = vec![TO_PERSON, ("message", "Weekly report")];
    fields.extend_from_slice(more);
    from.send("data-pipeline", email, &fields).await
}

async fn enrol(server: &TestServer, person: &Party) -> String {
    let session = server.session_of(&person.account).await;
    put(server, &session, &password(KEY)).await.expect(200);
    session
}

/// What a transfer is, less what is each one's own.
fn alike(transfer: &Value) -> Value {
    let mut it = transfer.clone();
    for own in ["id", "url", "api_url", "download_url", "recipient", "files"] {
        it[own] = Value::Null;
    }
    it
}

#[tokio::test]
async fn who_has_no_key_is_told_and_their_files_wait() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let mut answers = Vec::new();
        for (email, step) in [
            (&*jamie.email, "until you have set a receive password"),
            (
                "new@example.org",
                "until you have an account with this address",
            ),
        ] {
            let sent = to(alex, email, &[]).await.expect(201);
            assert_eq!(sent["status"], "pending_recipient");
            assert_eq!(sent["mode"], "agent-to-human");
            assert_eq!(sent["recipient"], email);
            assert_eq!(sent["recipient_account_id"], Value::Null);
            let reason = text(&sent, "pending_reason");
            assert!(reason.contains("receive password"), "{reason}");
            let mail = server.mail_to(email, "Files wait for you").await;
            let said = mail.text.replace("\r\n", " ");
            // The whole road, in its order.
            let login = format!("login {email}");
            let mut road = vec![&*login, "receive-password set", "agentdrop open '"];
            if email == "new@example.org" {
                road.insert(0, "account create --name NAME --invitation '");
            }
            let places: Vec<_> = road.iter().map(|it| said.find(it)).collect();
            assert!(places.iter().all(Option::is_some), "{road:?}: {said}");
            assert!(places.is_sorted(), "{road:?}: {said}");
            for part in [step, "data-pipeline", "a.txt (10 bytes)", "Weekly report"] {
                assert!(said.contains(part), "{part}: {said}");
            }
            let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
            alex.get(&path).await.expect_error(410, "GONE");
            answers.push(sent);
        }
        // Where no agent sent it, none is said to have.
        let fields = [TO_PERSON];
        let sent = alex.send("Alex", "o'brien@example.org", &fields).await;
        sent.expect(201);
        let mail = server.mail_to("o'brien@example.org", "Files wait").await;
        assert!(mail.text.contains("Somebody has sent you"), "{}", mail.text);
        assert!(!mail.text.contains("AI agent"), "{}", mail.text);
        let quoted = r"login 'o'\''brien@example.org'";
        assert!(mail.text.contains(quoted), "{}", mail.text);
        // Whether they have an account shows in nothing that the sender is answered.
        assert_eq!(alike(&answers[0]), alike(&answers[1]));
        let stored = thief(server).blobs();
        assert!(!stored.is_empty());
        let plain = stored
            .iter()
            .filter(|it| it.bytes.windows(4).any(|it| it == b"0123"));
        assert_eq!(plain.count(), 0, "it lies encrypted");
    }
}

#[tokio::test]
async fn who_has_a_key_fetches_what_was_encrypted_for_it() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        enrol(server, jamie).await;
        let sent = to(alex, "Jamie@EXAMPLE.com", &SEALED).await.expect(201);
        assert_eq!(sent["status"], "active");
        assert_eq!(sent["pending_reason"], Value::Null);
        assert_eq!(sent["is_encrypted"], true);
        server.mail_to("Jamie@EXAMPLE.com", "are ready").await;

        let id = text(&sent, "id");
        let inbox = jamie.get("/v1/transfers/inbox?mode=agent-to-human").await;
        assert_eq!(inbox.expect(200)["transfers"][0]["id"], id);
        let inbox = jamie.get("/v1/transfers/inbox?mode=agent-to-agent").await;
        assert_eq!(inbox.expect(200)["total"], 0);
        let path = format!("/v1/transfers/{id}");
        jamie.get(&path).await.expect(200);
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        assert_eq!(grant["encrypted_key"], KEY);
        assert_eq!(grant["recipient_public_key"], KEY);
        let ack = json!({ "download_id": grant["download_id"], "status": "received" });
        jamie.post(&format!("{path}/ack"), &ack).await.expect(200);
        let shown = alex.get(&path).await.expect(200);
        assert_eq!(shown["deliveries"][0]["status"], "received");
        jamie.delete(&path).await.expect(200);

        // Their agents are not they.
        let sent = to(alex, &jamie.email, &SEALED).await.expect(201);
        let body = json!({ "name": "ci" });
        let made = jamie.post("/v1/agents/analysis-bot/keys", &body).await;
        let agent = jamie.with_key(text(&made.expect(201), "api_key"));
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        for refused in [
            agent.get(&path).await,
            agent.get(&format!("{path}/download")).await,
            agent.delete(&path).await,
        ] {
            refused.expect_error(404, "NOT_FOUND");
        }
        assert_eq!(agent.waiting().await, 0);
    }
}

#[tokio::test]
async fn what_was_encrypted_for_a_key_that_is_none_is_not_kept() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = enrol(server, jamie).await;
        let removed = server.http.delete("/v1/account/receive-password", &session);
        removed.await.expect(200);
        let before = (rows(server).await, blobs(server));
        for email in [&*jamie.email, "nobody@example.org"] {
            let refused = to(alex, email, &SEALED).await;
            refused.expect_error(409, "KEY_CHANGED");
        }
        // Nor what no person could open.
        for (field, value) in [
            ("encryption_algorithm", "X25519-HKDF-AES-256-GCM"),
            ("encrypted_key", "AAAA"),
            ("encryption_salt", ""),
        ] {
            let mut fields = SEALED.to_vec();
            fields.retain(|it| it.0 != field);
            if !value.is_empty() {
                fields.push((field, value));
            }
            let refused = to(alex, &jamie.email, &fields).await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field);
        }
        let refused = to(alex, "no address", &[]).await;
        let error = refused.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "recipient");
        let strict = json!({ "require_encryption": true });
        // The recipient's own setting tells nobody of their account.
        jamie.patch("/v1/account", &strict).await.expect(200);
        let sent = to(alex, &jamie.email, &[]).await.expect(201);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        alex.delete(&path).await.expect(200);
        alex.patch("/v1/account", &strict).await.expect(200);
        let refused = to(alex, &jamie.email, &[]).await;
        refused.expect_error(400, "ENCRYPTION_REQUIRED");
        server.sweep().await;
        assert_eq!(blobs(server), before.1);
        assert_ne!(rows(server).await, before.0);
    }
}

/// Five a day, however many ask at once, whatever becomes of them and of the agent that sent them.
#[tokio::test(flavor = "multi_thread")]
async fn few_strangers_are_written_to_a_day() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let emails: Vec<_> = (0..8).map(|it| format!("new{it}@example.org")).collect();
        let answers = join_all(emails.iter().map(|it| to(alex, it, &[]))).await;
        let sent = answers.iter().filter(|it| it.status == 201).count();
        assert_eq!(sent, 5);
        for answer in answers.iter().filter(|it| it.status != 201) {
            let error = answer.expect_error(429, "INVITE_RATE_LIMIT");
            let wait = error["retry_after"].as_u64().unwrap();
            assert!((86_000..=86_400).contains(&wait), "{wait}");
        }
        to(alex, &jamie.email, &[]).await.expect(201);
        alex.delete("/v1/agents/data-pipeline").await.expect(200);
        server.agent(&alex.account, "data-pipeline").await;
        let refused = to(alex, "new9@example.org", &[]).await;
        refused.expect_error(429, "INVITE_RATE_LIMIT");
        assert_eq!(everything(server).await["strangers"].len(), 5);

        server.clock.advance(Duration::from_hours(24));
        to(alex, "new9@example.org", &[]).await.expect(201);
        server.sweep().await;
        assert_eq!(everything(server).await["strangers"].len(), 1);
    }
}

/// Verification comes first, always: else whoever signs up with another's address has their files.
/// Else whoever has an account writes to any other as often as requests may be sent.
#[tokio::test]
async fn no_mailbox_is_filled_with_files_whenever_they_become_ready() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let told = |subject: &str| {
            let mails = server.mails().into_iter();
            let told = mails.filter(|it| it.header("Subject").starts_with(subject));
            told.filter(|it| {
                it.header("To")
                    .to_lowercase()
                    .contains(&jamie.email.to_lowercase())
            })
            .count()
        };
        // Mails go in the order in which they were written: behind this one there is none.
        let all_sent = async || {
            let resets = || {
                let mails = server.mails().into_iter();
                let resets =
                    mails.filter(|it| it.header("Subject").starts_with("Set a new password"));
                resets.count()
            };
            let before = resets();
            server.clock.advance(Duration::from_millis(1));
            let reset = json!({ "email": alex.email });
            let asked = server.http.post("/v1/password-resets", "", &reset).await;
            asked.expect(200);
            let sent = async || {
                server.send_mails().await;
                resets() > before
            };
            until("the mail behind them is sent", sent).await;
        };
        for n in 0..35 {
            // However the address is spelled.
            let upper = jamie.email.to_uppercase();
            let email = if n % 2 == 0 { &jamie.email } else { &upper };
            to(alex, email, &[]).await.expect(201);
        }
        all_sent().await;
        assert_eq!(told("Files wait for you"), 30);
        // All of them wait, and are there, whether they were mailed or not.
        enrol(server, jamie).await;
        server.activate().await;
        let inbox = jamie.get("/v1/transfers/inbox?mode=agent-to-human").await;
        assert_eq!(inbox.expect(200)["total"], 35);
        all_sent().await;
        assert_eq!(told("Files for you are ready"), 30);
        // Others write to them all the same, and so does this one later.
        server.clock.advance(Duration::from_hours(1));
        to(alex, &jamie.email, &SEALED).await.expect(201);
        all_sent().await;
        assert_eq!(told("Files for you are ready"), 31);
    }
}

#[tokio::test]
async fn whoever_signs_up_finds_what_waited_once_the_address_is_theirs() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let sent = to(alex, "Pat@example.org", &[]).await.expect(201);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let pat = Party::new(server, "Pat", "pat@example.org").await;
        let waits = "/v1/transfers/inbox?status=pending_recipient";
        let verified =
            |at: &str| format!("UPDATE accounts SET email_verified_at = {at} WHERE name = 'Pat'");
        run_sql(server, &verified("NULL")).await;
        pat.get(&path).await.expect_error(404, "NOT_FOUND");
        pat.delete(&path).await.expect_error(404, "NOT_FOUND");
        assert_eq!(pat.get(waits).await.expect(200)["total"], 0);

        run_sql(server, &verified("1")).await;
        let shown = pat.get(&path).await.expect(200);
        assert_eq!(shown["status"], "pending_recipient");
        let listed = pat.get(waits).await.expect(200);
        assert_eq!(listed["transfers"][0]["id"], sent["id"]);
        let refused = pat.get(&format!("{path}/download")).await;
        refused.expect_error(410, "GONE");
        pat.delete(&path).await.expect(200);
        assert_eq!(alex.get(&path).await.expect(200)["status"], "deleted");
    }
}

#[tokio::test]
async fn whoever_blocks_an_account_is_not_sent_files_by_it() {
    for Parties {
        server: _server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let connection = alex.connect(jamie).await;
        let path = format!("/v1/connections/{connection}/block");
        jamie.post(&path, &json!({})).await.expect(200);
        let refused = to(alex, &jamie.email, &[]).await;
        refused.expect_error(403, "BLOCKED");
    }
}

#[tokio::test]
async fn whoever_only_says_that_an_address_is_theirs_sends_to_nobody_in_its_name() {
    for engine in Engine::ALL {
        let parties = Parties::on(
            TestServer::start(engine, |config| {
                config.email_verification = Some(EmailVerification::Required);
            })
            .await,
        );
        let Parties {
            server,
            alex,
            jamie,
        } = parties.await;
        let verified = |at: &str, whose: &Party| {
            let set = format!("UPDATE accounts SET email_verified_at = {at}");
            format!("{set} WHERE email = '{}'", whose.email)
        };
        run_sql(&server, &verified("1", &jamie)).await;
        enrol(&server, &jamie).await;
        server.send_mails().await;
        let before = (rows(&server).await, blobs(&server));
        let about_files = async || {
            server.send_mails().await;
            let mails = server.mails();
            mails
                .iter()
                .filter(|it| it.text.contains("sent you files"))
                .count()
        };
        let files = json!([{ "name": "a.txt", "size": 10 }]);
        for email in [&*jamie.email, &alex.email, "new@example.org"] {
            to(&alex, email, &[])
                .await
                .expect_error(403, "ADDRESS_NOT_VERIFIED");
            // Where the files come before what they are for.
            let file = Part::bytes(b"0123456789".as_slice()).file_name("a.txt");
            let form = MultipartForm::new()
                .text("sender", "data-pipeline")
                .text("recipient", email.to_owned())
                .part("files", file)
                .text("mode", "agent-to-human");
            let key = &alex.account.key;
            let request = server.http.request("POST", "/v1/transfers", key);
            let late = send(request.multipart(form)).await;
            late.expect_error(403, "ADDRESS_NOT_VERIFIED");
            let body = json!({
                "sender": "data-pipeline", "recipient": email, "mode": "agent-to-human",
                "files": files,
            });
            for path in ["presigned", "presigned/multipart"] {
                let refused = alex.post(&format!("/v1/transfers/{path}"), &body).await;
                let error = refused.expect_error(403, "ADDRESS_NOT_VERIFIED");
                assert!(
                    text(&error, "message").contains("account verify"),
                    "{error}"
                );
            }
        }
        to(&alex, &jamie.email, &SEALED)
            .await
            .expect_error(403, "ADDRESS_NOT_VERIFIED");
        let after = (rows(&server).await, blobs(&server));
        assert_eq!(after, before);
        assert_eq!(about_files().await, 0);

        // Announced while it was, and not any more.
        run_sql(&server, &verified("1", &alex)).await;
        let body = json!({
            "sender": "data-pipeline", "recipient": jamie.email, "mode": "agent-to-human",
            "files": files,
        });
        let announced = alex.post("/v1/transfers/presigned", &body).await;
        let confirm = text(&announced.expect(201), "confirm_url");
        let (_, path) = confirm.split_once("/v1/").unwrap();
        let confirm = &format!("/v1/{path}");
        run_sql(&server, &verified("NULL", &alex)).await;
        alex.post(confirm, &json!({}))
            .await
            .expect_error(403, "ADDRESS_NOT_VERIFIED");

        // What was taken while it was is theirs, and nobody is written to about it any more.
        run_sql(&server, &verified("1", &alex)).await;
        let sam = Party::new(&server, "Sam", "sam@example.org").await;
        run_sql(&server, &verified("1", &sam)).await;
        let waits = text(&to(&alex, &sam.email, &[]).await.expect(201), "id");
        run_sql(&server, &verified("NULL", &alex)).await;
        enrol(&server, &sam).await;
        server.activate().await;
        let shown = sam.get(&format!("/v1/transfers/{waits}")).await;
        assert_eq!(shown.expect(200)["status"], "active");
        let subject = "Files wait for you on AgentDrop";
        server.mail_to(&sam.email, subject).await;
        assert_eq!(about_files().await, 1, "when it was sent, and not again");
    }
}
