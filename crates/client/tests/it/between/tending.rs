//! What an agent does for its own keys, and what its server can make of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agentdrop_client::Keyring;
use agentdrop_protocol::Timestamp;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::{Answered, Asked};
use serde_json::json;

use super::world::World;

/// Somebody takes prekeys of Bob until so many are left.
async fn leave(world: &World, left: u64) {
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    while world.prekeys_left().await > left {
        world.claim(bob).await;
    }
}

#[tokio::test]
async fn an_agent_that_has_few_prekeys_left_gives_the_server_more() {
    let world = World::start().await;
    assert_eq!(world.bob.prekeys_left().await.unwrap(), 64);
    leave(&world, 32).await;
    world.bob.tend_own_keys().await.unwrap();
    assert_eq!(world.bob.prekeys_left().await.unwrap(), 32, "enough");
    leave(&world, 31).await;
    world.bob.tend_own_keys().await.unwrap();
    assert_eq!(world.bob.prekeys_left().await.unwrap(), 64);
    // An agent that has none needs none.
    let carol = world.agent("carol", false).await;
    carol.tend_own_keys().await.unwrap();
}

#[tokio::test]
async fn whoever_receives_sees_to_its_prekeys() {
    let world = World::start().await;
    leave(&world, 20).await;
    let id = world.send("a.txt", b"a").await.unwrap();
    assert_eq!(world.prekeys_left().await, 19);
    world.receive(id).await.unwrap();
    assert_eq!(world.prekeys_left().await, 64);
}

#[tokio::test]
async fn what_the_server_did_not_take_is_brought_to_it_again() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let before = world.bundle_of(bob).await;
    let published = || world.bob.own_keys().unwrap().unwrap().published;
    assert!(published());
    let another = json!(Forger::draw(bob).bundle(2));
    world.lie(move |asked: &Asked, answered| {
        if asked.method == "PUT" && asked.path.ends_with("/bundle") {
            answered.change(|it| it["bundle"] = another.clone())
        } else {
            answered
        }
    });
    let error = world.bob.rotate_identity().await.unwrap_err();
    assert_eq!(error.code(), "BAD_ANSWER");
    assert!(!published(), "as far as is known");
    world.stop_lying();
    let keys = world.bob.publish_keys().await.unwrap();
    assert!(published());
    assert_eq!(keys.version, 2);
    assert_ne!(world.bundle_of(bob).await, before);
}

#[tokio::test]
async fn why_the_server_does_not_take_a_bundle_is_told() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let before = world.bundle_of(bob).await;
    let published = || world.bob.own_keys().unwrap().unwrap().published;
    for (code, asks_why) in [("FORBIDDEN", false), ("VALIDATION_ERROR", true)] {
        let asked_why = Arc::new(AtomicBool::new(false));
        let (asks, before) = (Arc::clone(&asked_why), json!(before));
        world.lie(move |asked: &Asked, answered| {
            if !asked.path.ends_with("/bundle") {
                assert_ne!(asked.method, "POST", "it went on");
                return answered;
            }
            if asked.method == "PUT" {
                return Answered::refused(400, code);
            }
            asks.store(true, Ordering::Relaxed);
            answered.change(|it| it["bundle"] = before.clone())
        });
        let error = world.bob.rotate_identity().await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(asked_why.load(Ordering::Relaxed), asks_why, "{code}");
        assert!(!published());
    }
    world.stop_lying();
    world.bob.publish_keys().await.unwrap();
    assert!(published());
}

#[tokio::test]
async fn keys_that_were_made_long_ago_and_never_published_are_published() {
    let world = World::start().await;
    let carol = world.agent("carol", false).await;
    let mine = carol.identity().unwrap();
    let (folder, agent) = (world.identity("carol"), mine.agent_uuid().unwrap());
    let long_ago = Timestamp::from_millis(1_700_000_000_000);
    let made = Keyring::create(&folder, agent, mine.public_key(), long_ago).unwrap();
    let published = carol.publish_keys().await.unwrap();
    assert_eq!(published.fingerprint, made.fingerprint());
    assert_eq!(published.version, 1);
    assert!(carol.own_keys().unwrap().unwrap().published);
}

#[tokio::test]
async fn keys_are_not_made_for_a_server_that_does_not_know_what_they_are() {
    type Answer = fn() -> Answered;
    let world = World::start().await;
    let carol = world.agent("carol", false).await;
    let refused: [(Answer, &str); 3] = [
        (|| Answered::refused(404, "NOT_FOUND"), "KEYS_UNKNOWN"),
        (
            || Answered::refused(405, "METHOD_NOT_ALLOWED"),
            "KEYS_UNKNOWN",
        ),
        (|| Answered::refused(403, "FORBIDDEN"), "FORBIDDEN"),
    ];
    for (answer, code) in refused {
        world.lie(move |asked: &Asked, answered| {
            if asked.path.ends_with("/prekeys") {
                answer()
            } else {
                answered
            }
        });
        assert_eq!(carol.publish_keys().await.unwrap_err().code(), code);
        assert_eq!(carol.own_keys().unwrap(), None, "{code}");
    }
    world.stop_lying();
    carol.publish_keys().await.unwrap();
    assert!(carol.own_keys().unwrap().unwrap().published);
}
