//! Sending through a server that lies: what leaves is sealed for the right key, or nothing leaves.

use std::fs::{self, File, OpenOptions};
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentdrop_client::{Outgoing, Report};
use agentdrop_seal::compat::{channel, wrapped};
use agentdrop_seal::{ContentKey, Nonce, Salt, SealedFile, SecretKey};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::hostile::{
    ACCOUNT, ALICE, BOB, CHANNEL, Hostile, NOW, TRANSFER, Uploaded, public, transfer,
};

const RESOLVE: &str = "GET /v1/agents/resolve";
const CHANNELS: &str = "POST /v1/channels";
const UPLOAD: &str = "POST /v1/transfers";

/// A server at which Bob can send to Alice.
async fn server() -> Hostile {
    let server = Hostile::start().await;
    let mut world = server.world();
    world.answer(
        RESOLVE,
        &json!({
            "id": ALICE, "agent_uuid": ALICE, "agent_id": "alice", "account_id": ACCOUNT,
            "public_key": public(&server.alice), "public_key_algorithm": "X25519", "key_version": 1,
            "connection_status": "connected",
        }),
    );
    world.answer(
        CHANNELS,
        &json!({
            "id": CHANNEL, "status": "active", "my_public_key": public(&server.bob),
            "their_public_key": public(&server.alice), "my_agent_id": BOB, "their_agent_id": ALICE,
        }),
    );
    world.answer(UPLOAD, &transfer(true));
    drop(world);
    server
}

fn to_alice() -> Outgoing {
    Outgoing::to("alice".parse().unwrap())
}

fn file(server: &Hostile, name: &str, content: &[u8]) -> PathBuf {
    let path = server.target.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(&path).unwrap().write_all(content).unwrap();
    path
}

fn opened(form: &Uploaded, key: &ContentKey) -> Vec<Vec<u8>> {
    let nonces: Vec<String> = serde_json::from_str(&form.fields["encryption_ivs"]).unwrap();
    assert_eq!(nonces.len(), form.files.len());
    let files = form.files.iter().zip(&nonces).map(|((_, sealed), nonce)| {
        let nonce = Nonce::try_from(&*STANDARD.decode(nonce).unwrap()).unwrap();
        let mut plaintext = Vec::new();
        let sealed = SealedFile::new(Cursor::new(sealed), nonce).unwrap();
        sealed.verify(key).unwrap().open_to(&mut plaintext).unwrap();
        plaintext
    });
    files.collect()
}

#[tokio::test]
async fn the_recipient_opens_what_was_sent() {
    let server = server().await;
    let large: Vec<u8> = (0..1_500_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let contents: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("large.bin", &large),
        ("a \"quoted\" – ünï.txt", b"x"),
        ("same.txt", b"one"),
        ("below/same.txt", b"two"),
    ];
    let paths = contents.map(|(name, content)| file(&server, name, content));
    let outgoing = to_alice()
        .files(paths)
        .message("hello\nthere".parse().unwrap())
        .expires_in("7d".parse().unwrap())
        .max_downloads(3)
        .keep();
    server.client().send(outgoing).await.unwrap();

    let world = server.world();
    let [form] = &*world.uploads else {
        panic!("one upload")
    };
    for (field, value) in [
        ("sender", "bob"),
        ("recipient", ALICE),
        ("mode", "agent-to-agent"),
        ("is_encrypted", "true"),
        ("encryption_algorithm", channel::ALGORITHM),
        ("channel_id", CHANNEL),
        ("message", "hello\nthere"),
        ("expires_in", "7d"),
        ("max_downloads", "3"),
        ("auto_delete", "false"),
    ] {
        assert_eq!(form.fields[field], value, "{field}");
    }
    let salt = STANDARD.decode(&form.fields["encryption_salt"]).unwrap();
    let salt = Salt::try_from(&*salt).unwrap();
    let key = channel::content_key(&server.alice, &server.bob.public_key(), &salt).unwrap();
    let opened = opened(form, &key);
    for (n, (name, content)) in contents.iter().enumerate() {
        assert_eq!(form.files[n].0, name.rsplit('/').next().unwrap());
        assert_eq!(opened[n], *content, "{name}");
    }
}

#[tokio::test]
async fn files_go_once_they_were_delivered_unless_they_are_kept() {
    let server = server().await;
    server
        .client()
        .send(to_alice().file(file(&server, "a", b"1")))
        .await
        .unwrap();
    let world = server.world();
    assert_eq!(world.uploads[0].fields["auto_delete"], "true");
    for absent in ["message", "expires_in", "max_downloads"] {
        assert!(!world.uploads[0].fields.contains_key(absent));
    }
}

#[tokio::test]
async fn what_is_sent_to_oneself_opens_too() {
    let server = server().await;
    server.world().change(RESOLVE, |it| {
        for (field, value) in [("id", BOB), ("agent_uuid", BOB), ("agent_id", "bob")] {
            it[field] = json!(value);
        }
        it["public_key"] = json!(public(&server.bob));
    });
    let outgoing = Outgoing::to("bob".parse().unwrap()).file(file(&server, "a", b"mine"));
    server.client().send(outgoing).await.unwrap();
    let world = server.world();
    let form = &world.uploads[0];
    assert_eq!(form.fields["encryption_algorithm"], wrapped::ALGORITHM);
    let key = STANDARD.decode(&form.fields["encrypted_key"]).unwrap();
    let key = wrapped::WrappedKey::try_from(&*key).unwrap();
    let key = wrapped::unwrap(&key, &server.bob, &server.bob.public_key()).unwrap();
    assert_eq!(opened(form, &key), [b"mine"]);
}

#[tokio::test]
async fn without_the_right_key_nothing_leaves() {
    let other = public(&SecretKey::generate().unwrap());
    let changes = [
        (RESOLVE, "public_key", Value::Null, "E2EE_UNAVAILABLE"),
        (RESOLVE, "public_key", json!("AAAA"), "BAD_ANSWER"),
        (
            RESOLVE,
            "public_key",
            json!(STANDARD.encode([0; 32])),
            "BAD_ANSWER",
        ),
        (RESOLVE, "public_key", json!(other), "PEER_KEY_DIFFERS"),
        (RESOLVE, "agent_id", json!("mallory"), "BAD_ANSWER"),
        (
            CHANNELS,
            "their_public_key",
            json!(other),
            "PEER_KEY_DIFFERS",
        ),
        (CHANNELS, "their_agent_id", json!(BOB), "PEER_KEY_DIFFERS"),
        (CHANNELS, "my_public_key", json!(other), "OWN_KEY_DIFFERS"),
        (CHANNELS, "status", json!("pending"), "CHANNEL_CLOSED"),
        (CHANNELS, "status", json!("revoked"), "CHANNEL_CLOSED"),
    ];
    for (call, field, value, code) in changes {
        let server = server().await;
        server.world().change(call, |it| it[field] = value);
        let outgoing = to_alice().file(file(&server, "a", b"secret"));
        let error = server.client().send(outgoing).await.unwrap_err();
        assert_eq!(error.code(), code, "{call} {field}");
        assert_eq!(server.world().calls(UPLOAD), 0);
    }
    for (call, status) in [
        (RESOLVE, 404),
        (RESOLVE, 500),
        (CHANNELS, 403),
        (CHANNELS, 500),
    ] {
        let server = server().await;
        let status = StatusCode::from_u16(status).unwrap();
        server.world().answer_raw(call, status, &[], "");
        let outgoing = to_alice().file(file(&server, "a", b"secret"));
        server.client().send(outgoing).await.unwrap_err();
        assert_eq!(server.world().calls(UPLOAD), 0);
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused_before_anything_is_asked() {
    let server = server().await;
    let path = |name: &str| server.target.path().join(name);
    rustix::fs::mkdirat(rustix::fs::CWD, path("folder"), rustix::fs::Mode::RWXU).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", path("folder/link")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path("pipe"),
        fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let huge = file(&server, "huge", b"");
    OpenOptions::new()
        .write(true)
        .open(&huge)
        .unwrap()
        .set_len((1 << 36) - 31)
        .unwrap();
    file(&server, "a\nb", b"");
    for (name, code) in [
        ("folder", "IS_A_LINK"),
        ("pipe", "NOT_A_FILE"),
        ("missing", "IO"),
        ("huge", "FILE_TOO_LARGE"),
        ("a\nb", "FILE_NAME"),
    ] {
        let error = server
            .client()
            .send(to_alice().file(path(name)))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code);
    }
    let none = server.client().send(to_alice()).await.unwrap_err();
    let many = server
        .client()
        .send(to_alice().files(vec!["Cargo.toml"; 101]))
        .await
        .unwrap_err();
    assert_eq!((none.code(), many.code()), ("FILE_COUNT", "FILE_COUNT"));
    assert!(server.world().seen.is_empty());
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_not_sent() {
    for new_bytes in [2_999_999, 3_000_001, 0] {
        let server = server().await;
        let path = file(&server, "a", &vec![7; 3_000_000]);
        let other_end = Mutex::new(OpenOptions::new().write(true).open(&path).unwrap());
        let change = move |it: Report| {
            if it.done_bytes == 0 {
                other_end.lock().unwrap().set_len(new_bytes).unwrap();
            }
        };
        let outgoing = to_alice().file(path).progress(change);
        let error = server.client().send(outgoing).await.unwrap_err();
        assert_eq!(error.code(), "FILE_CHANGED", "{new_bytes}");
        assert!(
            server.world().uploads.is_empty(),
            "it did not end as a whole form does"
        );
    }
}

#[tokio::test]
async fn a_server_that_refuses_before_the_end_is_heard() {
    let server = server().await;
    let body = json!({"error": {"code": "FILE_TOO_LARGE", "message": "too large", "status": 413}});
    server.world().refuses_uploads = Some((StatusCode::PAYLOAD_TOO_LARGE, body));
    let outgoing = to_alice().file(file(&server, "a", b"small"));
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "FILE_TOO_LARGE");
    assert_eq!(server.world().calls(UPLOAD), 1, "an upload is not repeated");
}

#[tokio::test]
async fn whoever_stops_waiting_is_not_held_up_by_a_server_that_does_not_read() {
    let server = server().await;
    server.world().holds_uploads = true;
    let outgoing = to_alice().file(file(&server, "a", &vec![7; 30_000_000]));
    let client = server.client();
    let sending = tokio::time::timeout(Duration::from_millis(500), client.send(outgoing));
    assert!(sending.await.is_err());
    assert_eq!(server.world().calls(UPLOAD), 1);
    // The runtime ends with this test, and waits for the sealing thread.
}

#[tokio::test]
async fn progress_ends_where_it_says() {
    let server = server().await;
    let last = Arc::new(Mutex::new(None::<Report>));
    let sink = Arc::clone(&last);
    let outgoing = to_alice()
        .file(file(&server, "a", &vec![1; 600_000]))
        .file(file(&server, "b", b"x"))
        .progress(move |it| *sink.lock().unwrap() = Some(it));
    server.client().send(outgoing).await.unwrap();
    let last = last.lock().unwrap().unwrap();
    assert_eq!((last.done_bytes, last.total_bytes), (600_001, 600_001));
}

#[tokio::test]
async fn whose_agent_is_meant_is_said() {
    let server = server().await;
    let outgoing = to_alice()
        .account("them@example.org")
        .file(file(&server, "a", b"1"));
    server.client().send(outgoing).await.unwrap();
    let world = server.world();
    let fields = &world.uploads[0].fields;
    assert_eq!(fields["recipient_account"], "them@example.org");
    assert_eq!(fields["recipient"], ALICE);
}

#[tokio::test]
async fn of_several_that_may_be_meant_none_gets_it() {
    let server = server().await;
    let error = json!({"error": {
        "code": "AMBIGUOUS_RECIPIENT", "message": "several accounts have an `alice`", "status": 400,
        "candidates": [{
            "account_id": ACCOUNT, "account_name": "Them", "email_masked": "th**@example.org",
        }],
    }});
    let body = error.to_string();
    let status = StatusCode::BAD_REQUEST;
    server.world().answer_raw(RESOLVE, status, &[], body);
    let outgoing = to_alice().file(file(&server, "a", b"secret"));
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "AMBIGUOUS_RECIPIENT");
    assert!(error.is_refusal());
    let said = error.to_string();
    assert!(said.contains(": Them, th**@example.org, "), "{said}");
    assert_eq!(server.world().calls(UPLOAD), 0);
}

#[tokio::test]
async fn where_parts_go_is_checked_before_any_of_them_leaves() {
    const ANNOUNCE: &str = "POST /v1/transfers/presigned/multipart";
    const PART: u64 = 8 << 20;
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 5] = [
        (|it| it["files"] = json!([]), "BAD_ANSWER"),
        (
            |it| it["files"][0]["part_size"] = json!(PART / 2),
            "BAD_ANSWER",
        ),
        (
            |it| drop(it["files"][0]["part_urls"].as_array_mut().unwrap().pop()),
            "BAD_ANSWER",
        ),
        (
            |it| it["files"][0]["part_urls"][0]["upload_url"] = json!("http://10.0.0.1/p"),
            "FOREIGN_URL",
        ),
        (
            |it| it["files"][0]["part_urls"][0]["part_number"] = json!(9),
            "BAD_ANSWER",
        ),
    ];
    for (n, (change, code)) in changes.into_iter().enumerate() {
        let server = server().await;
        let path = file(&server, "large", b"");
        let large = OpenOptions::new().write(true).open(&path).unwrap();
        large.set_len(5 * PART - 16).unwrap();
        let urls = (1..=5).map(|it| json!({ "part_number": it, "upload_url": format!("/p{it}") }));
        let mut announced = json!({
            "id": TRANSFER, "status": "pending", "confirm_url": "", "upload_expires_at": NOW,
            "expires_at": NOW,
            "files": [{
                "file_id": ALICE, "file_name": "large", "part_size": PART,
                "upload_id": TRANSFER.replace("tr_", "up_"), "part_urls": urls.collect::<Vec<_>>(),
            }],
        });
        change(&mut announced);
        server.world().answer(ANNOUNCE, &announced);
        let kept = server.home.path().join("kept");
        let outgoing = to_alice().file(&path).kept_in(&kept).parallel(1);
        let error = server.client().send(outgoing).await.unwrap_err();
        assert_eq!(error.code(), code, "{n}: {error}");
        let world = server.world();
        assert!(world.seen.iter().all(|it| it.method != "PUT"), "{n}");
        let announced = world.calls(ANNOUNCE);
        assert_eq!(announced, 1, "{n}");
    }
}
