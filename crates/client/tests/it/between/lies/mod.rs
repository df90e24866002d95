//! Lies, one after the other: each is refused with a code of its own kind, nothing lies where files are
//! received, and what was sent is received once the server is honest again.

mod envelopes;
mod files;
mod keys;
mod names;
mod receipts;
mod senders;

use agentdrop_client::Outgoing;
use agentdrop_protocol::TransferId;
use agentdrop_testkit::hostile::{Answered, Asked};

use super::world::World;

/// What Bob is sent in these tests: two files that are as long as each other.
const FILES: [(&str, &[u8]); 2] = [("pay.txt", b"PAY   10"), ("note.txt", b"PAY 9999")];

/// Alice sends both.
async fn sent(world: &World) -> TransferId {
    let paths = FILES.map(|(name, content)| world.file(name, content));
    let outgoing = Outgoing::to("bob".parse().unwrap()).files(paths).keep();
    let sent = world.alice.send(outgoing.max_downloads(1000)).await;
    sent.unwrap().transfer.id
}

/// Bob is lied to: he refuses with this code, and has nothing of it.
async fn refuses(
    world: &World,
    id: TransferId,
    (what, code): (&str, &str),
    lie: impl FnMut(&Asked, Answered) -> Answered + Send + 'static,
) {
    world.forget();
    world.lie(lie);
    let error = world.receive(id).await.expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error}");
    // What goes on later is hidden, and nobody's file yet.
    let here = world.received();
    let placed: Vec<_> = here.iter().filter(|it| !it.starts_with('.')).collect();
    assert!(placed.is_empty(), "{what}: {placed:?}");
    world.stop_lying();
}

/// Bob receives both files, after all.
async fn receives(world: &World, id: TransferId) {
    world.receive(id).await.unwrap();
    for (name, content) in FILES {
        let path = world.target.path().join(name);
        assert_eq!(std::fs::read(path).unwrap(), content);
    }
}
