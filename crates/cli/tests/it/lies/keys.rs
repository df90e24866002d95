//! The keys that Alice is given to seal for: nothing is sent for another's, nor in a weaker form.

use agentdrop_testkit::hostile::Lie;
use agentdrop_testkit::hostile::forger::Forger;
use agentdrop_testkit::hostile::lies::{
    asks_for_keys, asks_for_prekey, bundled, claimed, refusing, told, whenever,
};
use serde_json::{Value, json};

use super::{Row, SEND, Scene, Stage, tell};

const NOT_GENUINE: &str = "BUNDLE_NOT_GENUINE";
const KEY_CHANGED: &str = "PEER_KEY_CHANGED";
const DOWNGRADED: &str = "PEER_DOWNGRADED";

pub(super) const ROWS: &[Row] = &[
    Row::sends("another agent's keys for Bob's", NOT_GENUINE, |scene| {
        let of_carol = json!(scene.bundle_of(scene.register("carol")));
        told(move |it| it["bundle"] = of_carol.clone())
    }),
    Row::sends("keys of Bob that he did not sign", NOT_GENUINE, |scene| {
        let unsigned = Forger::damaged(&scene.bundle_of(scene.bob));
        told(move |it| it["bundle"] = json!(unsigned))
    }),
    Row::sends(
        "keys of Bob whose time is over",
        "BUNDLE_EXPIRED",
        |scene| {
            let over = Forger::draw(scene.bob).expired();
            told(move |it| it["bundle"] = json!(over))
        },
    ),
    Row::sends(
        "keys that are said to be another's",
        "BAD_ANSWER",
        |scene| {
            let alice = json!(scene.alice);
            told(move |it| it["id"] = alice.clone())
        },
    )
    .broken(),
    Row::sends("a prekey that the server drew", NOT_GENUINE, |scene| {
        let forged = Forger::draw(scene.bob).prekey();
        claimed(move |it| it["prekey"] = json!(forged))
    })
    .given(Scene::meet),
    Row::sends("a prekey that is none", NOT_GENUINE, |_| {
        claimed(|it| it["prekey"] = json!("AAAA"))
    })
    .given(Scene::meet),
    Row::sends("another agent's prekey", NOT_GENUINE, |scene| {
        let of_carol = scene.prekey_of(scene.register("carol"));
        claimed(move |it| it["prekey"] = of_carol.clone())
    })
    .given(Scene::meet),
    Row::sends("other keys with the prekey", KEY_CHANGED, |scene| {
        let drawn = Forger::draw(scene.bob).bundle(2);
        claimed(move |it| it["bundle"] = json!(drawn))
    })
    .given(Scene::meet)
    .then(keep_bob),
    Row::sends("other keys for whom Alice knows", KEY_CHANGED, |scene| {
        let drawn = Forger::draw(scene.bob).bundle(1);
        told(move |it| it["bundle"] = json!(drawn))
    })
    .given(Scene::meet)
    .then(keep_bob),
    Row::sends("a rotation that another key signed", KEY_CHANGED, |scene| {
        let (bundle, rotation) = Forger::draw(scene.bob).rotated();
        told(move |it| {
            it["bundle"] = json!(bundle);
            it["rotations"] = json!([rotation]);
        })
    })
    .given(Scene::meet)
    .then(keep_bob),
    Row::sends("the keys of before a rotation", KEY_CHANGED, |scene| {
        let first = scene.remembered();
        told(move |it| {
            it["bundle"] = json!(first);
            it["rotations"] = json!([]);
        })
    })
    .given(|scene| {
        scene.meet();
        scene.remember(scene.bundle_of(scene.bob));
        scene.json("bob", "keys rotate --yes");
        scene.send();
    })
    .then(keep_bob),
    Row::sends("the keys of whom Alice knows withheld", DOWNGRADED, |_| {
        refusing(asks_for_keys, 404, "NO_BUNDLE")
    })
    .given(Scene::meet),
    Row::sends("a server that never heard of keys", DOWNGRADED, |_| {
        refusing(asks_for_keys, 404, "NOT_FOUND")
    })
    .given(Scene::meet),
    Row::sends("the keys withheld at the last moment", DOWNGRADED, |_| {
        refusing(asks_for_prekey, 404, "NO_BUNDLE")
    })
    .given(Scene::meet),
    Row::sends(
        "older keys than those that are known",
        "PEER_KEY_ROLLED_BACK",
        |scene| {
            let older = scene.remembered();
            told(move |it| {
                it["bundle"] = json!(older);
                it["prekey"] = json!(null);
            })
        },
    )
    .given(|scene| {
        let forger = Forger::draw(scene.bob);
        scene.remember(forger.suite(4, 1));
        believes(scene, forger.suite(5, 1));
    })
    .then(reset_bob),
    Row::sends("keys for weaker sealing", DOWNGRADED, |scene| {
        let weaker = scene.remembered();
        told(move |it| {
            it["bundle"] = json!(weaker);
            it["prekey"] = json!(null);
        })
    })
    .given(|scene| {
        let forger = Forger::draw(scene.bob);
        scene.remember(forger.suite(7, 0));
        believes(scene, forger.suite(5, 1));
    })
    .then(reset_bob),
    Row::sends(
        "two rows of keys of one identity",
        "PEER_KEY_FORKED",
        |scene| {
            let other = scene.remembered();
            told(move |it| {
                it["bundle"] = json!(other);
                it["prekey"] = json!(null);
            })
        },
    )
    .given(|scene| {
        let forger = Forger::draw(scene.bob);
        scene.remember(forger.bundle(3));
        believes(scene, forger.bundle(3));
    })
    .then(reset_bob),
    Row::sends(
        "a name that leads to another agent",
        "PEER_NAME_MOVED",
        |scene| {
            let carol = json!(scene.register("carol"));
            resolved(move |it| {
                it["id"] = carol.clone();
                it["agent_uuid"] = carol.clone();
            })
        },
    )
    .given(Scene::meet),
    Row::sends("another agent than was asked for", "BAD_ANSWER", |_| {
        resolved(|it| it["agent_id"] = json!("mallory"))
    })
    .broken(),
    Row::sends("other keys for Alice herself", "OWN_KEY_DIFFERS", |scene| {
        let drawn = Forger::draw(scene.alice).bundle(1);
        told(move |it| it["bundle"] = json!(drawn))
    })
    .runs("alice", "send alice pay.txt note.txt --keep")
    .then(|_| {}),
    Row::sends("other keys to compare", KEY_CHANGED, |scene| {
        let drawn = Forger::draw(scene.bob).bundle(1);
        bundled(move |it| it["bundle"] = json!(drawn))
    })
    .given(|scene| {
        scene.meet();
        scene.send();
    })
    .runs("alice", "trust compare {bob} --yes")
    .then(keep_bob),
    Row::sends("keys to compare that nobody signed", NOT_GENUINE, |scene| {
        let unsigned = Forger::damaged(&scene.bundle_of(scene.bob));
        bundled(move |it| it["bundle"] = json!(unsigned))
    })
    .given(Scene::send)
    .runs("alice", "trust compare {bob} --yes"),
    Row::sends("nothing to compare any more", DOWNGRADED, |_| {
        refusing(asks_for_keys, 404, "NO_BUNDLE")
    })
    .given(|scene| {
        scene.meet();
        scene.send();
    })
    .runs("alice", "trust compare {bob} --yes"),
];

fn resolved(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(|asked| asked.path == "/v1/agents/resolve", change)
}

/// Alice believes a key that somebody else has, and what is sealed for it is sent.
fn believes(scene: &mut Scene, bundle: String) {
    let lie = told(move |it| {
        it["bundle"] = json!(bundle);
        it["prekey"] = json!(null);
    });
    scene.while_lied_to(lie, |scene| drop(scene.json("alice", SEND)));
}

fn keep_bob(scene: &mut Scene) {
    scene.json("alice", "trust keep {bob}");
}

fn reset_bob(scene: &mut Scene) {
    scene.json("alice", "trust reset {bob} --yes");
}

#[test]
fn nothing_is_sealed_for_a_key_that_is_not_the_recipients() {
    tell(ROWS, Stage::scene);
}
