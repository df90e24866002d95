//! People send files to agents.

use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::{Value, json};

use crate::audit::log;
use crate::parties::{Parties, Party};
use crate::world::{blobs, rows};

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const WRAPPED: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// As a browser seals.
const SEALED: [(&str, &str); 5] = [
    ("is_encrypted", "true"),
    ("encryption_algorithm", "X25519-HKDF-AES-256-GCM"),
    ("encrypted_key", WRAPPED),
    ("encryption_ivs", "[\"AAAAAAAAAAAAAAAA\"]"),
    ("sender_public_key", KEY),
];

/// Sends a small file as a person.
async fn send(
    server: &TestServer,
    credential: &str,
    to: &str,
    more: &[(&'static str, &str)],
) -> Answer {
    let mut fields = vec![("recipient", to), ("mode", "human-to-agent")];
    fields.extend_from_slice(more);
    let files: [(&str, &[u8]); 1] = [("a.txt", b"0123456789")];
    let http = &server.http;
    http.form("/v1/transfers", credential, &fields, &files)
        .await
}

/// The fields but one, with it as it is here.
fn with<'a>(name: &'static str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut fields: Vec<(&'static str, &'a str)> = SEALED.to_vec();
    fields.retain(|it| it.0 != name);
    if !value.is_empty() {
        fields.push((name, value));
    }
    fields
}

#[tokio::test]
async fn a_person_sends_to_an_own_agent() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let session = server.session_of(&alex.account).await;
        let before = (rows(server).await, blobs(server));
        let (_, agent_key) = agent_key(alex).await;
        for key in [&alex.account.key, &agent_key] {
            let refused = send(server, key, "data-pipeline", &SEALED).await;
            refused.expect_error(403, "SESSION_REQUIRED");
        }
        assert_eq!(blobs(server), before.1);

        let sent = send(server, &session, "data-pipeline", &SEALED).await;
        let sent = sent.expect(201);
        assert_eq!(sent["mode"], "human-to-agent");
        assert_eq!(sent["status"], "active");
        assert_eq!(sent["sender"], *alex.email, "by what they are known");
        assert_eq!(sent["sender_agent_id"], Value::Null);
        assert_eq!(sent["is_encrypted"], true);
        let id = text(&sent, "id");
        let agent = alex.with_key(agent_key);
        let inbox = agent.get("/v1/transfers/inbox?mode=human-to-agent").await;
        assert_eq!(inbox.expect(200)["transfers"][0]["id"], id);
        let listed = alex.get("/v1/transfers?mode=human-to-agent").await;
        assert_eq!(listed.expect(200)["transfers"][0]["id"], id);
        let grant = agent.get(&format!("/v1/transfers/{id}/download")).await;
        let grant = grant.expect(200);
        assert_eq!(grant["sender_public_key"], KEY);
        assert_eq!(grant["encrypted_key"], WRAPPED);
        assert_eq!(grant["recipient_public_key"], KEY);
        assert_eq!(grant["recipient_key_version"], 1);
        assert_eq!(grant["files"][0]["encryption_iv"], "AAAAAAAAAAAAAAAA");

        // Called what they like, and not the agent of that name.
        for label in ["Alex at the office", "data-pipeline"] {
            let sent = send(server, &session, "data-pipeline", &[("sender", label)]).await;
            let sent = sent.expect(201);
            assert_eq!(sent["sender"], label);
            assert_eq!(sent["sender_agent_id"], Value::Null);
            assert_eq!(sent["is_encrypted"], false);
        }
        let missing = send(server, &session, "nobody", &SEALED).await;
        missing.expect_error(403, "SHARE_REQUIRED");
        let strict = json!({ "require_encryption": true });
        alex.patch("/v1/account", &strict).await.expect(200);
        let refused = send(server, &session, "data-pipeline", &[]).await;
        refused.expect_error(400, "ENCRYPTION_REQUIRED");
        send(server, &session, "data-pipeline", &SEALED)
            .await
            .expect(201);
    }
}

async fn agent_key(of: &Party) -> (String, String) {
    let path = "/v1/agents/data-pipeline/keys";
    let made = of.post(path, &json!({ "name": "ci" })).await.expect(201);
    (text(&made, "id"), text(&made, "api_key"))
}

#[tokio::test]
async fn what_an_agent_could_not_open_is_refused() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let session = server.session_of(&alex.account).await;
        let before = (rows(server).await, blobs(server));
        let low = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let channel = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
        for (field, value) in [
            ("encryption_algorithm", ""),
            ("encryption_algorithm", "X25519-CHANNEL-HKDF-AES-256-GCM"),
            ("encrypted_key", ""),
            ("encrypted_key", KEY),
            ("encryption_ivs", ""),
            ("encryption_ivs", "[null]"),
            ("encryption_ivs", "[]"),
            ("encryption_salt", KEY),
            ("channel_id", channel),
            ("sender_public_key", ""),
            ("sender_public_key", "AAAA"),
            ("sender_public_key", low),
        ] {
            let refused = send(server, &session, "data-pipeline", &with(field, value)).await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field, "{field}={value}");
            assert_eq!(error["details"].as_array().unwrap().len(), 1, "{error}");
        }
        // Agents have keys of their own, and what nobody encrypted is not opened with one.
        let key = [("sender_public_key", KEY)];
        for refused in [
            alex.send("data-pipeline", "data-pipeline", &key).await,
            send(server, &session, "data-pipeline", &key).await,
        ] {
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "sender_public_key");
        }
        let other = with("recipient_key_version", "2");
        let refused = send(server, &session, "data-pipeline", &other).await;
        refused.expect_error(409, "KEY_CHANGED");
        assert_eq!((rows(server).await, blobs(server)), before);
    }
}

/// A person may send to whomever one of their agents may send.
#[tokio::test]
async fn a_person_sends_to_anothers_agent_that_an_own_one_may_send_to() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&alex.account).await;
        let theirs = server.session_of(&jamie.account).await;
        let to_bot = async || send(server, &session, "analysis-bot", &SEALED).await;
        to_bot().await.expect_error(403, "SHARE_REQUIRED");
        let connection = alex.connect(jamie).await;
        to_bot().await.expect_error(403, "SHARE_REQUIRED");
        let agents = ["data-pipeline", "analysis-bot"];
        let proposed = alex.propose(&connection, agents, "send_only").await;
        let pairing = text(&proposed.expect(201), "id");
        to_bot().await.expect_error(403, "SHARE_REQUIRED");
        jamie.confirm(&pairing).await.expect(200);

        let sent = to_bot().await.expect(201);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        assert_eq!(jamie.get(&path).await.expect(200)["mode"], "human-to-agent");
        let told = log(server, &jamie.account).await;
        assert_eq!(told[0]["action"], "transfer.received");
        let seen = log(server, &alex.account).await;
        assert_eq!(seen[0]["action"], "transfer.created");
        assert_eq!(seen[0]["actor"]["kind"], "session");
        // The other way round the agents may not, and so no person may.
        let refused = send(server, &theirs, "data-pipeline", &SEALED).await;
        refused.expect_error(403, "SHARE_REQUIRED");

        // It ends with what allowed it, unless something else does.
        server.agent(&alex.account, "second").await;
        let second = alex
            .pair(jamie, &connection, ["second", "analysis-bot"], "both")
            .await;
        let revoke = async |id: &str, credential: &str| {
            let path = format!("/v1/pairings/{id}");
            server.http.delete(&path, credential).await.expect(200);
        };
        revoke(&pairing, &theirs).await;
        assert_eq!(jamie.get(&path).await.expect(200)["status"], "active");
        let back = send(server, &theirs, "second", &SEALED).await.expect(201);
        to_bot().await.expect(201);
        revoke(&second, &session).await;
        for (who, id) in [(jamie, &sent), (alex, &back)] {
            let path = format!("/v1/transfers/{}", text(id, "id"));
            assert_eq!(who.get(&path).await.expect(200)["status"], "deleted");
        }
        to_bot().await.expect_error(403, "SHARE_REQUIRED");

        alex.pair(jamie, &connection, agents, "both").await;
        let last = to_bot().await.expect(201);
        let own = send(server, &session, "data-pipeline", &SEALED).await;
        let block = format!("/v1/connections/{connection}/block");
        jamie.post(&block, &json!({})).await.expect(200);
        let path = format!("/v1/transfers/{}", text(&last, "id"));
        assert_eq!(jamie.get(&path).await.expect(200)["status"], "deleted");
        to_bot().await.expect_error(403, "SHARE_REQUIRED");
        let path = format!("/v1/transfers/{}", text(&own.expect(201), "id"));
        assert_eq!(alex.get(&path).await.expect(200)["status"], "active");
    }
}

#[tokio::test]
async fn of_two_agents_of_one_name_a_person_says_whose_is_meant() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let kim = Party::new(server, "Kim", "kim@example.net").await;
        server.agent(&kim.account, "analysis-bot").await;
        for other in [jamie, &kim] {
            let connection = alex.connect(other).await;
            let agents = ["data-pipeline", "analysis-bot"];
            alex.pair(other, &connection, agents, "both").await;
        }
        let session = server.session_of(&alex.account).await;
        let refused = send(server, &session, "analysis-bot", &SEALED).await;
        let error = refused.expect_error(400, "AMBIGUOUS_RECIPIENT");
        assert_eq!(error["candidates"].as_array().unwrap().len(), 2);
        let mut fields = SEALED.to_vec();
        fields.push(("recipient_account", "kim@example.net"));
        let sent = send(server, &session, "analysis-bot", &fields).await;
        assert_eq!(sent.expect(201)["recipient_account_id"], kim.account.id);
        assert_eq!((jamie.waiting().await, kim.waiting().await), (0, 1));
    }
}
