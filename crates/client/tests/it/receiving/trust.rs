//! What the server says against what it announced, and against the seal.

use std::fs;

use agentdrop_client::Security;
use agentdrop_seal::SecretKey;
use agentdrop_seal::compat::human;
use serde_json::{Value, json};

use super::TWO;
use crate::hostile::{Hostile, channel, grant, id, list, names, public};

#[tokio::test]
async fn a_wrapped_key_is_unwrapped() {
    let server = Hostile::with_wrapped_transfer(&TWO).await;
    let received = server.receive().await.unwrap();
    assert_eq!(fs::read(&received.files[1].path).unwrap(), b"pay 99");

    for field in ["encrypted_key", "sender_public_key"] {
        let server = Hostile::with_wrapped_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it[field] = Value::Null);
        server.refuses("E2EE_INCOMPLETE").await;
    }
    let server = Hostile::with_wrapped_transfer(&TWO).await;
    let other = public(&SecretKey::generate().unwrap());
    server
        .world()
        .change(&grant(), |it| it["sender_public_key"] = json!(other));
    server.refuses("SEALED_FOR_ANOTHER_KEY").await;
}

#[tokio::test]
async fn what_was_announced_as_encrypted_never_yields_plaintext() {
    for accept in [false, true] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["is_encrypted"] = json!(false));
        let incoming = if accept {
            server.incoming().accept_plaintext()
        } else {
            server.incoming()
        };
        let error = server.client().receive(id(), incoming).await.unwrap_err();
        assert_eq!(error.code(), "DOWNGRADE");
        assert_eq!(names(server.target.path()), [""; 0]);
    }
    // Not announced as such, and yet it names what it was encrypted with.
    let server = Hostile::with_transfer(&TWO).await;
    server
        .world()
        .change(&grant(), |it| it["is_encrypted"] = json!(false));
    server
        .world()
        .change(&list(), |it| it["is_encrypted"] = json!(false));
    let incoming = server.incoming().accept_plaintext();
    let error = server.client().receive(id(), incoming).await.unwrap_err();
    assert_eq!(error.code(), "DOWNGRADE");
}

#[tokio::test]
async fn plaintext_is_refused_before_it_costs_a_download() {
    let server = Hostile::with_plaintext(b"hello").await;
    server.refuses("PLAINTEXT").await;
    assert_eq!(server.world().calls(&grant()), 0);

    let incoming = server.incoming().accept_plaintext();
    let received = server.client().receive(id(), incoming).await.unwrap();
    assert_eq!(received.security, Security::Plaintext);
    assert_eq!(fs::read(&received.files[0].path).unwrap(), b"hello");
}

#[tokio::test]
async fn what_is_missing_to_open_it_is_an_error() {
    let absent = [
        ("/encryption_algorithm", Value::Null),
        ("/channel_id", Value::Null),
        ("/encryption_salt", Value::Null),
        ("/encryption_salt", json!("AAAA")),
        ("/encryption_salt", json!("not base64")),
        ("/files/1/encryption_iv", Value::Null),
        ("/files/1/encryption_iv", json!("")),
        ("/files/1/encryption_iv", json!("AAAA")),
    ];
    for (field, value) in absent {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().change(&grant(), |it| {
            *it.pointer_mut(field).unwrap_or(&mut Value::Null) = value;
        });
        server.refuses("E2EE_INCOMPLETE").await;
    }
    for algorithm in ["AES-256-GCM", "", human::ALGORITHM] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["encryption_algorithm"] = json!(algorithm));
        server.refuses("UNKNOWN_ALGORITHM").await;
    }
}

#[tokio::test]
async fn a_grant_of_other_files_than_announced_is_refused() {
    let changes: [fn(&mut Value); 6] = [
        |it| drop(it["files"].as_array_mut().unwrap().pop()),
        |it| it["files"][1] = it["files"][0].clone(),
        |it| it["files"][1]["size"] = json!(23),
        |it| it["files"][1]["name"] = json!("one.txt"),
        |it| it["files"][1]["file_name"] = json!("one.txt"),
        |it| it["id"] = json!("tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f7"),
    ];
    for change in changes {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().change(&grant(), change);
        server.refuses("TRANSFER_CHANGED").await;
    }
    // What was in the list counts, whatever the server says afterwards.
    let server = Hostile::with_transfer(&TWO).await;
    let listed = server.client().transfer(id()).await.unwrap();
    for call in [list(), grant()] {
        server
            .world()
            .change(&call, |it| drop(it["files"].as_array_mut().unwrap().pop()));
    }
    let incoming = server.incoming().listed(listed);
    let error = server.client().receive(id(), incoming).await.unwrap_err();
    assert_eq!(error.code(), "TRANSFER_CHANGED");
}

#[tokio::test]
async fn swapped_files_do_not_open() {
    // Of equal length, so that only the seal can tell.
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["files"][0]["download_url"] = json!("/files/1");
        it["files"][1]["download_url"] = json!("/files/0");
    });
    server.refuses("OPEN_REFUSED").await;

    let server = Hostile::with_transfer(&[("a", b"short"), ("b", b"longer")]).await;
    server.world().change(&grant(), |it| {
        it["files"][0]["download_url"] = json!("/files/1");
    });
    server.refuses_for_now("BAD_ANSWER").await;
}

#[tokio::test]
async fn of_a_transfer_with_one_bad_file_none_is_placed() {
    for at in [0, 5, 21] {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().files.get_mut("/files/1").unwrap().bytes[at] ^= 1;
        server.refuses("OPEN_REFUSED").await;
    }
}

#[tokio::test]
async fn two_answers_about_the_senders_key_must_agree() {
    let other = SecretKey::generate().unwrap();
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&channel(), |it| {
        it["agent_a_public_key"] = json!(public(&other));
    });
    server.refuses("PEER_KEY_DIFFERS").await;

    // With a new key since, the one of the time of sending opens it.
    server
        .world()
        .change(&channel(), |it| it["agent_a_key_version"] = json!(2));
    let received = server.receive().await.unwrap();
    assert_eq!(
        received.sender_key.unwrap().to_string(),
        public(&server.alice)
    );

    // A key that did not seal it does not open it.
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["sender_public_key"] = json!(public(&other));
    });
    server.world().change(&channel(), |it| {
        it["agent_a_public_key"] = json!(public(&other));
    });
    server.refuses("OPEN_REFUSED").await;

    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["recipient_public_key"] = json!(public(&other));
    });
    server.refuses("SEALED_FOR_ANOTHER_KEY").await;

    let server = Hostile::with_transfer(&TWO).await;
    let third = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5ff";
    server
        .world()
        .change(&channel(), |it| it["agent_b_id"] = json!(third));
    server.refuses("WRONG_CHANNEL").await;
}
