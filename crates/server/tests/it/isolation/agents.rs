//! Agents of one account are no more to each other than strangers.

use agentdrop_testkit::http::send;
use serde_json::json;

use super::{Ids, Neighbours, query_of};
use crate::operations::{Operation, operations};
use crate::world::{assert_same, blobs, rows};

/// What the key of another agent of the same account may do with one of everything.
fn as_another_agent(operation: &str) -> (u16, &'static str) {
    match operation {
        // Its own, whatever else is named.
        "agents_list_sendable"
        | "agents_list_public_keys"
        | "agents_resolve"
        | "agents_show_me"
        | "bundles_show"
        | "channels_list"
        | "events_list"
        | "events_stream"
        | "inbox_list"
        | "pairings_list"
        | "prekeys_claim"
        | "recipients_show_public_key"
        | "shield_analyze"
        | "transfers_list" => (200, ""),
        "account_delete"
        | "account_export"
        | "account_show"
        | "account_update"
        | "agent_keys_create"
        | "agent_keys_list"
        | "agent_keys_revoke"
        | "agents_delete"
        | "agents_disconnect"
        | "agents_list"
        | "agents_register"
        | "agents_rotate_key"
        | "agents_show"
        | "agents_update"
        | "audit_list"
        | "blocks_create"
        | "blocks_delete"
        | "blocks_list"
        | "bundles_publish"
        | "channels_create"
        | "connections_accept"
        | "connections_create"
        | "connections_list"
        | "connections_list_agents"
        | "connections_reject"
        | "connections_revoke"
        | "email_verifications_create"
        | "inbox_list_of_agent"
        | "keys_create"
        | "keys_list"
        | "keys_revoke"
        | "links_verify"
        | "pairings_create"
        | "prekeys_add"
        | "prekeys_count"
        | "receive_passwords_delete"
        | "receive_passwords_set"
        | "receive_passwords_show"
        | "sessions_end"
        | "sessions_list"
        | "uploads_create"
        | "uploads_create_in_parts"
        | "usage_show" => (403, "SCOPE_MISMATCH"),
        "channels_revoke"
        | "channels_show"
        | "downloads_acknowledge"
        | "downloads_create"
        | "pairings_confirm"
        | "pairings_revoke"
        | "pairings_update"
        | "transfers_delete"
        | "transfers_show"
        | "uploads_abort"
        | "uploads_complete"
        | "uploads_confirm"
        | "uploads_list_parts" => (404, "NOT_FOUND"),
        // Tried by itself.
        "transfers_create" => (415, "UNSUPPORTED_MEDIA_TYPE"),
        other => panic!("{other} has no row here"),
    }
}

#[tokio::test]
async fn the_key_of_one_agent_is_no_key_of_another() {
    for it in &Neighbours::each().await {
        it.world.server.agent(&it.world.account, "carol").await;
        let (_, carol) = it.world.agent_key("carol").await;
        let before = (rows(&it.world.server).await, blobs(&it.world.server));
        for operation in operations().into_iter().filter(Operation::takes_key) {
            let mut asked = operation.clone();
            asked.path += query_of(&operation.id);
            let answer = it.ask(&asked, &carol, &it.ids).await;
            let (status, code) = as_another_agent(&operation.id);
            assert_eq!(answer.status, status, "{}", operation.id);
            if status != 200 {
                answer.expect_error(status, code);
            }
            if status == 404 {
                let missing = it.ask(&operation, &carol, &Ids::of_nothing()).await;
                assert_same(&operation.id, &answer, &missing);
            }
        }
        for (sender, recipient) in [("bob", "carol"), ("bob", "alice"), ("a label", "bob")] {
            let fields = [("sender", sender), ("recipient", recipient)];
            it.sends(&carol, &fields)
                .await
                .expect_error(403, "SCOPE_MISMATCH");
        }
        let http = &it.world.server.http;
        for path in ["/v1/agents/me", "/v1/transfers/inbox", "/v1/transfers"] {
            let request = http.request("GET", path, &carol);
            let answer = send(request.header("x-agentdrop-agent", "bob")).await;
            answer.expect_error(403, "SCOPE_MISMATCH");
        }
        for path in ["/v1/transfers", "/v1/transfers/inbox"] {
            assert_eq!(http.get(path, &carol).await.expect(200)["total"], 0);
        }
        let channels = http.get("/v1/channels", &carol).await.expect(200);
        assert_eq!(channels["channels"], json!([]));
        let path = format!("/v1/connections/{}/pairings", it.ids.connection);
        let pairings = http.get(&path, &carol).await.expect(200);
        assert_eq!(pairings["pairings"], json!([]));
        let me = http.get("/v1/agents/me", &carol).await.expect(200);
        assert_eq!(me["agent"]["agent_id"], "carol");
        assert_eq!(
            (rows(&it.world.server).await, blobs(&it.world.server)),
            before
        );
        // As itself it may.
        let fields = [("sender", "carol"), ("recipient", "bob")];
        it.sends(&carol, &fields).await.expect(201);
    }
}
