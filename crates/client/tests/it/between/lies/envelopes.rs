//! The envelope itself.

use agentdrop_testkit::hostile::lies::bytes;

use super::{receives, refuses, sent};
use crate::between::world::World;

/// Where each field of object 0 stands, and what is said where a byte of it is another.
const FIELDS: [(&str, usize, &str); 14] = [
    ("magic", 0, "OPEN_REFUSED"),
    ("version", 4, "OPEN_REFUSED"),
    ("suite", 5, "OPEN_REFUSED"),
    ("unknown flag", 6, "OPEN_REFUSED"),
    ("flag of prekeys", 7, "OPEN_REFUSED"),
    ("transfer id", 8, "OPEN_REFUSED"),
    ("number of recipients", 25, "SEALED_FOR_ANOTHER_KEY"),
    ("recipient", 26, "SEALED_FOR_ANOTHER_KEY"),
    ("key id", 42, "KEY_GONE"),
    ("encapsulated key", 58, "OPEN_REFUSED"),
    ("its X25519 half", 1177, "OPEN_REFUSED"),
    ("wrapped file key", 1178, "OPEN_REFUSED"),
    ("length of the manifest", 1229, "OPEN_REFUSED"),
    ("manifest", 1300, "OPEN_REFUSED"),
];

#[tokio::test]
async fn an_envelope_of_which_one_byte_is_another_is_refused() {
    let world = World::start().await;
    let id = sent(&world).await;
    for (what, at, code) in FIELDS {
        let lie = bytes(0, move |it| it[at] ^= 1);
        refuses(&world, id, (what, code), lie).await;
    }
    let last = bytes(0, |it| *it.last_mut().unwrap() ^= 1);
    refuses(&world, id, ("its last byte", "OPEN_REFUSED"), last).await;
    receives(&world, id).await;
}

#[tokio::test]
async fn an_envelope_that_is_cut_or_longer_is_refused() {
    let world = World::start().await;
    let id = sent(&world).await;
    // A file in its place, a shorter one, and nothing of it.
    let zeros = bytes(0, |it| it.fill(0));
    refuses(&world, id, ("zeros", "OPEN_REFUSED"), zeros).await;
    let longer = bytes(0, |it| it.push(0));
    refuses(&world, id, ("a longer one", "BAD_ANSWER"), longer).await;
    receives(&world, id).await;
}

#[tokio::test]
async fn an_envelope_of_another_transfer_is_refused() {
    let world = World::start().await;
    let (one, other) = (sent(&world).await, sent(&world).await);
    let mut others = None;
    // The server keeps what it saw.
    world.lie(bytes(0, {
        let (to, from) = std::sync::mpsc::channel();
        others.replace(from);
        move |it| to.send(it.clone()).unwrap()
    }));
    world.receive(other).await.unwrap();
    let envelope = others.unwrap().recv().unwrap();
    for name in world.received() {
        std::fs::remove_file(world.target.path().join(name)).unwrap();
    }
    let lie = bytes(0, move |it| it.clone_from(&envelope));
    refuses(&world, one, ("another's envelope", "OPEN_REFUSED"), lie).await;
    receives(&world, one).await;
}
