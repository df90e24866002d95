//! What the recipient is said to have said: `agentdrop show` says which of it is genuine.

use agentdrop_testkit::hostile::Lie;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::said;
use serde_json::{Value, json};

use super::scene::{Scene, Stage, text};

/// What Alice is shown of the receipt of what she sent last.
fn shown(scene: &Scene, lie: Lie) -> String {
    scene.relay.lie(lie);
    let shown = scene.json("alice", "show {id}");
    scene.relay.stop_lying();
    text(&shown["deliveries"][0]["receipt_check"])
}

/// The server says this of the delivery.
fn delivered(change: impl Fn(&mut Value) + Send + 'static) -> Lie {
    said(move |it| change(&mut it["deliveries"][0]))
}

fn receipt(scene: &Scene) -> Value {
    scene.json("alice", "show {id}")["deliveries"][0]["receipt"].clone()
}

#[test]
fn a_receipt_is_of_one_transfer_by_one_recipient() {
    let stage = Stage::new();
    let mut scene = stage.scene();
    scene.meet();
    let of_other = receipt(&scene);
    scene.meet();
    let of_this = receipt(&scene);
    let honest: Lie = Box::new(|_, it| it);
    assert_eq!(shown(&scene, honest), "verified");

    let damaged = Forger::damaged(of_this.as_str().unwrap());
    let wrong = [of_other, json!(damaged)];
    for receipt in wrong {
        let lie = delivered(move |it| it["receipt"] = receipt.clone());
        assert_eq!(shown(&scene, lie), "not genuine");
    }
    // What was placed was not refused.
    let refused = delivered(|it| it["status"] = json!("rejected"));
    assert_eq!(shown(&scene, refused), "not genuine");
    let withheld = delivered(|it| it["receipt"] = json!(null));
    assert_eq!(shown(&scene, withheld), "none");
}

/// People are told, and what to do about it.
#[test]
fn a_receipt_that_is_not_genuine_is_warned_of() {
    let stage = Stage::new();
    let mut scene = stage.scene();
    scene.meet();
    let other = receipt(&scene);
    scene.meet();
    scene
        .relay
        .lie(delivered(move |it| it["receipt"] = other.clone()));
    let shown = scene.run("alice", "show {id}").expect(0);
    assert!(shown.stdout.contains("receipt: not genuine"), "{shown:?}");
    assert!(
        shown.stderr.contains("warning: the recipient did not sign"),
        "{shown:?}"
    );
}
