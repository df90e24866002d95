//! Mails that wait, and what they say.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use agentdrop_server::{Config, Smtp};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;

use crate::parties::{Parties, Party};
use crate::world::{everything, files_under};

const HEADERS: [&str; 8] = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
];

#[tokio::test]
async fn an_invitation_is_mailed_alike_to_who_has_an_account_and_who_has_none() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let mut said = Vec::new();
        for email in [&*jamie.email, "nobody@example.org"] {
            let message = "Shall we?\n<b>Bcc: x@evil.example</b>";
            let body = json!({ "email": email, "message": message });
            let made = alex.post("/v1/connections", &body).await.expect(201);
            let mail = server.mail_to(email, "An invitation to connect").await;
            assert!(
                mail.text
                    .contains("> Alex Morgan <alex.morgan@example.org>")
            );
            assert!(
                mail.text
                    .contains("> Shall we?\r\n> <b>Bcc: x@evil.example</b>")
            );
            assert!(!mail.html.contains("<b>"), "{}", mail.html);
            assert_eq!(mail.header("To"), email);
            let id = text(&made, "id");
            assert!(mail.text.contains(&format!(" accept {id}")));
            said.push(mail.text.replace(&id, "ID").replace(email, "EMAIL"));
        }
        assert_eq!(said[0], said[1]);
    }
}

#[tokio::test]
async fn a_pairing_that_is_proposed_is_mailed_to_the_other_side() {
    for parties in &Parties::each().await {
        let connection = parties.connect().await;
        let agents = ["data-pipeline", "analysis-bot"];
        let made = parties.alex.propose(&connection, agents, "both").await;
        let id = text(&made.expect(201), "id");
        let mail = parties
            .server
            .mail_to(&parties.jamie.email, "A pairing waits")
            .await;
        assert!(mail.text.contains("> their agent: data-pipeline"));
        assert!(mail.text.contains("> your agent: analysis-bot"));
        assert!(mail.text.contains("> files go: both ways"));
        assert!(mail.text.contains(&format!(" confirm {id}")));
        assert_eq!(mail.header("To"), "\"Jamie Chen\" <jamie@example.com>");
    }
}

#[tokio::test]
async fn other_terms_are_mailed_as_the_other_side_reads_them_and_fill_no_mailbox() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (connection, pairing) = parties.pair("both").await;
        let path = format!("/v1/pairings/{pairing}");
        let terms = async |permission: &str| {
            let body = json!({ "permission": permission });
            alex.patch(&path, &body).await.expect(200);
        };
        let told = || {
            let mails = server.mails().into_iter();
            let told = mails.filter(|it| it.header("Subject").starts_with("A pairing waits"));
            told.filter(|it| it.header("To").contains(&jamie.email))
                .collect::<Vec<_>>()
        };
        // Mails of one moment have no order.
        server.clock.advance(Duration::from_millis(1));
        terms("send_only").await;
        crate::world::until("the change is mailed", async || told().len() == 2).await;
        // Of two that were written in one millisecond, either may lie in front.
        let changed = "> files go: from their agent to yours only";
        assert_eq!(
            told().iter().filter(|it| it.text.contains(changed)).count(),
            1
        );
        let listed = jamie
            .get(&format!("/v1/connections/{connection}/pairings"))
            .await;
        assert_eq!(
            listed.expect(200)["pairings"][0]["terms_by"],
            alex.account.id
        );
        for n in 0..20 {
            terms(if n % 2 == 0 { "both" } else { "receive_only" }).await;
        }
        // Mails go in the order in which they were written: behind this one there is none.
        server.clock.advance(Duration::from_millis(1));
        let reset = json!({ "email": alex.email });
        let asked = server.http.post("/v1/password-resets", "", &reset).await;
        asked.expect(200);
        server.mail_to(&alex.email, "Set a new password").await;
        assert_eq!(told().len(), 10);
    }
}

#[tokio::test]
async fn whatever_somebody_is_called_a_mail_has_these_headers() {
    for server in &TestServer::each().await {
        let refused = json!({ "name": "Eve\r\nBcc: x@evil.example", "email": "eve@example.org" });
        let refused = server.http.post("/v1/accounts", "", &refused).await;
        refused.expect_error(400, "VALIDATION_ERROR");
        let names = [
            "Eve\" <x@evil.example>, \"",
            "=?utf-8?q?=0D=0ABcc:_x@evil.example?=",
            &"👩".repeat(100),
            "\u{200f}\u{61c}evE",
        ];
        for (n, name) in names.into_iter().enumerate() {
            let email = format!("eve{n}@example.org");
            let eve = Party::new(server, name, &email).await;
            server.session_of(&eve.account).await;
            let to = format!("victim{n}@example.org");
            eve.invite(&to).await.expect(201);
            for (to, subject) in [(&email, "was changed"), (&to, "An invitation")] {
                let mail = server.mail_to(to, subject).await;
                let named = mail.headers.iter().map(|it| it.split(':').next().unwrap());
                assert_eq!(named.collect::<Vec<_>>(), HEADERS, "{name}");
                let end = mail.header("To").trim_end_matches('>');
                assert!(end.ends_with(to.as_str()), "{:?}", mail.headers);
                assert_eq!(mail.header("To").matches("@example.org").count(), 1);
            }
        }
    }
}

#[tokio::test]
async fn the_outbox_is_its_owners_alone() {
    for server in &TestServer::each().await {
        let alex = Party::new(server, "Alex", "alex@example.org").await;
        server.session_of(&alex.account).await;
        let outbox = server.data_dir().join("outbox");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&outbox), 0o700);
        let files = files_under(&outbox);
        assert!(!files.is_empty());
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        server.mail_to("alex@example.org", "was changed").await;
        let sent = async || everything(server).await["mails"].is_empty();
        crate::world::until("what was sent waits no more", sent).await;
    }
}

/// A mail server that is not there: the mail waits, and lies encrypted meanwhile.
#[tokio::test]
async fn what_waits_lies_encrypted() {
    for engine in Engine::ALL {
        let nowhere = |config: &mut Config| {
            let url = "smtp://127.0.0.1:1".parse().unwrap();
            config.smtp = Some(Smtp { url, ca_file: None });
            config.mail_from = Some("AgentDrop <drop@example.org>".to_owned());
        };
        let server = TestServer::start(engine, nowhere).await;
        let body = json!({ "name": "Alex", "email": "alex@example.org" });
        server
            .http
            .post("/v1/accounts", "", &body)
            .await
            .expect(201);
        server.send_mails().await;
        let waiting = everything(&server).await["mails"].clone();
        assert_eq!(waiting.len(), 1);
        let hex = hex::encode("token");
        for secret in ["agl_", "alex@", "token", &*hex] {
            assert!(!waiting[0].contains(secret), "{}", waiting[0]);
        }
    }
}
