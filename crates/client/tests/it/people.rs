//! Sending to people, and as one, through a server that lies.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use agentdrop_client::{Outgoing, Phase, Unenrolled};
use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_seal::compat::wrapped;
use agentdrop_seal::person::Incoming;
use agentdrop_seal::{Nonce, PublicKey, Salt, SealedFile, SecretKey};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::hostile::{ACCOUNT, ALICE, Hostile, Uploaded, public, transfer};

const LOOK_UP: &str = "GET /v1/transfers/recipient-public-key";
const RESOLVE: &str = "GET /v1/agents/resolve";
const UPLOAD: &str = "POST /v1/transfers";

/// A server where Ann has Alice's key as her receive key.
async fn server() -> Hostile {
    let server = Hostile::start().await;
    let found = enrolled(&server.alice);
    server.world().answer(LOOK_UP, &found);
    server.world().answer(UPLOAD, &transfer(true));
    server
}

fn enrolled(key: &SecretKey) -> Value {
    json!({ "has_public_key": true, "public_key": public(key) })
}

fn unenrolled() -> Value {
    json!({ "has_public_key": false, "public_key": null })
}

fn to_ann() -> Outgoing {
    Outgoing::to_person("ann@example.org".parse().unwrap())
}

fn file(server: &Hostile, name: &str, content: &[u8]) -> PathBuf {
    let path = server.target.path().join(name);
    File::create(&path).unwrap().write_all(content).unwrap();
    path
}

fn bytes(form: &Uploaded, field: &str) -> Vec<u8> {
    STANDARD.decode(&form.fields[field]).unwrap()
}

/// What `key` opens of a form.
fn opened(form: &Uploaded, key: &SecretKey) -> (Incoming, Vec<Vec<u8>>) {
    let id: TransferId = format!("tr_{}", form.fields["transfer_id"])
        .parse()
        .unwrap();
    let ephemeral = PublicKey::try_from(&*bytes(form, "encrypted_key")).unwrap();
    let salt = Salt::try_from(&*bytes(form, "encryption_salt")).unwrap();
    let (envelope, files) = form.files.split_first().unwrap();
    let now = Timestamp::from_millis(0);
    let incoming = Incoming::open(id, key, &ephemeral, &salt, &envelope.1, now).unwrap();
    let files = (1..).zip(files).map(|(i, (_, sealed))| {
        let mut plain = Vec::new();
        incoming.open_to(i, &**sealed, &mut plain).unwrap();
        plain
    });
    let files = files.collect();
    (incoming, files)
}

#[tokio::test]
async fn to_a_person_go_an_envelope_and_numbers() {
    let server = server().await;
    let large = vec![7; 1_000_000];
    let outgoing = to_ann()
        .file(file(&server, "secret name.txt", b"one"))
        .file(file(&server, "empty", b""))
        .file(file(&server, "large", &large))
        .message("secret message".parse().unwrap());
    server.client().send(outgoing).await.unwrap();
    let world = server.world();
    let [form] = &world.uploads[..] else {
        panic!("{} uploads", world.uploads.len())
    };
    assert_eq!(form.fields["mode"], "agent-to-human");
    assert_eq!(form.fields["sender"], "bob");
    assert_eq!(form.fields["recipient"], "ann@example.org");
    assert_eq!(form.fields["encryption_algorithm"], "AGENTDROP-2-A2H");
    assert_eq!(form.fields["recipient_public_key"], public(&server.alice));
    let names: Vec<&str> = form.files.iter().map(|it| &*it.0).collect();
    assert_eq!(names, ["envelope", "1", "2", "3"]);
    let said = format!("{:?}", form.fields);
    assert!(!said.contains("secret"), "{said}");
    let (incoming, files) = opened(form, &server.alice);
    assert_eq!(files, [b"one".to_vec(), vec![], large]);
    let manifest = incoming.manifest();
    assert_eq!(manifest.files[0].name.as_str(), "secret name.txt");
    assert_eq!(
        manifest.message.as_ref().unwrap().as_str(),
        "secret message"
    );
    let day = manifest.expires.since(manifest.created);
    assert_eq!(day.as_secs(), 24 * 60 * 60);
}

#[tokio::test]
async fn where_it_is_not_known_whether_there_is_a_key_nothing_is_sent() {
    let good = |value: Value| (StatusCode::OK, value.to_string());
    let zeros = STANDARD.encode([0; 32]);
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::NOT_FOUND, "{}".to_owned()),
        (StatusCode::TOO_MANY_REQUESTS, String::new()),
        good(json!({})),
        good(json!({ "has_public_key": true, "public_key": null })),
        good(json!({ "has_public_key": false, "public_key": zeros })),
        good(json!({ "has_public_key": true, "public_key": zeros })),
        good(json!({ "has_public_key": true, "public_key": "AAAA" })),
    ] {
        let server = server().await;
        server
            .world()
            .answer_raw(LOOK_UP, status, &[], body.clone());
        let outgoing = to_ann()
            .file(file(&server, "a", b"1"))
            .unenrolled(Unenrolled::LetServerEncrypt);
        let error = server.client().send(outgoing).await.unwrap_err();
        assert_ne!(error.code(), "RECIPIENT_HAS_NO_KEY", "{status} {body}");
        assert_eq!(server.world().calls(UPLOAD), 0, "{status} {body}");
    }
}

#[tokio::test]
async fn who_has_no_key_is_sent_nothing_unless_the_caller_says_so() {
    let server = server().await;
    server.world().answer(LOOK_UP, &unenrolled());
    server.world().answer(UPLOAD, &transfer(false));
    let path = file(&server, "a.txt", b"plain");
    let outgoing = to_ann().file(&path);
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "RECIPIENT_HAS_NO_KEY");
    assert!(error.is_refusal() && error.hint().is_some());
    assert_eq!(server.world().calls(UPLOAD), 0);

    let outgoing = to_ann()
        .file(&path)
        .message("hi".parse().unwrap())
        .unenrolled(Unenrolled::LetServerEncrypt);
    server.client().send(outgoing).await.unwrap();
    let world = server.world();
    let form = &world.uploads[0];
    assert_eq!(form.files, [("a.txt".to_owned(), b"plain".to_vec())]);
    assert_eq!(form.fields["message"], "hi");
    for sealed in ["is_encrypted", "transfer_id", "encryption_algorithm"] {
        assert!(!form.fields.contains_key(sealed), "{sealed}");
    }
}

#[tokio::test]
async fn what_the_server_says_of_how_it_was_sealed_is_not_repeated() {
    for (found, says_sealed) in [(None, true), (Some(()), false)] {
        let server = server().await;
        if found.is_none() {
            server.world().answer(LOOK_UP, &unenrolled());
        }
        server.world().answer(UPLOAD, &transfer(says_sealed));
        let outgoing = to_ann()
            .file(file(&server, "a", b"1"))
            .unenrolled(Unenrolled::LetServerEncrypt);
        let error = server.client().send(outgoing).await.unwrap_err();
        assert_eq!(error.code(), "BAD_ANSWER", "{says_sealed}");
    }
}

fn key_changed() -> (StatusCode, HeaderMap, axum::body::Bytes) {
    let body = json!({ "error": { "code": "KEY_CHANGED", "message": "no", "status": 409,
        "request_id": "r" } });
    (
        StatusCode::CONFLICT,
        HeaderMap::new(),
        body.to_string().into(),
    )
}

/// Who had a key a moment ago is not sent what the server can read, for a server that says so
/// first and otherwise then lies once; and whoever agreed, did so before.
#[tokio::test]
async fn who_has_no_key_any_more_is_sent_nothing_without_being_asked_about() {
    let server = server().await;
    {
        let mut world = server.world();
        let answers = vec![key_changed()];
        world.answers.insert(UPLOAD.to_owned(), answers);
        let look_ups = [enrolled(&server.alice), unenrolled()].map(|it| {
            let found = it.to_string().into();
            (StatusCode::OK, HeaderMap::new(), found)
        });
        world.answers.insert(LOOK_UP.to_owned(), look_ups.into());
    }
    let outgoing = to_ann()
        .file(file(&server, "a", b"secret"))
        .unenrolled(Unenrolled::LetServerEncrypt);
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "RECIPIENT_HAS_NO_KEY");
    let world = server.world();
    assert_eq!(world.calls(UPLOAD), 1);
    for form in &world.uploads {
        assert_eq!(form.fields["is_encrypted"], "true");
    }
}

#[tokio::test]
async fn who_changed_their_key_meanwhile_is_sent_it_once_more() {
    let server = server().await;
    {
        let mut world = server.world();
        let taken = (
            StatusCode::CREATED,
            HeaderMap::new(),
            transfer(true).to_string().into(),
        );
        world
            .answers
            .insert(UPLOAD.to_owned(), vec![key_changed(), taken]);
        let look_ups = [&server.alice, &server.bob].map(|key| {
            let found = enrolled(key).to_string().into();
            (StatusCode::OK, HeaderMap::new(), found)
        });
        world.answers.insert(LOOK_UP.to_owned(), look_ups.into());
    }
    let outgoing = to_ann().file(file(&server, "a", b"again"));
    server.client().send(outgoing).await.unwrap();
    {
        let world = server.world();
        let [first, second] = &world.uploads[..] else {
            panic!("{} uploads", world.uploads.len())
        };
        assert_eq!(opened(first, &server.alice).1, [b"again"]);
        assert_eq!(opened(second, &server.bob).1, [b"again"]);
        for drawn in ["transfer_id", "encrypted_key", "encryption_salt"] {
            assert_ne!(first.fields[drawn], second.fields[drawn], "{drawn}");
        }
    }
    // Not for ever.
    server
        .world()
        .answers
        .insert(UPLOAD.to_owned(), vec![key_changed()]);
    let outgoing = to_ann().file(file(&server, "a", b"again"));
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "KEY_CHANGED");
    assert_eq!(server.world().uploads.len(), 4);
}

#[tokio::test]
async fn a_file_that_changes_between_being_read_and_being_sent_is_not_sent() {
    let server = server().await;
    let path = file(&server, "a", &vec![1; 600_000]);
    let changed = AtomicBool::new(false);
    let at = path.clone();
    let outgoing = to_ann()
        .file(&path)
        .progress(move |it: agentdrop_client::Report| {
            if it.phase == Phase::Sending && !changed.swap(true, Ordering::SeqCst) {
                // As long as before, so that only what it says tells.
                let mut file = File::options().write(true).open(&at).unwrap();
                file.write_all(b"another").unwrap();
            }
        });
    let error = server.client().send(outgoing).await.unwrap_err();
    assert_eq!(error.code(), "FILE_CHANGED");
    assert_eq!(server.world().uploads.len(), 0);
}

#[tokio::test]
async fn a_person_seals_for_an_agent_with_a_key_that_is_drawn_for_it() {
    let server = server().await;
    let found = json!({
        "id": ALICE, "agent_uuid": ALICE, "agent_id": "alice", "account_id": ACCOUNT,
        "public_key": public(&server.alice), "public_key_algorithm": "X25519", "key_version": 3,
        "connection_status": "connected",
    });
    server.world().answer(RESOLVE, &found);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let outgoing = Outgoing::to("alice".parse().unwrap())
            .as_person()
            .file(file(&server, "a.txt", b"from a person"));
        server.client().send(outgoing).await.unwrap();
    }
    let world = server.world();
    for form in &world.uploads {
        assert_eq!(form.fields["mode"], "human-to-agent");
        assert_eq!(form.fields["recipient_key_version"], "3");
        assert!(!form.fields.contains_key("sender"));
        let sender = PublicKey::try_from(&*bytes(form, "sender_public_key")).unwrap();
        let wrapped = wrapped::WrappedKey::try_from(&*bytes(form, "encrypted_key")).unwrap();
        let key = wrapped::unwrap(&wrapped, &server.alice, &sender).unwrap();
        let nonces: Vec<String> = serde_json::from_str(&form.fields["encryption_ivs"]).unwrap();
        let nonce = Nonce::try_from(&*STANDARD.decode(&nonces[0]).unwrap()).unwrap();
        let sealed = std::io::Cursor::new(&form.files[0].1);
        let mut plain = Vec::new();
        let verified = SealedFile::new(sealed, nonce)
            .unwrap()
            .verify(&key)
            .unwrap();
        verified.open_to(&mut plain).unwrap();
        assert_eq!(plain, b"from a person");
        assert_ne!(sender, server.bob.public_key());
        keys.push(sender);
    }
    assert_ne!(keys[0], keys[1]);
}
