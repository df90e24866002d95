//! What the server makes of an agent's own keys.

use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::{asks_for_bundle, bundled};
use agentdrop_testkit::hostile::{Answered, Asked, Lie};
use serde_json::json;

use super::{Row, Scene, Stage, tell};

pub(super) const ROWS: &[Row] = &[
    Row::receives("other keys than were brought", "BAD_ANSWER", |scene| {
        let drawn = Forger::draw(scene.bob).bundle(2);
        bundled(move |it| it["bundle"] = json!(drawn))
    })
    .runs("bob", "keys rotate --yes")
    .broken()
    .alone(),
    Row::receives(
        "keys that somebody else signed",
        "OWN_IDENTITY_REPLACED",
        |scene| conflicting(Forger::draw(scene.bob).bundle(7)),
    )
    .given(due)
    .runs("bob", "keys publish")
    .alone(),
    Row::receives("keys of before", "OWN_BUNDLE_ROLLED_BACK", |scene| {
        conflicting(scene.remembered())
    })
    .given(|scene| {
        scene.remember(scene.bundle_of(scene.bob));
        scene.json("bob", "keys rotate --yes");
        due(scene);
    })
    .runs("bob", "keys publish")
    .alone(),
    Row::receives("keys that are no keys", "BAD_ANSWER", |_| {
        bundled(|it| it["bundle"] = json!("AAAA"))
    })
    .given(due)
    .runs("bob", "keys publish")
    .broken()
    .alone(),
];

/// Alice has sent, and Bob has keys to bring that are due.
fn due(scene: &mut Scene) {
    scene.send();
    scene.age_keys("bob");
}

/// The server has other keys already, as it says.
fn conflicting(bundle: String) -> Lie {
    Box::new(move |asked: &Asked, answered| {
        if !asks_for_bundle(asked) {
            return answered;
        }
        if asked.method == "PUT" {
            return Answered::refused(409, "BUNDLE_CONFLICT");
        }
        answered.change(|it| it["bundle"] = json!(bundle))
    })
}

#[test]
fn what_the_server_makes_of_ones_own_keys_is_found_out() {
    tell(ROWS, Stage::scene);
}
