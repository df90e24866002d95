//! The keys that Alice is given to seal for, and what her own server makes of hers.

use std::fs;

use agentdrop_client::Outgoing;
use agentdrop_client::trust::{How, MetHow};
use agentdrop_client::write_private;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::{claimed, told};
use agentdrop_testkit::hostile::{Answered, Asked};
use serde_json::{Value, json};

use super::{receives, sent};
use crate::between::world::World;

/// Alice is lied to: she sends nothing, and says so with this code.
async fn sends_nothing(
    world: &World,
    (what, code): (&str, &str),
    mut lie: impl FnMut(&Asked, Answered) -> Answered + Send + 'static,
) {
    world.lie(move |asked, answered| {
        let is_upload = asked.method == "POST" && asked.path == "/v1/transfers";
        assert!(!is_upload, "something was sent");
        lie(asked, answered)
    });
    let error = world.send("x.txt", b"for bob alone").await.expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error}");
    world.stop_lying();
}

#[tokio::test]
async fn nothing_is_sealed_for_a_key_that_is_not_the_recipients() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let carol = world.agent("carol", true).await;
    let carol = carol.identity().unwrap().agent_uuid().unwrap();
    let not_genuine = "BUNDLE_NOT_GENUINE";

    let genuine = world.bundle_of(bob).await;
    let (of_carol, unsigned) = (world.bundle_of(carol).await, Forger::damaged(&genuine));
    let lie = told(move |it| it["bundle"] = json!(of_carol));
    sends_nothing(&world, ("carol's bundle", not_genuine), lie).await;
    let lie = told(move |it| it["bundle"] = json!(unsigned));
    sends_nothing(&world, ("an unsigned bundle", not_genuine), lie).await;
    let over = Forger::draw(bob).expired();
    let lie = told(move |it| it["bundle"] = json!(over));
    sends_nothing(&world, ("a bundle that is over", "BUNDLE_EXPIRED"), lie).await;
    let lie = told(move |it| it["id"] = json!(carol));
    sends_nothing(&world, ("another agent", "BAD_ANSWER"), lie).await;

    // Now Bob is known.
    let id = sent(&world).await;
    receives(&world, id).await;
    let forged = Forger::draw(bob).prekey();
    let lie = claimed(move |it| it["prekey"] = json!(forged));
    sends_nothing(&world, ("a prekey of the server", not_genuine), lie).await;
    let lie = claimed(|it| it["prekey"] = json!("AAAA"));
    sends_nothing(&world, ("no prekey at all", not_genuine), lie).await;
    let of_carol = world.claim(carol).await;
    let lie = claimed(move |it| it["prekey"] = of_carol["prekey"].clone());
    sends_nothing(&world, ("carol's prekey", not_genuine), lie).await;
    let mine = Forger::draw(bob).bundle(2);
    let lie = claimed(move |it| it["bundle"] = json!(mine));
    sends_nothing(&world, ("another bundle with it", "PEER_KEY_CHANGED"), lie).await;
}

#[tokio::test]
async fn who_is_known_is_not_replaced_set_back_or_weakened() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let first = world.bundle_of(bob).await;
    sent(&world).await;
    let withheld = |asked: &Asked, answered: Answered| {
        let asks = asked.path.ends_with("/bundle") || asked.path.ends_with("/prekeys/claim");
        if asks {
            Answered::refused(404, "NO_BUNDLE")
        } else {
            answered
        }
    };
    sends_nothing(&world, ("withheld", "PEER_DOWNGRADED"), withheld).await;
    let old_server = |asked: &Asked, answered: Answered| {
        let asks = asked.path.ends_with("/bundle") || asked.path.ends_with("/prekeys/claim");
        if asks {
            Answered::refused(404, "NOT_FOUND")
        } else {
            answered
        }
    };
    sends_nothing(&world, ("an old server", "PEER_DOWNGRADED"), old_server).await;
    let late = |asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/prekeys/claim") {
            Answered::refused(404, "NO_BUNDLE")
        } else {
            answered
        }
    };
    sends_nothing(&world, ("withheld later", "PEER_DOWNGRADED"), late).await;
    // Only withheld: so it goes on when it is there again.
    let id = sent(&world).await;
    receives(&world, id).await;

    world.bob.rotate_identity().await.unwrap();
    sent(&world).await;
    let lie = told(move |it| {
        it["bundle"] = json!(first);
        it["rotations"] = json!([]);
    });
    sends_nothing(&world, ("set back", "PEER_KEY_CHANGED"), lie).await;
}

/// The server shows the old keys when it is asked for them, and the new ones with the prekey.
#[tokio::test]
async fn an_identity_that_shows_first_with_a_prekey_is_told_and_not_taken_for_the_compared_one() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let first = world.bundle_of(bob).await;
    sent(&world).await;
    let known = world.alice.known_agents().unwrap().unwrap();
    let before = known.look_up(bob).unwrap().unwrap();
    let before = before.native.unwrap().fingerprint(bob);
    known.compared(bob, &before).unwrap();
    world.bob.rotate_identity().await.unwrap();
    world.lie(move |asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/bundle") {
            return answered.change(|it| {
                it["bundle"] = json!(first);
                it["rotations"] = json!([]);
            });
        }
        answered
    });
    let path = world.file("x.txt", b"for bob alone");
    let outgoing = Outgoing::to("bob".parse().unwrap()).file(path);
    let sent = world.alice.send(outgoing).await.unwrap();
    let peer = sent.peer.unwrap();
    assert_eq!(peer.met, MetHow::Rotated(before));
    assert_ne!(peer.key, before.to_string());
    assert_eq!(peer.how, How::Rotated);
    // Whoever was killed before this was told finds it told all the same.
    let again = world.again("alice").known_agents().unwrap().unwrap();
    assert_eq!(again.look_up(bob).unwrap().unwrap().how, How::Rotated);
}

#[tokio::test]
async fn more_rotations_than_a_server_has_are_not_even_read() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    sent(&world).await;
    let (bundle, rotation) = Forger::draw(bob).rotated();
    for (count, code) in [(64, "PEER_KEY_CHANGED"), (65, "BAD_ANSWER")] {
        let (bundle, rotations) = (json!(bundle), json!(vec![rotation.clone(); count]));
        let lie = told(move |it| {
            (it["bundle"], it["rotations"]) = (bundle.clone(), rotations.clone());
        });
        sends_nothing(&world, ("many rotations", code), lie).await;
        let known = world.alice.known_agents().unwrap().unwrap();
        known.keep(bob).ok();
    }
}

#[tokio::test]
async fn two_rows_of_bundles_are_noticed() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    // A person decided to believe a key that somebody else has.
    let forger = Forger::draw(bob);
    let (one, other) = (forger.bundle(3), forger.bundle(3));
    let third = forger.bundle(3);
    assert_ne!(one, other, "each has an encryption key of its own");
    world.lie(told(move |it| {
        it["bundle"] = json!(one);
        it["prekey"] = json!(null);
    }));
    world.send("x.txt", b"x").await.unwrap();
    let lie = told(move |it| it["bundle"] = json!(other));
    sends_nothing(&world, ("forked", "PEER_KEY_FORKED"), lie).await;
    // It blocks until somebody decides, whatever is offered then.
    let lie = told(move |it| it["bundle"] = json!(third));
    sends_nothing(&world, ("still", "PEER_KEY_FORKED"), lie).await;
}

#[tokio::test]
async fn older_and_weaker_bundles_are_refused() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let forger = Forger::draw(bob);
    let (strong, older, weak) = (forger.suite(5, 1), forger.suite(4, 1), forger.suite(7, 0));
    world.lie(told(move |it| {
        it["bundle"] = json!(strong);
        it["prekey"] = json!(null);
    }));
    world.send("x.txt", b"x").await.unwrap();
    let lie = told(move |it| it["bundle"] = json!(older));
    sends_nothing(&world, ("older", "PEER_KEY_ROLLED_BACK"), lie).await;
    let lie = told(move |it| it["bundle"] = json!(weak));
    sends_nothing(&world, ("weaker", "PEER_DOWNGRADED"), lie).await;
}

/// A prekey that the server hands out twice seals for a key that is gone: nothing is lost, and nobody
/// reads it, but it has to be sent again.
#[tokio::test]
async fn a_prekey_that_was_given_to_two_opens_one() {
    let world = World::start().await;
    let mut first = None;
    world.lie(move |asked: &Asked, answered: Answered| {
        if !asked.path.ends_with("/prekeys/claim") {
            return answered;
        }
        let first = first.get_or_insert_with(|| answered.body.clone()).clone();
        answered.with(first)
    });
    let (one, two) = (sent(&world).await, sent(&world).await);
    world.stop_lying();
    receives(&world, one).await;
    let error = world.receive(two).await.unwrap_err();
    assert_eq!(error.code(), "KEY_GONE");
}

#[tokio::test]
async fn what_the_server_makes_of_ones_own_keys_is_noticed() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    // It shows another bundle than the one that was published.
    let forged = Forger::draw(bob).bundle(2);
    world.lie(move |asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/bundle") {
            answered.change(|it| it["bundle"] = json!(forged))
        } else {
            answered
        }
    });
    let error = world.bob.rotate_identity().await.unwrap_err();
    assert_eq!(error.code(), "BAD_ANSWER");
    // It refuses what follows, for it has something else.
    let forged = Forger::draw(bob).bundle(7);
    world.lie(move |asked: &Asked, answered: Answered| {
        if !asked.path.ends_with("/bundle") {
            return answered;
        }
        if asked.method == "PUT" {
            Answered::refused(409, "BUNDLE_CONFLICT")
        } else {
            answered.change(|it| it["bundle"] = json!(forged))
        }
    });
    let error = world.bob.publish_keys().await.unwrap_err();
    assert_eq!(error.code(), "OWN_IDENTITY_REPLACED");
    world.stop_lying();
    world.bob.publish_keys().await.unwrap();
}

/// An agent that only receives: what waits for whoever sends is renewed all the same.
#[tokio::test]
async fn a_bundle_that_is_due_is_renewed_without_sending() {
    let world = World::start().await;
    world.bob.tend_own_keys().await.unwrap();
    assert_eq!(world.bob.publish_keys().await.unwrap().version, 1);
    made_long_ago(&world, "bob");
    world.bob.tend_own_keys().await.unwrap();
    assert_eq!(world.bob.publish_keys().await.unwrap().version, 2);
    // Receiving does it by itself.
    made_long_ago(&world, "bob");
    let id = sent(&world).await;
    receives(&world, id).await;
    assert_eq!(world.bob.publish_keys().await.unwrap().version, 3);
    // Of one that has no such keys there is nothing to see to.
    let carol = world.agent("carol", false).await;
    carol.tend_own_keys().await.unwrap();
    assert!(!world.identity("carol").join("keys.json").exists());
}

/// The key in the bundle of this agent was made in another year.
fn made_long_ago(world: &World, name: &str) {
    let path = world.identity(name).join("keys.json");
    let mut keys: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    keys["kem"]["since"] = json!("2020-01-01T00:00:00Z");
    write_private(&path, keys.to_string().as_bytes()).unwrap();
}

#[tokio::test]
async fn keys_that_the_server_takes_from_nobody_here_do_not_stop_compatible_sends() {
    let world = World::start().await;
    let dave = world.agent("dave", false).await;
    let carol = world.agent("carol", true).await;
    let folder = world.identity("carol");
    // They are lost, and others are made.
    fs::remove_file(folder.join("keys.json")).unwrap();
    let prekeys = fs::read(folder.join("prekeys.json")).unwrap();
    let error = carol.publish_keys().await.unwrap_err();
    assert_eq!(error.code(), "KEYS_NOT_TAKEN");
    assert!(!folder.join("keys.json").exists());
    // The old ones may be found, and what was sealed for them is on its way.
    assert_eq!(fs::read(folder.join("prekeys.json")).unwrap(), prekeys);
    let to = dave.identity().unwrap().agent_ref();
    let file = world.file("plain.txt", b"in the published formats");
    carol.send(Outgoing::to(to).file(file)).await.unwrap();
}

/// The folder of an identity was restored from a copy that is older than its last bundle.
#[tokio::test]
async fn an_older_copy_of_ones_keys_is_gone_on_with_if_a_person_says_so() {
    let world = World::start().await;
    let path = world.identity("bob").join("keys.json");
    let older = fs::read(&path).unwrap();
    made_long_ago(&world, "bob");
    assert_eq!(world.bob.publish_keys().await.unwrap().version, 2);
    write_private(&path, &older).unwrap();
    made_long_ago(&world, "bob");
    let error = world.bob.publish_keys().await.unwrap_err();
    assert_eq!(error.code(), "KEYRING_BEHIND");
    assert!(error.hint().unwrap().contains("--adopt"));
    assert_eq!(world.bob.adopt_keys().await.unwrap().version, 3);
    // Once more there is nothing to adopt.
    assert_eq!(world.bob.adopt_keys().await.unwrap().version, 3);
    let id = sent(&world).await;
    receives(&world, id).await;
}
