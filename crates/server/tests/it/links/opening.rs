//! What whoever has a link sees and fetches.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Link, SEALED, enrol, mail_of, token_in};
use crate::bad_input::no_link;
use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password, put};
use crate::world::{assert_same, everything, file_url, rows, until};

const OTHER_KEY: &str = "pTdKtmpCIUNTHuaOwgTOqB2CQwAvYPVZfXsO7qcUGHw=";
const NEW: &str = "new@example.org";

#[tokio::test]
async fn whoever_has_the_link_sees_the_files_and_fetches_them() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        enrol(server, jamie, KEY).await;
        let link = Link::sealed(server, &alex.account.key, "data-pipeline", &jamie.email).await;
        let mail = mail_of(server, &link.transfer, "are ready").await;
        let address = format!(
            "{}/d/{}#{}",
            server.url,
            text(&link.transfer, "id"),
            link.token
        );
        let command = format!("    agentdrop open '{address}'");
        assert!(mail.text.contains(&command), "{}", mail.text);
        assert!(mail.html.contains(&link.token));

        let before = rows(server).await;
        let shown = link.show(server).await;
        assert_eq!(shown.header("cache-control"), "no-store");
        let shown = shown.expect(200);
        assert_eq!(shown["next_step"], "open");
        let transfer = &shown["transfer"];
        assert_eq!(transfer["id"], link.transfer["id"]);
        assert_eq!(transfer["status"], "active");
        assert_eq!(transfer["sender"], "data-pipeline");
        let sender = json!({ "name": "Alex Morgan", "email": alex.email });
        assert_eq!(transfer["sender_account"], sender);
        assert_eq!(transfer["recipient"], *jamie.email);
        assert_eq!(transfer["recipient_account_id"], Value::Null);
        assert_eq!(transfer["files"][0]["name"], "a.txt");
        assert_eq!(transfer["downloads_remaining"], 10);
        assert_eq!(transfer["encrypted_key"], KEY);
        assert_eq!(transfer["encryption_salt"], SEALED[3].1);
        assert_eq!(transfer["recipient_public_key"], KEY);
        let wrapped = &password(KEY)["encrypted_private_key"];
        assert_eq!(shown["receive_password"]["encrypted_private_key"], *wrapped);
        let path = format!("/v1/d/{}", link.token);
        let looked = send(server.http.request("HEAD", &path, "")).await;
        assert_eq!(looked.status, 200);
        assert_eq!(rows(server).await, before, "whoever looks uses nothing up");

        let grant = link.download(server).await.expect(200);
        let by_account = jamie.get(&format!("{}/download", link.path())).await;
        let by_account = by_account.expect(200);
        let alike = |grant: &Value| {
            let mut grant = grant.clone();
            for own in ["download_id", "downloads", "downloads_remaining", "files"] {
                grant[own] = Value::Null;
            }
            grant
        };
        assert_eq!(alike(&grant), alike(&by_account), "it has one shape");
        let got = server.http.get(&file_url(&grant, 0), "").await;
        assert_eq!(got.bytes, b"0123456789");
        for taken in [&grant, &by_account] {
            let said = link.ack(server, taken).await.expect(200);
            assert_eq!(said["status"], "received");
            let again = link.ack(server, taken).await.expect(200);
            assert_eq!(again, said);
        }
        let sent = alex.get(&link.path()).await.expect(200);
        assert_eq!(sent["deliveries"].as_array().unwrap().len(), 2);
        assert_eq!(sent["downloads"], 2);
        // The sender's own download is nobody else's to speak of.
        let own = alex.get(&format!("{}/download", link.path())).await;
        let refused = link.ack(server, &own.expect(200)).await;
        refused.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_link_says_what_is_to_be_done_first() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let key = &alex.account.key;
        let mut links = Vec::new();
        for (email, step) in [(&*jamie.email, "set_receive_password"), (NEW, "sign_up")] {
            let link = Link::plain(server, key, "data-pipeline", email).await;
            let mail = mail_of(server, &link.transfer, "wait for you").await;
            assert!(mail.text.contains("receive-password set"), "{}", mail.text);
            let shown = link.show(server).await.expect(200);
            assert_eq!(shown["next_step"], step);
            assert_eq!(shown["receive_password"], Value::Null);
            assert_eq!(shown["transfer"]["status"], "pending_recipient");
            let refused = link.download(server).await;
            refused.expect_error(409, "INVALID_STATUS");
            links.push(link);
        }
        let [waits, _] = &links[..] else { panic!() };
        let session = enrol(server, jamie, KEY).await;
        let active = async || waits.show(server).await.expect(200)["next_step"] == "open";
        until("what waited is activated", active).await;
        // The mail of then leads there, and so does that of now, which has another link.
        let mail = mail_of(server, &waits.transfer, "are ready").await;
        let later = Link {
            token: token_in(&mail, &waits.transfer),
            transfer: waits.transfer.clone(),
        };
        assert_ne!(later.token, waits.token);
        let now = later.show(server).await.expect(200);
        assert_eq!(now, waits.show(server).await.expect(200));
        assert_eq!(now["receive_password"]["public_key"], KEY);

        // Another key opens nothing of before.
        let other = put(server, &session, &password(OTHER_KEY)).await;
        other.expect(200);
        let shown = later.show(server).await.expect(200);
        assert_eq!(shown["next_step"], "open");
        assert_eq!(shown["receive_password"], Value::Null);
        assert_eq!(shown["transfer"]["recipient_public_key"], KEY);
    }
}

/// One too many never, however many ask at once.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_downloads_by_a_link_as_many_are_granted_as_allowed() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        enrol(server, jamie, KEY).await;
        for most in ["1", "3"] {
            let mut fields = SEALED.to_vec();
            fields.push(("max_downloads", most));
            let key = &alex.account.key;
            let link = Link::sent(server, key, "data-pipeline", &jamie.email, &fields).await;
            let answers = join_all((0..16).map(|_| link.download(server))).await;
            let (granted, refused): (Vec<_>, Vec<_>) =
                answers.iter().partition(|it| it.status == 200);
            assert_eq!(granted.len().to_string(), most);
            for refused in refused {
                refused.expect_error(410, "GONE");
            }
            // The last one is told of like the others, though the link shows nothing any more.
            for grant in granted {
                link.ack(server, &grant.json()).await.expect(200);
                let got = server.http.get(&file_url(&grant.json(), 0), "").await;
                assert_eq!(got.status, 200);
            }
            let shown = link.show(server).await;
            shown.expect_error(410, "GONE");
            let sent = alex.get(&link.path()).await.expect(200);
            assert_eq!(sent["downloads"].to_string(), most);
        }
    }
}

#[tokio::test]
async fn a_link_opens_its_own_transfer_and_nothing_else() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        enrol(server, jamie, KEY).await;
        let key = &alex.account.key;
        let one = Link::sealed(server, key, "data-pipeline", &jamie.email).await;
        let other = Link::sealed(server, key, "data-pipeline", &jamie.email).await;
        let grant = other.download(server).await.expect(200);
        let refused = one.ack(server, &grant).await;
        refused.expect_error(404, "NOT_FOUND");
        let shown = one.show(server).await.expect(200);
        assert_eq!(shown["transfer"]["id"], one.transfer["id"]);

        // It is no key, and what mails have for something else is no link to files.
        for path in [&*one.path(), "/v1/account", "/v1/transfers/inbox"] {
            let refused = server.http.get(path, &one.token).await;
            refused.expect_error(401, "UNAUTHORIZED");
        }
        let token = json!({ "token": one.token });
        let refused = server
            .http
            .post("/v1/email-verifications/confirm", "", &token);
        refused.await.expect_error(410, "GONE");
        let body = json!({ "token": one.token, "password": "a password of mine" });
        let refused = server.http.post("/v1/password-resets/confirm", "", &body);
        refused.await.expect_error(410, "GONE");
        let body = json!({ "email": jamie.email });
        let asked = server.http.post("/v1/password-resets", "", &body).await;
        asked.expect(200);
        let reset = server.mail_to(&jamie.email, "Set a new password").await;
        let reset = Link {
            token: reset.token(),
            transfer: one.transfer.clone(),
        };
        let unknown = Link {
            token: no_link(),
            transfer: one.transfer.clone(),
        };
        let refused = reset.show(server).await;
        refused.expect_error(410, "GONE");
        assert_same("of another kind", &refused, &unknown.show(server).await);
        // What is not a whole link is not found, so that whoever typed it knows.
        let mut cut = unknown.token.clone();
        cut.pop();
        for token in [&*cut, &jamie.account.key, "x"] {
            let missing = server.http.get(&format!("/v1/d/{token}"), "").await;
            missing.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn what_a_link_has_is_kept_as_its_digest_alone() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let link = Link::plain(server, &alex.account.key, "data-pipeline", NEW).await;
        link.show(server).await.expect(200);
        let kept = everything(server).await;
        assert_eq!(kept["transfer_links"].len(), 1);
        let chance = link.token.trim_start_matches("agl_");
        let dumped = format!("{kept:?}");
        assert!(!dumped.contains(chance) && !dumped.contains(&hex::encode(chance)));
    }
}

/// Those who guess are counted by where they come from.
#[tokio::test]
async fn whoever_tries_links_is_counted_by_their_address() {
    for engine in agentdrop_testkit::engines::Engine::ALL {
        let server = TestServer::start(engine, |config| {
            config.rates = Some(agentdrop_server::Rates::default());
        })
        .await;
        let alex = Party::new(&server, "Alex", "alex@example.org").await;
        let token = no_link();
        let mut statuses = Vec::new();
        for n in 0..60 {
            let (method, behind) = [("GET", ""), ("POST", "/downloads"), ("POST", "/ack")][n % 3];
            let request = server
                .http
                .request(method, &format!("/v1/d/{token}{behind}"), "");
            let body = json!({ "download_id": "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6", "status": "received" });
            statuses.push(send(request.json(&body)).await.status);
        }
        let gone = statuses.iter().filter(|it| **it == 410).count();
        // The account took one.
        assert_eq!(gone, 59, "{statuses:?}");
        assert_eq!(statuses.last(), Some(&429));
        alex.get("/v1/account").await.expect(200);
    }
}
