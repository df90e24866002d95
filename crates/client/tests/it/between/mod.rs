//! Between two agents that can be verified: a real server, and in front of it one that lies.
//!
//! What the relay changes is what a hostile operator could: every answer, every byte of a file. Each test
//! says what it does, and what the client says to it; nothing may ever lie where files are received.

mod comparing;
mod lies;
mod tending;
mod world;

use std::fs;

use agentdrop_client::{Incoming, Outgoing, Security};

use self::world::World;

#[tokio::test]
async fn what_one_signs_the_other_receives_and_the_receipt_is_for_both() {
    let world = World::start().await;
    let small = world.file("notes.txt", b"for bob alone");
    let empty = world.file("empty", b"");
    let sent = world
        .alice
        .send(
            Outgoing::to("bob".parse().unwrap())
                .files([&small, &empty])
                .message("read this".parse().unwrap()),
        )
        .await
        .unwrap();
    assert_eq!(sent.security, Security::Verified);
    let listed = world.bob.transfer(sent.transfer.id).await.unwrap();
    let names: Vec<_> = listed.files.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["envelope", "1", "2"], "the server learns no names");
    assert!(listed.message.is_none(), "and no message");
    assert_eq!(world.prekeys_left().await, 63);

    let received = world.receive(sent.transfer.id).await.unwrap();
    assert_eq!(received.security, Security::Verified);
    assert_eq!(received.message.unwrap().as_str(), "read this");
    assert!(received.unacknowledged.is_none());
    assert_eq!(received.notes, []);
    let peer = received.peer.unwrap();
    assert_eq!(
        peer.agent,
        world.alice.identity().unwrap().agent_uuid().unwrap()
    );
    assert_eq!(
        fs::read(world.target.path().join("notes.txt")).unwrap(),
        b"for bob alone"
    );
    assert_eq!(fs::read(world.target.path().join("empty")).unwrap(), b"");

    let shown = world.alice.transfer(sent.transfer.id).await.unwrap();
    let receipt = shown.deliveries[0].receipt.clone().unwrap();
    assert!(
        world
            .is_genuine(sent.transfer.id, receipt.as_bytes())
            .unwrap()
    );
    let error = world
        .bob
        .receive(sent.transfer.id, Incoming::into_folder(world.target.path()));
    assert_eq!(error.await.unwrap_err().code(), "REPLAYED");
}
