//! Who is meant: names, oneself, and who is left out.

use std::fs;

use agentdrop_client::Outgoing;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::said;
use agentdrop_testkit::hostile::{Answered, Asked};
use serde_json::json;

use super::{receives, refuses, sent};
use crate::between::world::World;

#[tokio::test]
async fn what_one_sends_to_oneself_is_sealed_for_nobody_else() {
    let world = World::start().await;
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let drawn = Forger::draw(alice).bundle(1);
    let lie = move |asked: &Asked, answered: Answered| {
        let tells = asked.path.ends_with("/bundle") || asked.path.ends_with("/prekeys/claim");
        if tells {
            return answered.change(|it| it["bundle"] = json!(drawn));
        }
        answered
    };
    let path = world.file("x.txt", b"for myself");
    let to_oneself = || Outgoing::to("alice".parse().unwrap()).file(&path).keep();
    world.lie(lie);
    let error = world.alice.send(to_oneself()).await.unwrap_err();
    assert_eq!(error.code(), "OWN_KEY_DIFFERS");
    world.stop_lying();
    let sent = world.alice.send(to_oneself()).await.unwrap();
    let incoming = agentdrop_client::Incoming::into_folder(world.target.path());
    world
        .alice
        .receive(sent.transfer.id, incoming)
        .await
        .unwrap();
    assert_eq!(
        fs::read(world.target.path().join("x.txt")).unwrap(),
        b"for myself"
    );
}

#[tokio::test]
async fn what_the_server_seals_as_oneself_is_not_from_oneself() {
    let world = World::start().await;
    let bob = world.bob.identity().unwrap().agent_uuid().unwrap();
    let dave = world.agent("dave", false).await;
    let path = world.file("x.txt", b"as if from bob");
    let sent = dave.send(Outgoing::to("bob".parse().unwrap()).file(path).keep());
    let id = sent.await.unwrap().transfer.id;
    let as_bob = said(move |it| it["sender_agent_id"] = json!(bob));
    refuses(&world, id, ("as bob", "OWN_KEY_DIFFERS"), as_bob).await;
    world.receive(id).await.unwrap();
}

#[tokio::test]
async fn who_is_left_out_is_not_taken_for_who_is_known() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let dave = world.agent("dave", false).await;
    let path = world.file("x.txt", b"as if from alice");
    let sent = dave.send(Outgoing::to("bob".parse().unwrap()).file(path).keep());
    let id = sent.await.unwrap().transfer.id;
    let unnamed = said(|it| {
        it["sender_agent_id"] = json!(null);
        it["sender"] = json!("alice");
    });
    refuses(&world, id, ("unnamed", "SENDER_UNVERIFIED"), unnamed).await;
    assert_eq!(world.downloads(id).await, 0);
}

#[tokio::test]
async fn a_name_that_leads_to_another_agent_is_refused() {
    let world = World::start().await;
    sent(&world).await;
    let carol = world.agent("carol", true).await;
    let carol = carol.identity().unwrap();
    let (id, key) = (carol.agent_uuid().unwrap(), carol.public_key());
    world.lie(move |asked: &Asked, answered: Answered| {
        if asked.path != "/v1/agents/resolve" {
            return answered;
        }
        answered.change(|it| {
            it["id"] = json!(id);
            it["agent_uuid"] = json!(id);
            it["public_key"] = json!(key);
        })
    });
    let error = world.send("x.txt", b"for bob alone").await.unwrap_err();
    assert_eq!(error.code(), "PEER_NAME_MOVED");
    world.stop_lying();
    receives(&world, sent(&world).await).await;
}

#[tokio::test]
async fn what_was_sent_before_a_rotation_is_received_after_it() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let before = sent(&world).await;
    world.alice.rotate_identity().await.unwrap();
    let after = sent(&world).await;
    receives(&world, after).await;
    world.clear();
    receives(&world, before).await;
}

#[tokio::test]
async fn what_is_refused_until_a_person_decides_costs_one_download() {
    let world = World::start().await;
    receives(&world, sent(&world).await).await;
    world.clear();
    let alice = world.alice.identity().unwrap().agent_uuid().unwrap();
    let id = sent(&world).await;
    let drawn = Forger::draw(alice).bundle(1);
    world.lie(move |asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/bundle") {
            return answered.change(|it| it["bundle"] = json!(drawn));
        }
        answered
    });
    // Bob sends back, and is told another key: from then on nothing goes either way.
    let path = world.file("back.txt", b"to alice");
    let back = Outgoing::to("alice".parse().unwrap()).file(path);
    let error = world.bob.send(back).await.unwrap_err();
    assert_eq!(error.code(), "PEER_KEY_CHANGED");
    for _ in 0..3 {
        let error = world.receive(id).await.unwrap_err();
        assert_eq!(error.code(), "PEER_KEY_CHANGED");
    }
    assert_eq!(world.downloads(id).await, 0);
    world.stop_lying();
    world
        .bob
        .known_agents()
        .unwrap()
        .unwrap()
        .keep(alice)
        .unwrap();
    receives(&world, id).await;
}

#[tokio::test]
async fn whoever_moves_what_is_placed_before_the_server_knows_tells_it_later() {
    let world = World::start().await;
    let id = sent(&world).await;
    world.lie(|asked: &Asked, answered: Answered| {
        if asked.path.ends_with("/ack") {
            return Answered::refused(503, "UNAVAILABLE");
        }
        answered
    });
    let received = world.receive(id).await.unwrap();
    assert!(received.unacknowledged.is_some());
    world.stop_lying();
    for file in received.files {
        fs::remove_file(file.path).unwrap();
    }
    let again = world.receive(id).await.unwrap();
    assert!(again.unacknowledged.is_none());
    assert_eq!(world.downloads(id).await, 1);
    let shown = world.alice.transfer(id).await.unwrap();
    assert!(shown.deliveries[0].receipt.is_some());
}
