//! The files behind the envelope, and what is said of them.

use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_testkit::hostile::lies::{bytes, granted, said};
use agentdrop_testkit::hostile::{Answered, Asked};
use serde_json::{Value, json};

use super::{receives, refuses, sent};
use crate::between::world::World;

#[tokio::test]
async fn a_file_of_which_one_byte_is_another_is_refused() {
    let world = World::start().await;
    let id = sent(&world).await;
    let length = 56 + 8 + 16;
    for (what, at) in [
        ("salt", 0),
        ("commitment", 24),
        ("first byte", 56),
        ("tag", length - 1),
    ] {
        for n in [1, 2] {
            let lie = bytes(n, move |it| {
                assert_eq!(it.len(), length);
                it[at] ^= 0x80;
            });
            refuses(&world, id, (what, "OPEN_REFUSED"), lie).await;
        }
    }
    receives(&world, id).await;
}

#[tokio::test]
async fn files_are_not_swapped_cut_dropped_or_added() {
    let world = World::start().await;
    let id = sent(&world).await;
    let changed = "TRANSFER_CHANGED";

    let swapped = granted(|it| {
        let urls: Vec<_> = [1, 2]
            .map(|n| it["files"][n]["download_url"].clone())
            .into();
        it["files"][1]["download_url"] = urls[1].clone();
        it["files"][2]["download_url"] = urls[0].clone();
    });
    refuses(&world, id, ("swapped bytes", "OPEN_REFUSED"), swapped).await;
    let order = said(|it| it["files"].as_array_mut().unwrap().swap(1, 2));
    refuses(&world, id, ("swapped places", "OPEN_REFUSED"), order).await;
    let first = said(|it| it["files"].as_array_mut().unwrap().swap(0, 1));
    refuses(
        &world,
        id,
        ("a file before the envelope", "OPEN_REFUSED"),
        first,
    )
    .await;
    let twice = granted(|it| {
        let url = it["files"][1]["download_url"].clone();
        it["files"][2]["download_url"] = url;
    });
    refuses(&world, id, ("one file twice", "OPEN_REFUSED"), twice).await;
    let dropped = said(|it| drop(it["files"].as_array_mut().unwrap().pop()));
    refuses(&world, id, ("one file less", changed), dropped).await;
    let alone = said(|it| it["files"].as_array_mut().unwrap().truncate(1));
    refuses(&world, id, ("the envelope alone", changed), alone).await;
    let dropped = granted(|it| drop(it["files"].as_array_mut().unwrap().pop()));
    refuses(&world, id, ("one less than announced", changed), dropped).await;
    let added = said(|it| {
        let mut more = it["files"][2].clone();
        more["file_id"] = json!("019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6");
        it["files"].as_array_mut().unwrap().push(more);
    });
    refuses(&world, id, ("one file more", changed), added).await;
    let shorter = said(|it| it["files"][1]["size"] = json!(79));
    refuses(&world, id, ("a shorter file", changed), shorter).await;
    let longer = bytes(1, |it| it.push(0));
    refuses(&world, id, ("more than announced", "BAD_ANSWER"), longer).await;
    receives(&world, id).await;
}

#[tokio::test]
async fn a_file_of_another_transfer_is_refused() {
    let world = World::start().await;
    let (one, other) = (sent(&world).await, sent(&world).await);
    let urls = world.urls_of(other).await;
    // Under their own envelope, and with the other's whole content under this id.
    let url = urls[1].clone();
    let file = granted(move |it| it["files"][1]["download_url"] = json!(url));
    refuses(&world, one, ("another's file", "OPEN_REFUSED"), file).await;
    let all = granted(move |it| {
        for (n, url) in urls.iter().enumerate() {
            it["files"][n]["download_url"] = json!(url);
        }
    });
    refuses(&world, one, ("another's content", "OPEN_REFUSED"), all).await;
    receives(&world, one).await;
    receives(&world, other).await;
}

#[tokio::test]
async fn nothing_weaker_is_taken_in_its_place() {
    let world = World::start().await;
    let id = sent(&world).await;
    let plain = granted(|it| it["is_encrypted"] = json!(false));
    refuses(&world, id, ("plaintext", "DOWNGRADE"), plain).await;
    let announced = said(|it| it["is_encrypted"] = json!(false));
    refuses(
        &world,
        id,
        ("announced as plaintext", "PLAINTEXT"),
        announced,
    )
    .await;
    for algorithm in ["X25519-HKDF-AES-256-GCM", "AGENTDROP-2-A2H", "AGENTDROP-3"] {
        let lie = granted(move |it| it["encryption_algorithm"] = json!(algorithm));
        refuses(&world, id, (algorithm, "TRANSFER_CHANGED"), lie).await;
    }
    let nothing = granted(|it| it["encryption_algorithm"] = json!(null));
    refuses(&world, id, ("no algorithm", "TRANSFER_CHANGED"), nothing).await;
    let unknown = said(|it| it["encryption_algorithm"] = json!("AGENTDROP-3"));
    refuses(&world, id, ("an unknown one", "UNKNOWN_ALGORITHM"), unknown).await;
    receives(&world, id).await;
}

/// Calls all files the same.
fn rename(said: &mut Value, name: &str) {
    let files = said["files"].as_array_mut().into_iter().flatten();
    for file in files {
        for field in ["name", "file_name"] {
            if file.get(field).is_some() {
                file[field] = json!(name);
            }
        }
    }
}

#[tokio::test]
async fn addresses_lead_nowhere_else_and_names_mean_nothing() {
    let world = World::start().await;
    let id = sent(&world).await;
    let foreign = granted(|it| it["files"][1]["download_url"] = json!("http://192.0.2.1/x"));
    refuses(&world, id, ("another machine", "FOREIGN_URL"), foreign).await;
    // What the server calls a file is not what the file is called.
    world.lie(said(|it| rename(it, "../../.bashrc")));
    receives(&world, id).await;
    assert_eq!(world.received(), ["note.txt", "pay.txt"]);
}

#[tokio::test]
async fn what_was_received_is_not_received_again() {
    let world = World::start().await;
    // Without prekeys, so that the key that opens it is still there.
    world.lie(|asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/prekeys/claim") {
            return answered.change(|it| it["prekey"] = json!(null));
        }
        answered
    });
    let id = sent(&world).await;
    world.stop_lying();
    receives(&world, id).await;
    let again = world.receive(id).await.unwrap_err();
    assert_eq!(again.code(), "REPLAYED");
    assert_eq!(world.received().len(), 2);

    // With a prekey it does not open any more.
    let id = sent(&world).await;
    world.clear();
    receives(&world, id).await;
    let again = world.receive(id).await.unwrap_err();
    assert_eq!(again.code(), "REPLAYED");

    // Under an id of the server's own choice it is another transfer than the envelope's.
    let listed: Transfer = world.bob.transfer(id).await.unwrap();
    let other = sent(&world).await;
    let id = other.to_string();
    let json = serde_json::to_value(listed).unwrap();
    world.clear();
    let renamed = move |asked: &Asked, answered: Answered| {
        if asked.path == format!("/v1/transfers/{id}") {
            return answered.change(|it| {
                *it = json.clone();
                it["id"] = json!(id);
            });
        }
        answered
    };
    refuses(&world, other, ("renamed", "TRANSFER_CHANGED"), renamed).await;
}
