//! Whose leftovers are believed, and which are asked for.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use agentdrop_client::{Incoming, Note};
use agentdrop_seal::SecretKey;

use super::{FILE, half, server};
use crate::hostile::{Hostile, grant, id, list};

#[tokio::test]
async fn a_state_that_somebody_put_there_is_not_believed() {
    type Plant = fn(&Hostile, &Path);
    let plants: [(Plant, &str); 4] = [
        (
            |_, left| {
                File::options()
                    .write(true)
                    .open(left.join("state"))
                    .unwrap()
                    .set_len(20)
                    .unwrap();
            },
            "its state was not written with this key",
        ),
        (
            |_, left| {
                let state = File::options()
                    .write(true)
                    .open(left.join("state"))
                    .unwrap();
                state.write_all_at(b"!", 50).unwrap();
            },
            "its state was not written with this key",
        ),
        (
            // That of another agent, who received the same at the same place.
            |server, _| {
                let other = SecretKey::generate().unwrap();
                server.write_identity(&other);
                server.world().change(&grant(), |it| {
                    it["recipient_public_key"] = serde_json::Value::Null;
                });
            },
            "its state was not written with this key",
        ),
        (
            |_, left| fs::set_permissions(left, Permissions::from_mode(0o755)).unwrap(),
            "others may enter it",
        ),
    ];
    for (plant, said) in plants {
        let server = server().await;
        let left = half(&server).await;
        plant(&server, &left);
        let received = server.receive().await;
        assert_eq!(server.world().calls(&grant()), 2, "{said}");
        if let Ok(received) = received {
            let ignored = Note::LeftoverIgnored {
                path: left,
                reason: said,
            };
            assert_eq!(received.notes, [ignored]);
            assert_eq!(received.resumed_bytes, 0);
        }
    }
}

#[tokio::test]
async fn what_one_server_gave_is_not_gone_on_with_at_another() {
    let (one, other) = (server().await, server().await);
    let left = half(&one).await;
    other.world().files.get_mut(FILE).unwrap().stalls = false;
    other.write_identity(&one.bob);
    // Whether it opens is another matter: the other has other keys.
    let incoming = Incoming::into_folder(one.target.path());
    let error = other.client().receive(id(), incoming).await.unwrap_err();
    assert_eq!(error.code(), "SEALED_FOR_ANOTHER_KEY");
    assert_eq!(other.world().calls(&grant()), 1);
    assert!(!left.exists(), "its name says that it is of this transfer");
}

#[tokio::test]
async fn what_is_unfinished_can_be_asked_for() {
    let server = server().await;
    let unfinished = || async {
        let folder = server.target.path();
        server.client().unfinished(folder).await.unwrap()
    };
    assert_eq!(unfinished().await, []);
    half(&server).await;
    assert_eq!(unfinished().await, [id()]);
    server.world().answers.remove(&list());
    server.receive().await.unwrap_err();
    assert_eq!(unfinished().await, [id()], "whatever was refused before");
}

#[tokio::test]
async fn what_another_agent_left_is_not_unfinished_business_of_this_one() {
    let server = server().await;
    half(&server).await;
    server.write_identity(&SecretKey::generate().unwrap());
    let folder = server.target.path();
    assert_eq!(server.client().unfinished(folder).await.unwrap(), []);
    server.write_identity(&server.bob);
    assert_eq!(server.client().unfinished(folder).await.unwrap(), [id()]);
}
