//! Blocked accounts.

use agentdrop_testkit::server::text;
use serde_json::json;

use crate::parties::{Parties, Party};

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
