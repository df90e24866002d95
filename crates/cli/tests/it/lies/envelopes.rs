//! The envelope itself: each of its fields, all of it, and another's.

use agentdrop_testkit::hostile::Lie;
use agentdrop_testkit::hostile::lies::{bytes, granted};
use serde_json::json;

use super::{Row, Scene, Stage, tell};

const REFUSED: &str = "OPEN_REFUSED";
const NOT_MINE: &str = "SEALED_FOR_ANOTHER_KEY";

pub(super) const ROWS: &[Row] = &[
    Row::receives("no envelope by its magic", REFUSED, |_| other(0)),
    Row::receives("an envelope of another version", REFUSED, |_| other(4)),
    Row::receives("an envelope in another suite", REFUSED, |_| other(5)),
    Row::receives("an unknown flag", REFUSED, |_| other(6)),
    Row::receives("no prekey where there was one", REFUSED, |_| other(7)),
    Row::receives("the id of another transfer in it", REFUSED, |_| other(8)),
    Row::receives("another number of recipients", NOT_MINE, |_| other(25)),
    Row::receives("another recipient", NOT_MINE, |_| other(26)),
    Row::receives("a key that nobody has", "KEY_GONE", |_| other(42)),
    Row::receives("another encapsulated key", REFUSED, |_| other(58)),
    Row::receives("the same in its X25519 half", REFUSED, |_| other(1177)),
    Row::receives("another wrapped file key", REFUSED, |_| other(1178)),
    Row::receives("another length of the manifest", REFUSED, |_| other(1229)),
    Row::receives("another manifest", REFUSED, |_| other(1300)),
    Row::receives("another signature", REFUSED, |_| {
        bytes(0, |it| *it.last_mut().unwrap() ^= 1)
    }),
    Row::receives("zeros in its place", REFUSED, |_| bytes(0, |it| it.fill(0))),
    Row::receives("a byte behind it", "BAD_ANSWER", |_| {
        bytes(0, |it| it.push(0))
    })
    .broken(),
    Row::receives("the envelope of another transfer", REFUSED, |scene| {
        let url = scene.others()[0].clone();
        granted(move |it| it["files"][0]["download_url"] = json!(url))
    })
    .given(Scene::send_two),
];

/// A byte of it is another.
fn other(at: usize) -> Lie {
    bytes(0, move |it| it[at] ^= 1)
}

#[test]
fn no_other_envelope_is_taken_for_it() {
    tell(ROWS, Stage::scene);
}
