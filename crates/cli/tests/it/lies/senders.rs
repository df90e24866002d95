//! Who sent it, and by which key they are known.

use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::{
    asks_for_bundle, bundled, claimed, path_of, refusing, said,
};
use agentdrop_testkit::hostile::{Asked, Lie};
use serde_json::{Value, json};

use super::{FORGED, Row, Scene, Stage, tell};

const UNVERIFIED: &str = "SENDER_UNVERIFIED";
const NOT_GENUINE: &str = "BUNDLE_NOT_GENUINE";
const KEY_CHANGED: &str = "PEER_KEY_CHANGED";

pub(super) const ROWS: &[Row] = &[
    Row::receives("another as the sender", UNVERIFIED, |scene| {
        let carol = json!(scene.register("carol"));
        said(move |it| it["sender_agent_id"] = carol.clone())
    })
    .alone()
    .keeps(),
    Row::receives("nobody as the sender", UNVERIFIED, |_| {
        said(|it| it["sender_agent_id"] = json!(null))
    }),
    Row::receives("Bob himself as the sender", UNVERIFIED, |scene| {
        let bob = json!(scene.bob);
        said(move |it| it["sender_agent_id"] = bob.clone())
    })
    .keeps(),
    Row::receives("the sender's keys withheld", UNVERIFIED, |_| {
        refusing(asks_for_bundle, 404, "NO_BUNDLE")
    })
    .alone()
    .keeps(),
    Row::receives("no keys at all", "BAD_ANSWER", |_| {
        bundled(|it| it["bundle"] = json!("AAAA"))
    })
    .broken()
    .alone(),
    Row::receives(
        "another agent's keys for the sender's",
        NOT_GENUINE,
        |scene| {
            let of_carol = json!(scene.bundle_of(scene.register("carol")));
            bundled(move |it| it["bundle"] = of_carol.clone())
        },
    )
    .alone()
    .keeps(),
    Row::receives(
        "keys of the sender that it did not sign",
        NOT_GENUINE,
        |scene| {
            let unsigned = Forger::damaged(&scene.bundle_of(scene.alice));
            bundled(move |it| it["bundle"] = json!(unsigned))
        },
    )
    .alone()
    .keeps(),
    Row::receives("keys whose time is over", "BUNDLE_EXPIRED", |scene| {
        let over = Forger::draw(scene.alice).expired();
        bundled(move |it| it["bundle"] = json!(over))
    })
    .alone()
    .keeps(),
    // Bob meets whom the server drew; her own envelope is not by that one.
    Row::receives("an identity that the server drew", UNVERIFIED, |scene| {
        let drawn = Forger::draw(scene.alice).bundle(1);
        bundled(move |it| it["bundle"] = json!(drawn))
    })
    .then(|scene| drop(scene.json("bob", "trust reset {alice} --yes")))
    .keeps(),
    Row::receives("another identity for whom Bob knows", KEY_CHANGED, forged)
        .given(|scene| {
            scene.meet();
            scene.send();
        })
        .then(|scene| drop(scene.json("bob", "trust keep {alice}")))
        .keeps(),
    Row::receives("what is known to be contradicted", KEY_CHANGED, |_| {
        honest()
    })
    .given(|scene| {
        scene.meet();
        scene.send();
        let lie = forged(scene);
        scene.while_lied_to(lie, |scene| {
            scene.run("bob", "receive {id} --to elsewhere").expect(1);
        });
    })
    .then(|scene| drop(scene.json("bob", "trust keep {alice}"))),
    Row::receives(
        "a weaker format, by whom signs",
        "PEER_DOWNGRADED",
        |scene| {
            let alice = json!(scene.alice);
            said(move |it| it["sender_agent_id"] = alice.clone())
        },
    )
    .given(|scene| {
        scene.meet();
        scene.register("dave --compatible");
        scene.send_as("dave");
    })
    .alone(),
    Row::receives(
        "a weaker format, by Bob himself",
        "OWN_KEY_DIFFERS",
        |scene| {
            let bob = json!(scene.bob);
            said(move |it| it["sender_agent_id"] = bob.clone())
        },
    )
    .given(|scene| {
        scene.register("dave --compatible");
        scene.send_as("dave");
    })
    .alone(),
    Row::receives("a weaker format, by nobody", UNVERIFIED, |_| {
        said(|it| {
            it["sender_agent_id"] = json!(null);
            it["sender"] = json!("alice");
        })
    })
    .given(|scene| {
        scene.meet();
        scene.register("dave --compatible");
        scene.send_as("dave");
    })
    .alone(),
    Row::receives(
        "what was received already, as if it were new",
        "REPLAYED",
        |_| {
            said(|it| {
                it["downloads"] = json!(0);
                it["deliveries"] = json!([]);
            })
        },
    )
    .given(Scene::meet)
    .then(Scene::send),
    Row::receives("a prekey that two were given", "KEY_GONE", |_| honest())
        .given(|scene| {
            let mut first: Option<Value> = None;
            let lie = claimed(move |it| {
                *it = first.get_or_insert_with(|| it.clone()).clone();
            });
            scene.while_lied_to(lie, |scene| {
                scene.meet();
                scene.send();
            });
        })
        .then(Scene::send),
];

/// The server says the truth, and what it did before is found out.
fn honest() -> Lie {
    Box::new(|_, answered| answered)
}

/// Its own envelope, its own file, and its own keys for Alice, in place of two files of hers.
fn forged(scene: &Scene) -> Lie {
    let forger = Forger::draw(scene.alice);
    let theirs = scene.bundle_of(scene.bob);
    let (envelope, file) = forger.sealed(scene.id(), scene.bob, &theirs, FORGED);
    let drawn = json!(forger.bundle(1));
    let (sizes, contents) = ([envelope.len(), file.len()], [envelope, file]);
    let mut paths: Vec<String> = Vec::new();
    Box::new(move |asked: &Asked, answered| {
        if asks_for_bundle(asked) {
            return answered.change(|it| it["bundle"] = drawn.clone());
        }
        if let Some(n) = paths.iter().position(|it| *it == asked.path) {
            return answered.with(contents[n].clone());
        }
        if !asked.path.starts_with("/v1/transfers/tr_") {
            return answered;
        }
        answered.change(|it| {
            let files = it["files"].as_array_mut().unwrap();
            files.truncate(2);
            paths.clear();
            for (file, size) in files.iter_mut().zip(sizes) {
                file["size"] = json!(size);
                paths.extend(file["download_url"].as_str().map(path_of));
            }
        })
    })
}

#[test]
fn nobody_is_taken_for_the_sender() {
    tell(ROWS, Stage::scene);
}
