//! What is received into a pipe: whoever reads it gets all of a file that was checked, or not a byte.

use agentdrop_testkit::hostile::lies::{bytes, granted, said};
use serde_json::{Value, json};

use super::scene::{Scene, Stage};
use crate::support::noise;

/// Alice sends one file of many chunks.
fn sent(scene: &mut Scene) -> Vec<u8> {
    let content = noise(300_000);
    scene.file("large", &content);
    let sent = scene.json("alice", "send bob large --keep --max-downloads 1000");
    scene.set_id(sent["id"].as_str().unwrap().parse().unwrap());
    content
}

#[test]
fn nothing_of_a_file_that_is_refused_reaches_a_pipe() {
    let stage = Stage::new();
    let mut scene = stage.scene();
    let content = sent(&mut scene);
    let plain = |it: &mut Value| it["is_encrypted"] = json!(false);
    let lies = [
        ("its last byte", bytes(1, |it| *it.last_mut().unwrap() ^= 1)),
        ("its first byte", bytes(1, |it| it[56] ^= 1)),
        (
            "its last chunk",
            bytes(1, |it| it.truncate(it.len() - 16_400)),
        ),
        (
            "two chunks",
            bytes(1, |it| it[56..56 + 2 * 16_400].rotate_left(16_400)),
        ),
        ("plaintext", granted(plain)),
        ("announced as plaintext", said(plain)),
    ];
    for (what, lie) in lies {
        scene.relay.lie(lie);
        let run = scene.run_bytes("bob", "receive {id} --to - --fresh");
        scene.relay.stop_lying();
        assert!(!run.status.success(), "{what}: {run:?}");
        assert_eq!(run.stdout, b"", "{what}");
        assert!(!run.stderr.is_empty(), "{what}");
    }
    let done = scene.run_bytes("bob", "receive {id} --to - --fresh");
    assert!(done.status.success() && done.stdout == content);
}
