//! The published Python client, unmodified, in several versions, against our server on both engines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use agentdrop_testkit::python::{client, python};
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;

/// The version in `scripts/requirements.txt`.
const LATEST: &str = "0.3.5";

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_and_receives() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let folder = tempfile::tempdir().unwrap();
        run(
            LATEST,
            "first_drop.py",
            &[
                &server.url,
                &account.key,
                &folder.path().display().to_string(),
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_sends_and_receives_across_accounts() {
    across_accounts(LATEST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_client_sends_and_receives_across_accounts() {
    across_accounts("0.2.16").await;
}

/// The oldest that opens what comes through a channel.
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_client_sends_and_receives_across_accounts() {
    across_accounts("0.2.2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_listens() {
    for version in [LATEST, "0.3.0", "0.2.16"] {
        for server in TestServer::each().await {
            let account = server.account().await;
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().display().to_string();
            let arguments = [&*server.url, &account.key, &folder];
            run(version, "listen.py", &arguments).await;
        }
    }
}

/// What a person's browser sealed is opened by the agent that it was sent to.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_opens_what_a_person_sent() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let session = server.session_of(&account).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let arguments = [LATEST, &server.url, &path, &account.key, &session];
        run(LATEST, "from_people.py", &arguments).await;
    }
}

async fn across_accounts(version: &str) {
    for server in TestServer::each().await {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec![
            version.to_owned(),
            server.url.clone(),
            folder.path().display().to_string(),
        ];
        for (name, email) in [
            ("Alex", "alex@example.org"),
            ("Jamie", "jamie@example.com"),
            ("Kim", "kim@example.net"),
        ] {
            let body = json!({ "name": name, "email": email });
            let made = server.http.post("/v1/accounts", "", &body).await;
            arguments.push(text(&made.expect(201), "api_key"));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(version, "trust.py", &arguments).await;
    }
}

/// Runs a script on a version of the published client.
async fn run(version: &str, script: &str, arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/published_client")
        .join(script);
    let (python, arguments) = (
        python(),
        arguments
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>(),
    );
    // The latest is what the interpreter has.
    let client = (version != LATEST).then(|| client(version));
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = std::process::Command::new(python);
        if let Some(client) = client {
            command.env("PYTHONPATH", client);
        }
        command.arg(script).args(arguments).output().unwrap()
    });
    let output = ran.await.unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && out.trim_end().ends_with("equal"),
        "{out}\n{err}"
    );
}
