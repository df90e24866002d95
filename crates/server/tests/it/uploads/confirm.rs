//! What confirming decides anew, and whom it tells.

use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{WHOLE, body, put, stored, url};
use crate::audit::log;
use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password};
use crate::world::{World, until};

async fn confirm(by: &Party, announced: &Value) -> agentdrop_testkit::http::Answer {
    let path = format!("/v1/transfers/{}/confirm", text(announced, "id"));
    by.post(&path, &json!({})).await
}

/// Announces a file, and sends it.
async fn sent(parties: &Parties, more: &Value) -> Value {
    let mut body = body(&[("a.txt", 10)], more);
    body["sender"] = "data-pipeline".into();
    if more["recipient"].is_null() {
        body["recipient"] = "analysis-bot".into();
    }
    let announced = parties.alex.post(WHOLE, &body).await.expect(201);
    let answer = put(&parties.server.http, &url(&announced, 0), b"0123456789").await;
    stored(&answer);
    announced
}

#[tokio::test]
async fn files_that_have_not_come_are_named() {
    for world in &World::everywhere().await {
        let sizes = [("a", 1), ("b", 0), ("c", 1)];
        let announced = world.announce(&sizes, &json!({})).await.expect(201);
        stored(&put(&world.server.http, &url(&announced, 0), b"x").await);
        let error = world
            .confirm(&announced)
            .await
            .expect_error(400, "FILES_MISSING");
        let missing = json!([
            { "field": "files[1]", "message": "has not come" },
            { "field": "files[2]", "message": "has not come" },
        ]);
        assert_eq!(error["details"], missing);
        for n in [1, 2] {
            stored(&put(&world.server.http, &url(&announced, n), &[b'x'; 3][..n - 1]).await);
        }
        world.confirm(&announced).await.expect(200);
    }
}

#[tokio::test]
async fn trust_that_ended_meanwhile_refuses_and_is_told_to_nobody() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (_, pairing) = parties.pair("both").await;
        let announced = sent(parties, &json!({})).await;
        let session = server.session_of(&jamie.account).await;
        let before = log(server, &jamie.account).await.len();
        let path = format!("/v1/pairings/{pairing}");
        jamie.with_key(session).delete(&path).await.expect(200);
        confirm(alex, &announced)
            .await
            .expect_error(403, "SHARE_REQUIRED");
        assert_eq!(jamie.waiting().await, 0);
        let shown = format!("/v1/transfers/{}", text(&announced, "id"));
        jamie.get(&shown).await.expect_error(404, "NOT_FOUND");
        assert_eq!(alex.get(&shown).await.expect(200)["status"], "pending");
        let log = log(server, &jamie.account).await;
        assert_eq!(log.len(), before + 1);
        assert_eq!(log[0]["action"], "pairing.revoked");
        // Deleted, it is gone without a word to who never knew of it.
        alex.delete(&shown).await.expect(200);
        jamie.get(&shown).await.expect_error(404, "NOT_FOUND");
        assert_eq!(jamie.waiting().await, 0);
        confirm(alex, &announced).await.expect_error(410, "GONE");
    }
}

#[tokio::test]
async fn what_is_confirmed_is_in_the_logs_as_if_it_was_sent_then() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        parties.pair("both").await;
        let announced = sent(parties, &json!({})).await;
        let actions = async |of: &Party| {
            let log = log(server, &of.account).await;
            let about = log
                .iter()
                .filter(|it| it.to_string().contains(&text(&announced, "id")));
            about.map(|it| text(it, "action")).collect::<Vec<_>>()
        };
        assert_eq!(actions(alex).await, ["transfer.announced"]);
        assert_eq!(actions(jamie).await, Vec::<String>::new());
        confirm(jamie, &announced)
            .await
            .expect_error(404, "NOT_FOUND");
        confirm(alex, &announced).await.expect(200);
        assert_eq!(
            actions(alex).await,
            ["transfer.created", "transfer.announced"]
        );
        assert_eq!(actions(jamie).await, ["transfer.received"]);
    }
}

#[tokio::test]
async fn a_person_is_mailed_once_it_is_confirmed_and_their_files_are_encrypted_from_parts() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let more = json!({ "mode": "agent-to-human", "recipient": jamie.email, "message": "hi" });
        let announced = sent(parties, &more).await;
        server.send_mails().await;
        let to_jamie = || {
            let mails = server.mails();
            let mails = mails
                .iter()
                .filter(|it| it.header("To").contains(&jamie.email));
            mails
                .filter(|it| it.header("Subject").contains("data-pipeline"))
                .count()
        };
        assert_eq!(to_jamie(), 0);
        let confirmed = confirm(alex, &announced).await.expect(200);
        assert_eq!(confirmed["status"], "pending_recipient");
        let session = server.session_of(&jamie.account).await;
        let set = crate::receive_passwords::put(server, &session, &password(KEY)).await;
        set.expect(200);
        let path = format!("/v1/transfers/{}", text(&announced, "id"));
        let is_active = async || {
            server.activate().await;
            alex.get(&path).await.expect(200)["status"] == "active"
        };
        until("it is activated", is_active).await;
        let got = jamie.get(&format!("{path}/download")).await.expect(200);
        assert_eq!(got["encryption_algorithm"], "AGENTDROP-2-A2H");
        assert_eq!(got["files"].as_array().unwrap().len(), 2);
        // Of what it was made of nothing is left.
        let swept = async || crate::world::blobs(server).len() == 2;
        until("the parts are gone", swept).await;
        assert_eq!(
            crate::world::rows(server).await["parts"],
            Vec::<String>::new()
        );
    }
}

/// Each mail to a stranger counts, and no announcement does.
#[tokio::test]
async fn strangers_are_counted_when_they_are_written_to() {
    for parties in &Parties::each().await {
        let mut announced = Vec::new();
        for n in 0..7 {
            let to = format!("stranger-{n}@example.net");
            let more = json!({ "mode": "agent-to-human", "recipient": to });
            announced.push(sent(parties, &more).await);
        }
        for it in &announced[..5] {
            confirm(&parties.alex, it).await.expect(200);
        }
        let refused = confirm(&parties.alex, &announced[5]).await;
        refused.expect_error(429, "INVITE_RATE_LIMIT");
        let body = body(
            &[("a", 1)],
            &json!({
                "sender": "data-pipeline", "recipient": "x@example.net", "mode": "agent-to-human",
            }),
        );
        let refused = parties.alex.post(WHOLE, &body).await;
        refused.expect_error(429, "INVITE_RATE_LIMIT");
    }
}

/// What comes from people comes from them alone, to its end.
#[tokio::test]
async fn what_a_person_announced_a_person_confirms() {
    for world in &World::each().await {
        let (server, key) = (&world.server, &world.account.key);
        let session = server.session_of(&world.account).await;
        let mut body = body(&[("a", 1)], &json!({ "mode": "human-to-agent" }));
        body.as_object_mut().unwrap().remove("sender");
        let refused = server.http.post(WHOLE, key, &body).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let announced = server.http.post(WHOLE, &session, &body).await.expect(201);
        stored(&put(&server.http, &url(&announced, 0), b"x").await);
        let path = format!("/v1/transfers/{}/confirm", text(&announced, "id"));
        let refused = server.http.post(&path, key, &json!({})).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let confirmed = server.http.post(&path, &session, &json!({})).await;
        assert_eq!(confirmed.expect(200)["status"], "active");
        assert_eq!(world.downloaded(&announced, 0).await, b"x");
    }
}
