//! What the API's document says, against what the server does: everything that the document
//! allows, and everything that it does not, sent to every operation.
//!
//! No answer may be an internal error, of a status or a type that is not in the document, or of
//! another shape than it says there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Http;
use agentdrop_testkit::python::schemathesis;
use agentdrop_testkit::server::{PASSWORD, TestAccount, TestServer, text};
use serde_json::json;

/// To find more, by hand: another seed, and more examples.
const SEED: &str = "20261122";
const EXAMPLES: &str = "12";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method,\
                      allow_header_conformance";

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_outside_the_document_on_sqlite() {
    conforms(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_outside_the_document_on_postgres() {
    conforms(Engine::Postgres).await;
}

async fn conforms(engine: Engine) {
    let server = TestServer::start(engine, |_| {}).await;
    let account = server.account().await;
    let session = server.session_of(&account).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("schemathesis.toml");
    write(&config, &settings(&things(&server, &account).await));
    // The account is deleted by whoever knows its password, which nothing that is made up is; but
    // were it deleted, all that follows would be nothing but refusals.
    let (url, folder) = (&server.url, folder.path());
    // And of a stream that goes on nobody waits for the end.
    let left_out = ["account_delete", "events_stream"];
    let exclude = left_out
        .iter()
        .flat_map(|it| ["--exclude-operation-id", it]);
    let exclude: Vec<_> = exclude.collect();
    let said = run(url, folder, &account.key, &exclude).await;
    let tested = format!("Tested: {}", operation_count() - left_out.len());
    assert!(said.contains(&tested), "{said}");
    // What a key is refused. Not to end sessions, for its own would be among them.
    let persons = ["account_export", "pairings_revoke", "sessions_list"];
    let persons: Vec<_> = persons
        .iter()
        .flat_map(|it| ["--include-operation-id", it])
        .collect();
    let said = run(url, folder, &session, &persons).await;
    assert!(said.contains("Tested: 3"), "{said}");
    for token in [&account.key, &session] {
        server.http.get("/v1/account", token).await.expect(200);
    }
}

/// Sends what it makes up as whoever this token is of; answers what it says of it.
async fn run(url: &str, folder: &Path, token: &str, which: &[&str]) -> String {
    let mut command = Command::new(schemathesis());
    // Where it keeps what it learnt, which must not make one run depend on another.
    command.current_dir(folder).env("HOME", folder);
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"));
    command.arg("run").arg(format!("{url}/openapi.json"));
    let header = format!("Authorization: Bearer {token}");
    command.args(["--header", &header, "--seed", SEED]);
    command.args(["--max-examples", EXAMPLES, "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing"]);
    // More than one, and its parser of its own source stumbles at times.
    command.args(["--workers", "1", "--continue-on-failure", "--no-color"]);
    command.args(["--warnings", "off", "--generation-database", "none"]);
    // Of texts of bytes and of a length it makes many in vain: that is no fault of the server.
    command.args(["--suppress-health-check", "filter_too_much"]);
    command.args(which);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = ran.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    said
}

fn operation_count() -> usize {
    let document: serde_json::Value = serde_json::from_str(&agentdrop_server::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    paths.map(|it| it.as_object().unwrap().len()).sum()
}

#[expect(clippy::disallowed_methods, reason = "nothing in it is worth keeping")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// Names of path parameters, each with some that are there: without them nearly every answer is
/// that there is nothing.
type Things = Vec<(&'static str, Vec<String>)>;

fn settings(things: &Things) -> String {
    let mut settings = String::new();
    for (name, values) in things {
        assert!(!values.is_empty(), "{name}");
        writeln!(settings, "[dictionaries.{name}]\nvalues = {values:?}").unwrap();
    }
    settings.push_str("[parameters]\n");
    for (name, _) in things {
        writeln!(
            settings,
            "\"path.{name}\" = {{ dictionary = \"{name}\", probability = 0.7 }}"
        )
        .unwrap();
    }
    settings
}

/// Several of everything, for some of it will be deleted.
async fn things(server: &TestServer, account: &TestAccount) -> Things {
    let (http, key) = (&server.http, &account.key);
    let slugs: Vec<String> = (0..8).map(|n| format!("agent-{n}")).collect();
    for slug in &slugs {
        server.agent(account, slug).await;
    }
    let mut found: Things = [
        "channel_id",
        "key_id",
        "transfer_id",
        "download_id",
        "file_id",
    ]
    .map(|name| (name, Vec::new()))
    .into();
    for pair in slugs.windows(2) {
        let between = json!({ "agent_id": pair[0], "target_agent_id": pair[1] });
        let channel = http.post("/v1/channels", key, &between).await.expect(200);
        let path = format!("/v1/agents/{}/keys", pair[1]);
        let made = http
            .post(&path, key, &json!({ "name": "ci" }))
            .await
            .expect(201);
        let fields = [("sender", &*pair[0]), ("recipient", &*pair[1])];
        let files: [(&str, &[u8]); 1] = [("a.txt", b"0123456789")];
        let sent = http
            .form("/v1/transfers", key, &fields, &files)
            .await
            .expect(201);
        let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
        let grant = http.get(&path, key).await.expect(200);
        let ids = [
            text(&channel, "id"),
            text(&made, "id"),
            text(&sent, "id"),
            text(&grant, "download_id"),
            text(&grant["files"][0], "file_id"),
        ];
        for ((_, found), id) in found.iter_mut().zip(ids) {
            found.push(id);
        }
    }
    let email = text(&http.get("/v1/account", key).await.expect(200), "email");
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let made = server.try_password(&email, PASSWORD).await.expect(201);
        sessions.push(text(&made, "id"));
    }
    found.push(("session_id", sessions));
    found.extend(trust(server, account).await);
    found.push(("agent", slugs));
    found
}

/// Connections that wait, that are active with a pairing, and one that ended in a block.
async fn trust(server: &TestServer, account: &TestAccount) -> Things {
    let (http, key) = (&server.http, &account.key);
    let me = http.get("/v1/agents/me", key).await.expect(200);
    let email = text(&me["account"], "email");
    let (mut connections, mut pairings) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let peer = server.account().await;
        server.agent(&peer, "peer").await;
        let body = json!({ "email": email });
        let invited = http
            .post("/v1/connections", &peer.key, &body)
            .await
            .expect(201);
        let path = format!("/v1/connections/{}", text(&invited, "id"));
        connections.push(text(&invited, "id"));
        if n == 0 {
            continue;
        }
        accept(http, key, &path).await;
        let body = json!({ "my_agent_id": "peer", "their_agent_id": "agent-0" });
        let pairing = format!("{path}/pairings");
        let made = http.post(&pairing, &peer.key, &body).await.expect(201);
        pairings.push(text(&made, "id"));
        if n == 1 {
            let block = format!("{path}/block");
            http.post(&block, key, &json!({})).await.expect(200);
        }
    }
    let blocked = http.get("/v1/blocked", key).await.expect(200);
    vec![
        ("connection_id", connections),
        ("pairing_id", pairings),
        ("block_id", vec![text(&blocked["blocked"][0], "id")]),
    ]
}

async fn accept(http: &Http, key: &str, path: &str) {
    let path = format!("{path}/accept");
    http.post(&path, key, &json!({})).await.expect(200);
}
