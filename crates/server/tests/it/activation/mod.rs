//! What waited for a person is theirs alone once they have a key.

mod at_rest;
mod trouble;

use std::io::Write as _;
use std::path::Path;

use agentdrop_domain::transfers::Transfer;
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::Value;

use crate::audit::log;
use crate::parties::{Parties, Party};
use crate::receive_passwords::put;
use crate::world::{blobs, everything, until};

/// All files of a grant, opened: their names, and what they hold.
pub(crate) async fn opened(
    by: &Party,
    server: &TestServer,
    grant: &Value,
    key: &ReceiveKey,
) -> Vec<(String, Vec<u8>)> {
    let mut objects = Vec::new();
    for file in grant["files"].as_array().unwrap() {
        let url = text(file, "download_url");
        let key = if url.starts_with(&server.url) {
            &*by.account.key
        } else {
            ""
        };
        let got = server.http.get(&url, key).await;
        assert_eq!(
            (got.status, got.bytes.len() as u64),
            (200, file["size"].as_u64().unwrap())
        );
        objects.push(got.bytes);
    }
    key.open(grant, objects)
}

pub(crate) async fn send(parties: &Parties, email: &str, files: &[(&str, &[u8])]) -> Value {
    let fields = [
        ("sender", "data-pipeline"),
        ("recipient", email),
        ("mode", "agent-to-human"),
        ("message", "Weekly report"),
    ];
    let (http, key) = (&parties.server.http, &parties.alex.account.key);
    let sent = http.form("/v1/transfers", key, &fields, files).await;
    let sent = sent.expect(201);
    assert_eq!(sent["status"], "pending_recipient");
    sent
}

/// The row of a transfer of alex's, as the server stores it.
async fn row(parties: &Parties, sent: &Value) -> Transfer {
    let store = parties.server.database().open().await;
    let (owner, id) = (&parties.alex.account.id, text(sent, "id"));
    let mut reader = store.read().await.unwrap();
    let found = reader.transfer_of(owner.parse().unwrap(), id.parse().unwrap());
    found.await.unwrap().unwrap()
}

/// Puts these bytes where a file is, or none was.
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn path_of(transfer: &Value) -> String {
    format!("/v1/transfers/{}", text(transfer, "id"))
}

/// Where a transfer stands, as its sender is shown it.
async fn status(parties: &Parties, transfer: &Value) -> String {
    let shown = parties.alex.get(&path_of(transfer)).await;
    text(&shown.expect(200), "status")
}

#[tokio::test]
async fn whoever_sets_a_receive_password_gets_what_waited_and_nobody_else_reads_it() {
    for parties in &Parties::each().await {
        let server = &parties.server;
        let large: Vec<u8> = (0..200_001_u32).map(|it| it.to_le_bytes()[0]).collect();
        let files: [(&str, &[u8]); 3] = [("a.txt", b"0123456789"), ("b", b""), ("c.bin", &large)];
        let sent = send(parties, "pat@example.org", &files).await;
        let before = everything(server).await["transfers"].clone();
        assert_eq!(blobs(server).len(), 3);

        let (pat, key) = (
            Party::new(server, "Pat", "pat@example.org").await,
            ReceiveKey::new(),
        );
        let session = server.session_of(&pat.account).await;
        put(server, &session, &key.password()).await.expect(200);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        // By itself: nobody has to come back for it.
        let active = async || pat.get(&path).await.expect(200)["status"] == "active";
        until("what waited is activated", active).await;
        let mail = server.mail_to("pat@example.org", "are ready").await;
        assert!(mail.text.contains("c.bin (200001 bytes)"), "{}", mail.text);

        // What the server could read is gone, and so is the key to it.
        let replaced = async || blobs(server).len() == 4;
        until("the bytes before are deleted", replaced).await;
        for blob in blobs(server) {
            let name = blob.file_name().unwrap().to_str().unwrap().to_owned();
            let position: u32 = name.rsplit('.').next().unwrap().parse().unwrap();
            assert!(position >= 3, "{name}");
        }
        let wrapped = |rows: &[String]| {
            let cells = rows[0]
                .split('\u{1f}')
                .find(|it| it.starts_with("wrapped_key="));
            cells.unwrap().to_owned()
        };
        let after = everything(server).await["transfers"].clone();
        assert_ne!(wrapped(&before), wrapped(&after));

        let grant = pat.get(&format!("{path}/download")).await.expect(200);
        let found = opened(&pat, server, &grant, &key).await;
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(found, expected);
        server.activate().await;
        assert_eq!(everything(server).await["transfers"].len(), 1);
    }
}

/// Their lookup was before, and the files after.
#[tokio::test]
async fn what_comes_plain_for_who_has_a_key_is_activated_at_once() {
    for parties in &Parties::each().await {
        let (server, jamie, key) = (&parties.server, &parties.jamie, ReceiveKey::new());
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &key.password()).await.expect(200);
        let sent = send(parties, &jamie.email, &[("a.txt", b"x")]).await;
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || jamie.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let mails = server.mails();
        let told = mails
            .iter()
            .filter(|it| it.header("Subject").contains("wait for you"));
        assert_eq!(told.count(), 0);
    }
}

/// What a server left behind that was stopped on the way is in nobody's way.
#[tokio::test]
async fn what_was_begun_before_is_begun_anew() {
    for parties in &Parties::each().await {
        let (server, jamie, key) = (&parties.server, &parties.jamie, ReceiveKey::new());
        // Large enough for blobs.
        let (large, other) = (vec![7; 20_000], vec![8; 20_000]);
        let sent = send(parties, &jamie.email, &[("a.txt", &large)]).await;
        let deleted = send(parties, &jamie.email, &[("a.txt", &other)]).await;
        let path = format!("/v1/transfers/{}", text(&deleted, "id"));
        parties.alex.delete(&path).await.expect(200);
        for blob in blobs(server) {
            let name = blob.display().to_string();
            let (transfer, _) = name.rsplit_once('.').unwrap();
            overwrite(Path::new(&format!("{transfer}.1")), b"half of it");
        }
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &key.password()).await.expect(200);
        server.activate().await;
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || jamie.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        let found = opened(jamie, server, &grant, &key).await;
        assert_eq!(found, [("a.txt".to_owned(), large)]);
        let gone = format!("/v1/transfers/{}", text(&deleted, "id"));
        assert_eq!(jamie.get(&gone).await.expect(200)["status"], "deleted");
    }
}

/// Both sides are told when it happens, each what the other did, and once.
#[tokio::test]
async fn both_logs_are_told_that_it_was_activated() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let sent = send(parties, &jamie.email, &[("a.txt", b"x")]).await;
        let own = send(parties, &alex.email, &[("a.txt", b"y")]).await;
        let session = server.session_of(&jamie.account).await;
        let to_self = server.session_of(&alex.account).await;
        let key = ReceiveKey::new();
        for session in [session, to_self] {
            put(server, &session, &key.password()).await.expect(200);
        }
        server.activate().await;
        server.activate().await;
        let about = async |whose: &Party, transfer: &Value| -> Vec<(Value, Value, Value)> {
            let mut entries = log(server, &whose.account).await;
            entries.reverse();
            let id = text(transfer, "id");
            entries.retain(|it| it["subject"].to_string().contains(&id));
            for it in &entries[1.min(entries.len())..] {
                assert_eq!(
                    (&it["address"], &it["request_id"]),
                    (&Value::Null, &Value::Null)
                );
            }
            let said = entries.iter().map(|it| {
                let actor = &it["actor"];
                (
                    it["action"].clone(),
                    actor["kind"].clone(),
                    actor["id"].clone(),
                )
            });
            said.collect()
        };
        let activated = |by: &Party| {
            let said = ("transfer.activated".into(), "account".into());
            (said.0, said.1, Value::from(by.account.id.as_str()))
        };
        let sender = about(alex, &sent).await;
        assert_eq!(sender[0].0, "transfer.created");
        assert_eq!(sender[1..], [activated(jamie)]);
        let received = ("transfer.received".into(), "account".into());
        let received = (
            received.0,
            received.1,
            Value::from(alex.account.id.as_str()),
        );
        assert_eq!(about(jamie, &sent).await, [received]);
        let both = about(alex, &own).await;
        assert_eq!(both[0].0, "transfer.created");
        assert_eq!(both[1..], [activated(alex)]);
    }
}
