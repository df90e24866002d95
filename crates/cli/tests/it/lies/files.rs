//! The files behind the envelope, what is said of them, and what comes in their place.

use agentdrop_testkit::hostile::Lie;
use agentdrop_testkit::hostile::lies::{answer_of_file, bytes, granted, said, whenever};
use reqwest::StatusCode;
use reqwest::header::{HeaderValue, LOCATION};
use serde_json::{Value, json};

use super::{Row, Scene, Stage, tell};

const REFUSED: &str = "OPEN_REFUSED";
const CHANGED: &str = "TRANSFER_CHANGED";

pub(super) const ROWS: &[Row] = &[
    Row::receives("another salt", REFUSED, |_| other(1, 0)),
    Row::receives("another commitment to the key", REFUSED, |_| other(1, 24)),
    Row::receives("another first byte of a file", REFUSED, |_| other(1, 56)),
    Row::receives("another tag", REFUSED, |_| {
        bytes(1, |it| *it.last_mut().unwrap() ^= 1)
    }),
    Row::receives("only the last file is another", REFUSED, |_| other(2, 56)),
    Row::receives("zeros for a file", REFUSED, |_| bytes(1, |it| it.fill(0))),
    Row::receives("the bytes of two files swapped", REFUSED, |_| {
        granted(|it| {
            let urls = [1, 2].map(|n| it["files"][n]["download_url"].clone());
            it["files"][1]["download_url"] = urls[1].clone();
            it["files"][2]["download_url"] = urls[0].clone();
        })
    }),
    Row::receives("the places of two files swapped", REFUSED, |_| {
        said(|it| files(it).swap(1, 2))
    }),
    Row::receives("a file before the envelope", REFUSED, |_| {
        said(|it| files(it).swap(0, 1))
    }),
    Row::receives("one file twice", REFUSED, |_| {
        granted(|it| it["files"][2]["download_url"] = it["files"][1]["download_url"].clone())
    }),
    Row::receives("a file of another transfer", REFUSED, |scene| {
        let url = scene.others()[1].clone();
        granted(move |it| it["files"][1]["download_url"] = json!(url))
    })
    .given(Scene::send_two),
    Row::receives("all of another transfer", REFUSED, |scene| {
        let urls = scene.others();
        granted(move |it| {
            for (n, url) in urls.iter().enumerate() {
                it["files"][n]["download_url"] = json!(url);
            }
        })
    })
    .given(Scene::send_two),
    Row::receives("one file less", CHANGED, |_| {
        said(|it| drop(files(it).pop()))
    }),
    Row::receives("one less than was announced", CHANGED, |_| {
        granted(|it| drop(files(it).pop()))
    }),
    Row::receives("the envelope alone", CHANGED, |_| {
        said(|it| files(it).truncate(1))
    }),
    Row::receives("nothing at all", CHANGED, |_| {
        granted(|it| files(it).clear())
    }),
    Row::receives("one file more", CHANGED, |_| {
        said(|it| {
            let mut more = it["files"][2].clone();
            more["file_id"] = json!("019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6");
            files(it).push(more);
        })
    }),
    Row::receives("a file that is said to be shorter", CHANGED, |_| {
        said(|it| it["files"][1]["size"] = json!(79))
    }),
    Row::receives("another size than was announced", CHANGED, |_| {
        granted(|it| it["files"][1]["size"] = json!(79))
    }),
    Row::receives("a byte behind a file", "BAD_ANSWER", |_| {
        bytes(1, |it| it.push(0))
    })
    .broken(),
    Row::receives("a byte less of a file", "BAD_ANSWER", |_| {
        bytes(1, |it| it.truncate(it.len() - 1))
    })
    .broken(),
    Row::receives("plaintext in its place", "DOWNGRADE", |_| {
        granted(|it| it["is_encrypted"] = json!(false))
    }),
    Row::receives("plaintext where it is accepted", "DOWNGRADE", |_| {
        said(|it| it["is_encrypted"] = json!(false))
    })
    .runs("bob", "receive {id} --to {in} --accept-plaintext")
    .alone(),
    Row::receives(
        "plaintext of whom Bob knows, where it is accepted",
        "PEER_DOWNGRADED",
        |_| said(|it| it["is_encrypted"] = json!(false)),
    )
    .given(meet_and_send)
    .runs("bob", "receive {id} --to {in} --accept-plaintext")
    .alone(),
    Row::receives("announced as plaintext", "PLAINTEXT", |_| {
        said(|it| it["is_encrypted"] = json!(false))
    }),
    Row::receives(
        "announced as plaintext, of all that waits",
        "PLAINTEXT",
        |_| {
            whenever(
                |asked| asked.path.ends_with("/inbox"),
                |it| {
                    for it in it["transfers"].as_array_mut().unwrap() {
                        it["is_encrypted"] = json!(false);
                    }
                },
            )
        },
    )
    .runs("bob", "receive --all --to {in}")
    .alone(),
    Row::receives("the formats of published clients", CHANGED, |_| {
        granted(|it| it["encryption_algorithm"] = json!("X25519-HKDF-AES-256-GCM"))
    }),
    Row::receives("the format for a person", CHANGED, |_| {
        granted(|it| it["encryption_algorithm"] = json!("AGENTDROP-2-A2H"))
    }),
    Row::receives("no format", CHANGED, |_| {
        granted(|it| it["encryption_algorithm"] = json!(null))
    }),
    Row::receives("a format that nobody knows", "UNKNOWN_ALGORITHM", |_| {
        said(|it| it["encryption_algorithm"] = json!("AGENTDROP-3"))
    })
    .alone(),
    Row::receives("a file on another machine", "FOREIGN_URL", |_| {
        granted(|it| it["files"][1]["download_url"] = json!("http://192.0.2.1/x"))
    }),
    Row::receives("a file on this machine", "FOREIGN_URL", |_| {
        granted(|it| it["files"][1]["download_url"] = json!("file:///etc/passwd"))
    }),
    Row::receives("a file that is elsewhere by now", "BAD_ANSWER", |_| {
        answer_of_file(1, |mut it| {
            it.status = StatusCode::FOUND;
            let to = HeaderValue::from_static("http://192.0.2.1/x");
            it.headers.insert(LOCATION, to);
            it
        })
    })
    .broken(),
    Row::receives("a page in place of a file", "BAD_ANSWER", |_| {
        answer_of_file(1, |it| it.with("<html>sign in</html>"))
    })
    .broken(),
    Row::receives("for somebody else", "NOT_THE_RECIPIENT", |scene| {
        let alice = json!(scene.alice);
        said(move |it| {
            it["recipient"] = json!("alice");
            it["recipient_agent_id"] = alice.clone();
        })
    }),
    Row::receives("the grant of another transfer", CHANGED, |_| {
        granted(|it| it["id"] = json!("tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"))
    }),
];

fn meet_and_send(scene: &mut Scene) {
    scene.meet();
    scene.send();
}

/// A byte of a file is another.
fn other(n: usize, at: usize) -> Lie {
    bytes(n, move |it| it[at] ^= 0x80)
}

fn files(said: &mut Value) -> &mut Vec<Value> {
    said["files"].as_array_mut().unwrap()
}

#[test]
fn no_other_files_are_taken_for_them() {
    tell(ROWS, Stage::scene);
}
