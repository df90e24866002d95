//! Agents that keep to the formats of the published clients: less can be known there, and what can be is.

use agentdrop_testkit::hostile::Lie;
use agentdrop_testkit::hostile::lies::{bytes, granted, said, whenever};
use serde_json::{Value, json};

use super::{Row, Scene, Stage, tell};
use crate::support::names;

const INCOMPLETE: &str = "E2EE_INCOMPLETE";
const REFUSED: &str = "OPEN_REFUSED";
const CHANGED: &str = "TRANSFER_CHANGED";
const PEER_DIFFERS: &str = "PEER_KEY_DIFFERS";

/// A key that somebody has.
const OTHER_KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const SOMEBODY: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";

pub(super) const ROWS: &[Row] = &[
    Row::receives("another byte of a sealed file", REFUSED, |_| {
        bytes(0, |it| it[0] ^= 1)
    }),
    Row::receives("another tag of a sealed file", REFUSED, |_| {
        bytes(1, |it| *it.last_mut().unwrap() ^= 1)
    }),
    Row::receives("sealed files that are swapped", REFUSED, |_| {
        granted(|it| {
            let urls = [0, 1].map(|n| it["files"][n]["download_url"].clone());
            it["files"][0]["download_url"] = urls[1].clone();
            it["files"][1]["download_url"] = urls[0].clone();
        })
    }),
    Row::receives("another salt of the key", REFUSED, |_| {
        granted(|it| it["encryption_salt"] = json!(OTHER_KEY))
    }),
    Row::receives("no salt of the key", INCOMPLETE, |_| {
        granted(|it| it["encryption_salt"] = json!(null))
    }),
    Row::receives("another nonce", REFUSED, |_| {
        granted(|it| it["files"][0]["encryption_iv"] = json!("AAAAAAAAAAAAAAAA"))
    }),
    Row::receives("no nonce", INCOMPLETE, |_| {
        granted(|it| it["files"][1]["encryption_iv"] = json!(null))
    }),
    Row::receives("no channel", INCOMPLETE, |_| {
        granted(|it| it["channel_id"] = json!(null))
    }),
    Row::receives("no algorithm", INCOMPLETE, |_| {
        said(|it| it["encryption_algorithm"] = json!(null))
    }),
    Row::receives("an algorithm of nobody", "UNKNOWN_ALGORITHM", |_| {
        said(|it| it["encryption_algorithm"] = json!("AES-256-GCM"))
    }),
    Row::receives(
        "sealed for another key, as it is said",
        "SEALED_FOR_ANOTHER_KEY",
        |_| granted(|it| it["recipient_public_key"] = json!(OTHER_KEY)),
    ),
    Row::receives("two keys of one sender", PEER_DIFFERS, |_| {
        granted(|it| it["sender_public_key"] = json!(OTHER_KEY))
    }),
    Row::receives("a channel between others", "WRONG_CHANNEL", |_| {
        channels(|it| {
            it["agent_a_id"] = json!(SOMEBODY);
            it["agent_b_id"] = json!(SOMEBODY);
        })
    }),
    Row::receives("plaintext for what was sealed", "DOWNGRADE", |_| {
        granted(|it| it["is_encrypted"] = json!(false))
    }),
    Row::receives("plaintext, named and accepted", "DOWNGRADE", |_| {
        said(|it| it["is_encrypted"] = json!(false))
    })
    .runs("bob", "receive {id} --to {in} --accept-plaintext"),
    Row::receives("another name than was announced", CHANGED, |_| {
        granted(|it| {
            for field in ["name", "file_name"] {
                it["files"][0][field] = json!(".bashrc");
            }
        })
    }),
    Row::sends("no key to seal for", "E2EE_UNAVAILABLE", |_| {
        resolved(|it| it["public_key"] = json!(null))
    }),
    Row::sends("a key to seal for that is none", "BAD_ANSWER", |_| {
        resolved(|it| it["public_key"] = json!("AAAA"))
    })
    .broken(),
    Row::sends("one key by name and one by channel", PEER_DIFFERS, |_| {
        channels(|it| it["their_public_key"] = json!(OTHER_KEY))
    }),
    Row::sends("a channel with somebody else", PEER_DIFFERS, |_| {
        channels(|it| it["their_agent_id"] = json!(SOMEBODY))
    }),
    Row::sends("another key for oneself", "OWN_KEY_DIFFERS", |_| {
        channels(|it| it["my_public_key"] = json!(OTHER_KEY))
    }),
    Row::sends("a channel that is over", "CHANNEL_CLOSED", |_| {
        channels(|it| it["status"] = json!("revoked"))
    }),
    Row::sends(
        "another key, in both places, for whom Alice knows",
        "PEER_KEY_CHANGED",
        |_| {
            whenever(
                |it| it.path == "/v1/agents/resolve" || it.path.starts_with("/v1/channels"),
                |it| {
                    for field in ["public_key", "their_public_key"] {
                        if it.get(field).is_some() {
                            it[field] = json!(OTHER_KEY);
                        }
                    }
                },
            )
        },
    )
    .given(Scene::meet)
    .then(|scene| drop(scene.json("alice", "trust keep {bob}"))),
];

fn channels(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(|asked| asked.path.starts_with("/v1/channels"), change)
}

fn resolved(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(|asked| asked.path == "/v1/agents/resolve", change)
}

#[test]
fn the_published_formats_are_not_bent() {
    tell(ROWS, Stage::compatible);
}

/// Names are the server's word there: they are data, and lead nowhere.
#[test]
fn a_name_that_leads_elsewhere_leads_nowhere() {
    let stage = Stage::new();
    let mut scene = stage.compatible();
    scene.send();
    scene.relay.lie(said(|it| {
        for field in ["name", "file_name"] {
            it["files"][0][field] = json!("../../.bashrc");
        }
    }));
    scene.json("bob", "receive {id} --to deep/er/{in}");
    assert_eq!(names(&scene.path("deep")), ["er"]);
    assert_eq!(names(&scene.path("deep/er")), ["in0"]);
    assert_eq!(names(&scene.path("deep/er/in0")), [".bashrc", "note.txt"]);
}
