//! Sessions: a person who signed in may do what a key of the account may, and some things more.

use std::collections::BTreeSet;
use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, text};
use serde_json::json;

use super::{Ids, Neighbours, body, query_of};
use crate::operations::{Operation, operations};
use crate::receive_passwords;
use crate::world::{assert_same, blobs, rows};

/// What a key that leaked, or an agent that was talked into it, must not do.
pub(crate) fn is_a_persons(operation: &str) -> bool {
    matches!(
        operation,
        "account_delete"
            | "account_export"
            | "links_verify"
            | "pairings_revoke"
            | "receive_passwords_delete"
            | "receive_passwords_set"
            | "sessions_end"
            | "sessions_list"
    )
}

/// What else a session changes, in an order in which each finds what it needs, with what comes of
/// it. What it finds done already it was let through to.
const CHANGES: &[(&str, u16)] = &[
    ("account_update", 200),
    ("agent_keys_create", 201),
    ("agents_register", 201),
    ("agents_rotate_key", 200),
    ("agents_update", 200),
    ("bundles_publish", 200),
    ("prekeys_add", 200),
    ("prekeys_claim", 200),
    ("channels_create", 200),
    ("channels_revoke", 200),
    ("connections_accept", 200),
    ("connections_create", 201),
    ("connections_reject", 409),
    ("downloads_acknowledge", 200),
    ("downloads_create", 200),
    ("email_verifications_create", 200),
    ("keys_create", 201),
    ("pairings_confirm", 400),
    ("pairings_create", 201),
    ("pairings_update", 200),
    ("shield_analyze", 200),
    ("transfers_create", 201),
    ("transfers_delete", 200),
    ("uploads_create", 201),
    ("uploads_create_in_parts", 201),
    ("uploads_complete", 200),
    ("uploads_confirm", 200),
    ("uploads_abort", 409),
    ("agent_keys_revoke", 200),
    ("keys_revoke", 200),
    ("blocks_delete", 200),
    ("blocks_create", 200),
    ("connections_revoke", 409),
    ("agents_disconnect", 200),
    ("agents_delete", 200),
];

/// Another session of the owner, whose things all are.
async fn sign_in(it: &Neighbours) -> String {
    let account = it.world.get("/v1/account").await.expect(200);
    it.world.server.sign_in(&text(&account, "email")).await
}

/// Asks with what the owner has, so that only who asks decides.
async fn ask(it: &Neighbours, operation: &Operation, token: &str, ids: &Ids) -> Answer {
    let http = &it.world.server.http;
    let path = ids.path(operation) + query_of(&operation.id);
    let request = http.request(&operation.method, &path, token);
    let body = match &*operation.id {
        "account_delete" => Some(json!({ "password": PASSWORD })),
        "channels_create" => Some(json!({ "agent_id": "alice", "target_agent_id": "bob" })),
        "pairings_create" => Some(json!({ "my_agent_id": "alice", "their_agent_id": "dorian" })),
        "uploads_complete" => Some(it.begun.complete()),
        "transfers_create" => {
            let fields = [("sender", "alice"), ("recipient", "bob")];
            return it.sends(token, &fields).await;
        }
        id => body(id, ids),
    };
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_session_may_do_what_a_key_of_its_account_may() {
    for it in &Neighbours::each().await {
        let session = sign_in(it).await;
        let password = receive_passwords::password(receive_passwords::KEY);
        let set = receive_passwords::put(&it.world.server, &session, &password);
        set.await.expect(200);
        let key = json!({ "name": "old" });
        let key = it.world.post("/v1/api-keys", &key).await.expect(201);
        let account = it.world.get("/v1/account").await.expect(200);
        let invitation = json!({ "email": account["email"] });
        let http = &it.world.server.http;
        let invited = http.post("/v1/connections", &it.stranger.key, &invitation);
        let invited = invited.await.expect(201);
        // A key of the account's, and an invitation to it.
        let other = Ids {
            key: text(&key, "id"),
            connection: text(&invited, "id"),
            ..it.ids.clone()
        };
        let all = operations().into_iter().filter(Operation::takes_key);
        let (reads, changes): (Vec<_>, Vec<_>) = all
            .filter(|it| !is_a_persons(&it.id))
            .partition(|it| it.method == "GET" && it.id != "downloads_create");
        for operation in reads {
            let by_key = ask(it, &operation, &it.world.account.key, &it.ids).await;
            by_key.expect(200);
            let by_session = ask(it, &operation, &session, &it.ids).await;
            assert_same(&operation.id, &by_session, &by_key);
        }
        let mut done = Vec::new();
        for (id, _) in CHANGES {
            let operation = changes.iter().find(|it| it.id == *id);
            let operation = operation.unwrap_or_else(|| panic!("{id} is no operation"));
            let ids = match *id {
                "connections_accept" | "connections_reject" | "keys_revoke" => &other,
                _ => &it.ids,
            };
            let answer = ask(it, operation, &session, ids).await;
            done.push((*id, answer.status));
        }
        assert_eq!(done, CHANGES);
        let changes: BTreeSet<_> = changes.iter().map(|it| &*it.id).collect();
        let tried: BTreeSet<_> = CHANGES.iter().map(|(id, _)| *id).collect();
        assert_eq!(tried, changes);
    }
}

#[tokio::test]
async fn what_is_a_persons_no_key_does() {
    for it in &Neighbours::each().await {
        let (server, session) = (&it.world.server, sign_in(it).await);
        let (_, bob) = it.world.agent_key("bob").await;
        let before = (rows(server).await, blobs(server));
        let persons: Vec<_> = operations()
            .into_iter()
            .filter(|it| is_a_persons(&it.id))
            .collect();
        assert_eq!(persons.len(), 8);
        for operation in &persons {
            let refused = ask(it, operation, &it.world.account.key, &it.ids).await;
            refused.expect_error(403, "SESSION_REQUIRED");
            // It could not even were it a session; its pairing it may see.
            let code = match &*operation.id {
                "pairings_revoke" => "SESSION_REQUIRED",
                _ => "SCOPE_MISMATCH",
            };
            let refused = ask(it, operation, &bob, &it.ids).await;
            refused.expect_error(403, code);
        }
        let http = &server.http;
        let current = http.delete("/v1/sessions/current", &it.world.account.key);
        current.await.expect_error(403, "SESSION_REQUIRED");
        let change = json!({ "password": "a new one", "current_password": PASSWORD });
        let refused = it.world.patch("/v1/account", &change).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        assert_eq!((rows(server).await, blobs(server)), before);

        // The deletion last.
        for operation in persons.iter().rev() {
            ask(it, operation, &session, &it.ids).await.expect(200);
        }
        let gone = http.get("/v1/account", &session).await;
        gone.expect_error(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_session_that_has_run_its_time_is_none() {
    for it in &Neighbours::each().await {
        let session = sign_in(it).await;
        let account = it.world.get("/v1/account").await.expect(200);
        let (nearly, rest) = (Duration::from_hours(30 * 24 - 1), Duration::from_hours(1));
        it.world.server.clock.advance(nearly);
        let http = &it.world.server.http;
        http.get("/v1/account", &session).await.expect(200);
        it.world.server.clock.advance(rest);
        for operation in operations().into_iter().filter(Operation::takes_key) {
            for ids in [&it.ids, &Ids::of_nothing()] {
                let answer = ask(it, &operation, &session, ids).await;
                answer.expect_error(401, "UNAUTHORIZED");
            }
        }
        let after = it.world.get("/v1/account").await.expect(200);
        assert_eq!(after, account);
    }
}
