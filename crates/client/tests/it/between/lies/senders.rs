//! Who sent it, and by which key they are known.

use agentdrop_client::Outgoing;
use agentdrop_protocol::TransferId;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::{asks_for_bundle, bytes, said};
use agentdrop_testkit::hostile::{Answered, Asked};
use serde_json::json;

use super::{receives, refuses, sent};
use crate::between::world::World;

#[tokio::test]
async fn another_is_not_taken_for_the_sender() {
    let world = World::start().await;
    let carol = world.agent("carol", true).await;
    let id = sent(&world).await;
    let carol = carol.identity().unwrap().agent_uuid().unwrap();
    let unverified = "SENDER_UNVERIFIED";
    let lie = move |it: &mut serde_json::Value| it["sender_agent_id"] = json!(carol);
    refuses(&world, id, ("carol", unverified), said(lie)).await;
    let nobody = said(|it| it["sender_agent_id"] = json!(null));
    refuses(&world, id, ("nobody", unverified), nobody).await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let oneself = said(move |it| it["sender_agent_id"] = json!(bob));
    refuses(&world, id, ("oneself", unverified), oneself).await;
    receives(&world, id).await;
}

#[tokio::test]
async fn who_is_met_first_is_met_by_what_they_signed() {
    let world = World::start().await;
    let id = sent(&world).await;
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let withheld = |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            Answered::refused(404, "NO_BUNDLE")
        } else {
            answered
        }
    };
    refuses(&world, id, ("withheld", "SENDER_UNVERIFIED"), withheld).await;
    let mangled = |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| it["bundle"] = json!("AAAA"))
        } else {
            answered
        }
    };
    refuses(&world, id, ("no bundle at all", "BAD_ANSWER"), mangled).await;
    let carol = world.agent("carol", true).await;
    let carol = carol.identity().unwrap().agent_uuid().unwrap();
    let of_carol = json!(world.bundle_of(carol).await);
    let others = move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| it["bundle"] = of_carol.clone())
        } else {
            answered
        }
    };
    refuses(&world, id, ("another's", "BUNDLE_NOT_GENUINE"), others).await;
    let forged = world.bundle_of(alice).await;
    let unsigned = Forger::damaged(&forged);
    let unsigned = move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| it["bundle"] = json!(unsigned))
        } else {
            answered
        }
    };
    refuses(&world, id, ("unsigned", "BUNDLE_NOT_GENUINE"), unsigned).await;
    let over = Forger::draw(alice).expired();
    let over = move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| it["bundle"] = json!(over))
        } else {
            answered
        }
    };
    refuses(&world, id, ("one that is over", "BUNDLE_EXPIRED"), over).await;
    receives(&world, id).await;
}

/// The server draws an identity for Alice, before Bob has met her: her own envelope is not signed by it.
/// (That it can be Alice for somebody who never met her is why people compare.)
#[tokio::test]
async fn an_identity_that_the_server_drew_did_not_sign_what_alice_sent() {
    let world = World::start().await;
    let id = sent(&world).await;
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let drawn = json!(Forger::draw(alice).bundle(1));
    let lie = move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| it["bundle"] = drawn.clone())
        } else {
            answered
        }
    };
    refuses(&world, id, ("drawn", "SENDER_UNVERIFIED"), lie).await;
    // And the two contradict each other from then on, until a person decides.
    let error = world.receive(id).await.unwrap_err();
    assert_eq!(error.code(), "PEER_KEY_CHANGED");
}

#[tokio::test]
async fn what_the_server_seals_itself_is_not_from_whom_is_known() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let id = sent(&world).await;
    let forger = Forger::draw(alice);
    let (envelope, file) = forger.sealed(id, bob, &world.bundle_of(bob).await, b"PAY 9999");
    let drawn = json!(forger.bundle(1));
    // Its own envelope, its own file, and its own bundle for Alice, in place of two files of hers.
    let (sizes, contents) = ([envelope.len(), file.len()], [envelope, file]);
    let mut paths: Vec<String> = Vec::new();
    let lie = move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            return answered.change(|it| it["bundle"] = drawn.clone());
        }
        if let Some(n) = paths.iter().position(|it| *it == asked.path) {
            return answered.with(contents[n].clone());
        }
        if !asked.path.starts_with("/v1/transfers/tr_") {
            return answered;
        }
        answered.change(|it| {
            let files = it["files"].as_array_mut().unwrap();
            files.truncate(2);
            paths.clear();
            for (file, size) in files.iter_mut().zip(sizes) {
                file["size"] = json!(size);
                if let Some(url) = file["download_url"].as_str() {
                    paths.push(url.parse::<reqwest::Url>().unwrap().path().to_owned());
                }
            }
        })
    };
    refuses(&world, id, ("forged", "PEER_KEY_CHANGED"), lie).await;
    // A person has to decide now; nothing is received of Alice before.
    let error = world.receive(id).await.unwrap_err();
    assert_eq!(error.code(), "PEER_KEY_CHANGED");
    let known = world.bob.known_agents().unwrap().unwrap();
    known.keep(alice).unwrap();
    receives(&world, id).await;
}

#[tokio::test]
async fn a_rotation_that_another_key_signed_is_none() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let (bundle, rotation) = Forger::draw(alice).rotated();
    world.lie(move |asked: &Asked, answered: Answered| {
        if asks_for_bundle(asked) {
            answered.change(|it| {
                it["bundle"] = json!(bundle);
                it["rotations"] = json!([rotation]);
            })
        } else {
            answered
        }
    });
    let path = world.file("back.txt", b"to alice");
    let back = Outgoing::to("alice".parse().unwrap()).file(path);
    let error = world.bob.send(back).await.unwrap_err();
    assert_eq!(error.code(), "PEER_KEY_CHANGED");
}

#[tokio::test]
async fn an_identity_that_the_old_one_signed_is_accepted_and_told() {
    let world = World::start().await;
    let before = sent(&world).await;
    receives(&world, sent(&world).await).await;
    world.clear();
    world.alice.rotate_identity().await.unwrap();
    let after: TransferId = sent(&world).await;
    // What was on its way is still by whom Bob knows.
    receives(&world, before).await;
    world.clear();
    let received = world.receive(after).await.unwrap();
    let met = received.peer.unwrap().met;
    assert!(
        matches!(met, agentdrop_client::trust::MetHow::Rotated(_)),
        "{met:?}"
    );
    // And Alice still receives what is sealed for who she is now.
    let path = world.file("back.txt", b"to alice");
    let back = Outgoing::to("alice".parse().unwrap()).file(path);
    let sent = world.bob.send(back).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let incoming = agentdrop_client::Incoming::into_folder(folder.path());
    world
        .alice
        .receive(sent.transfer.id, incoming)
        .await
        .unwrap();
}

/// What it says does not matter, where nobody signed it; who signs is not taken without.
#[tokio::test]
async fn who_signs_is_not_received_from_in_a_weaker_form() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let dave = world.agent("dave", false).await;
    let path = world.file("x.txt", b"from dave, who has no signed keys");
    let sent = dave.send(Outgoing::to("bob".parse().unwrap()).file(path).keep());
    let id = sent.await.unwrap().transfer.id;
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let as_alice = said(move |it| it["sender_agent_id"] = json!(alice));
    refuses(&world, id, ("as alice", "PEER_DOWNGRADED"), as_alice).await;
    let received = world.receive(id).await.unwrap();
    assert_eq!(received.security.as_str(), "compatible");
    assert_eq!(
        received.peer.unwrap().key,
        dave.identity().unwrap().public_key().to_string()
    );
}

/// Nothing of it is even fetched where the envelope is not from whom it should be.
#[tokio::test]
async fn no_file_is_fetched_before_the_sender_is_known() {
    let world = World::start().await;
    let id = sent(&world).await;
    let mut lie = bytes(0, |it| it[1300] ^= 1);
    let fetched = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&fetched);
    let urls = world.urls_of(id).await;
    let paths: Vec<_> = urls[1..]
        .iter()
        .map(|it| it.parse::<reqwest::Url>().unwrap().path().to_owned())
        .collect();
    let lie = move |asked: &Asked, answered: Answered| {
        if paths.contains(&asked.path) {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        lie(asked, answered)
    };
    refuses(&world, id, ("envelope", "OPEN_REFUSED"), lie).await;
    assert_eq!(fetched.load(std::sync::atomic::Ordering::Relaxed), 0);
}
