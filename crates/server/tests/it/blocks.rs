//! Blocked accounts.

use agentdrop_testkit::server::text;
use serde_json::json;

use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password, put};
use crate::world::{blobs, run_sql, until};

#[tokio::test]
async fn blocking_ends_what_there_is_and_stops_what_would_come() {
    for parties in &Parties::each().await {
        let Parties { alex, jamie, .. } = parties;
        let (connection, _) = parties.pair("both").await;
        let path = format!("/v1/connections/{connection}/block");
        assert_eq!(
            jamie.post(&path, &json!({})).await.expect(200),
            json!({
                "blocked_account_id": alex.account.id, "pairings_revoked": 1,
                "connection_revoked": true,
            })
        );
        let sent = alex.send("data-pipeline", "analysis-bot", &[]).await;
        sent.expect_error(403, "SHARE_REQUIRED");
        assert_eq!(
            jamie.post(&path, &json!({})).await.expect(200),
            json!({
                "blocked_account_id": alex.account.id, "pairings_revoked": 0,
                "connection_revoked": false,
            })
        );
        let list = jamie.get("/v1/blocked").await.expect(200);
        let block = &list["blocked"][0];
        assert_eq!(list["blocked"].as_array().unwrap().len(), 1);
        assert_eq!(
            block["account"],
            json!({ "id": alex.account.id, "name": "Alex Morgan", "email": alex.email })
        );
        assert!(block["blocked_at"].is_string());
        assert_eq!(
            alex.get("/v1/blocked").await.expect(200),
            json!({ "blocked": [] })
        );
        for (one, other) in [(alex, jamie), (jamie, alex)] {
            one.invite(&other.email).await.expect_error(403, "BLOCKED");
        }

        let path = format!("/v1/blocked/{}", text(block, "id"));
        alex.delete(&path).await.expect_error(404, "NOT_FOUND");
        let unblocked = jamie.delete(&path).await.expect(200);
        assert_eq!(unblocked["unblocked_account_id"], alex.account.id);
        assert!(unblocked["message"].is_string());
        jamie.delete(&path).await.expect_error(404, "NOT_FOUND");
        // It gives nothing back, and lets them begin anew.
        let sent = alex.send("data-pipeline", "analysis-bot", &[]).await;
        sent.expect_error(403, "SHARE_REQUIRED");
        alex.connect(jamie).await;
    }
}

#[tokio::test]
async fn an_unwanted_invitation_is_blocked_with_its_sender() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let sent = alex.invite("sam@example.org").await.expect(201);
        let sam = Party::new(server, "Sam", "sam@example.org").await;
        let path = format!("/v1/connections/{}/block", text(&sent, "id"));
        let blocked = sam.post(&path, &json!({})).await.expect(200);
        assert_eq!(blocked["connection_revoked"], true);
        let list = sam.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"], json!([]));
        alex.invite("sam@example.org")
            .await
            .expect_error(403, "BLOCKED");
    }
}

#[tokio::test]
async fn blocking_by_an_old_connection_ends_the_new_one() {
    for parties in &Parties::each().await {
        let Parties { alex, jamie, .. } = parties;
        let old = alex.connect(jamie).await;
        alex.delete(&format!("/v1/connections/{old}"))
            .await
            .expect(200);
        parties.pair("both").await;
        let path = format!("/v1/connections/{old}/block");
        let blocked = alex.post(&path, &json!({})).await.expect(200);
        assert_eq!(blocked["pairings_revoked"], 1);
        assert_eq!(blocked["connection_revoked"], true);
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["connections"], json!([]));
    }
}

#[tokio::test]
async fn what_a_blocked_account_was_sent_before_it_cannot_take_up() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let first = alex.connect(jamie).await;
        let (block, nothing) = (format!("/v1/connections/{first}/block"), json!({}));
        let (blocked, invited) =
            tokio::join!(jamie.post(&block, &nothing), alex.invite(&jamie.email));
        blocked.expect(200);
        assert!(matches!(invited.status, 403 | 409), "{:?}", invited.json());
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["pending_incoming"], json!([]));
    }
}

/// What was sent to a person stands on no connection, but it ends with a block, either way.
#[tokio::test]
async fn blocking_ends_what_was_sent_to_people() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let session = server.session_of(&jamie.account).await;
        let connection = alex.connect(jamie).await;
        let third = Party::new(server, "Sam", "sam@example.org").await;
        let to = async |from: &Party, email: &str| {
            let sent = from.send("label", email, &[("mode", "agent-to-human")]);
            format!("/v1/transfers/{}", text(&sent.await.expect(201), "id"))
        };
        let status = async |by: &Party, path: &str| text(&by.get(path).await.expect(200), "status");
        let theirs = [
            to(alex, &jamie.email).await,
            to(alex, "Jamie@EXAMPLE.com").await,
        ];
        let others = to(jamie, &alex.email).await;
        let kept = [
            (&third, to(&third, &jamie.email).await),
            (alex, to(alex, &third.email).await),
        ];
        // One of them is active, with a grant that is being used.
        put(server, &session, &password(KEY)).await.expect(200);
        let path = &theirs[0];
        until("it is activated", async || {
            status(jamie, path).await == "active"
        })
        .await;
        let path = &theirs[1];
        until("it is activated", async || {
            status(jamie, path).await == "active"
        })
        .await;
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        let file = text(&grant["files"][0], "download_url");
        assert_eq!(server.http.get(&file, "").await.status, 200);

        // Whoever only ends the connection still is sent files as a person.
        jamie
            .delete(&format!("/v1/connections/{connection}"))
            .await
            .expect(200);
        for path in &theirs {
            assert_eq!(status(alex, path).await, "active");
        }
        let path = format!("/v1/connections/{connection}/block");
        jamie.post(&path, &json!({})).await.expect(200);
        for path in &theirs {
            assert_eq!(status(alex, path).await, "deleted");
            let refused = jamie.get(&format!("{path}/download")).await;
            refused.expect_error(410, "GONE");
        }
        assert_eq!(status(jamie, &others).await, "deleted");
        server.http.get(&file, "").await.expect_error(410, "GONE");
        for (by, path) in &kept {
            assert_ne!(status(by, path).await, "deleted");
        }
    }
}

/// An account that only says that it has an address ends nothing that waits for its owner, and what
/// waits for it ends, once it has shown the address, in place of being encrypted for it.
#[tokio::test]
async fn a_block_counts_from_when_the_address_does() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        let connection = alex.connect(jamie).await;
        let verified = |at: &str| {
            format!("UPDATE accounts SET email_verified_at = {at} WHERE name = 'Jamie Chen'")
        };
        run_sql(server, &verified("NULL")).await;
        let mode = [("mode", "agent-to-human")];
        let sent = alex.send("label", &jamie.email, &mode).await.expect(201);
        let path = format!("/v1/connections/{connection}/block");
        jamie.post(&path, &json!({})).await.expect(200);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let waiting = alex.get(&path).await.expect(200);
        assert_eq!(waiting["status"], "pending_recipient");

        run_sql(server, &verified("1")).await;
        server.activate().await;
        assert_eq!(alex.get(&path).await.expect(200)["status"], "deleted");
        let refused = jamie.get(&format!("{path}/download")).await;
        refused.expect_error(410, "GONE");
        server.sweep().await;
        until("its bytes are gone", async || blobs(server).is_empty()).await;
        let told = server.mails().into_iter();
        let told = told.filter(|it| it.header("Subject").contains("are ready"));
        assert_eq!(told.count(), 0);
    }
}
