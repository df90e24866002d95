//! One-time prekeys through a backup: none is given to two senders.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;

use agentdrop_testkit::http::Http;
use serde_json::json;

use crate::support::{Pair, Serve};

/// Takes so many prekeys of bob as are left, and at most `most`.
async fn claim(pair: &Pair, url: &str, most: usize) -> Vec<String> {
    let http = Http::new(url.to_owned());
    let mut taken = Vec::new();
    while taken.len() < most {
        let path = "/v1/agents/bob/prekeys/claim";
        let claimed = http.post(path, &pair.account_key, &json!({})).await;
        let claimed = claimed.expect(200);
        assert!(claimed["bundle"].is_string(), "{claimed}");
        let Some(prekey) = claimed["prekey"].as_str() else {
            break;
        };
        taken.push(prekey.to_owned());
    }
    taken
}

/// Lets bob not know which of his prekeys the server has, as a kill at the wrong moment does.
fn forget_what_is_published(pair: &Pair) {
    let path = pair.path("bob/prekeys.json");
    let kept = fs::read_to_string(&path).unwrap();
    let forgotten = kept.replace(r#""published":true"#, r#""published":false"#);
    assert_ne!(kept, forgotten);
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).truncate(true).open(path).unwrap();
    file.write_all(forgotten.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_out_after_a_backup_is_not_given_out_again() {
    let mut pair = Pair::new();
    let url = pair.serve.url.clone();
    let before = claim(&pair, &url, 2).await;
    pair.sandbox
        .run("admin backup kept --data-dir data")
        .expect(0);
    let after = claim(&pair, &url, 20).await;
    assert_eq!((before.len(), after.len()), (2, 20));

    pair.serve.kill();
    fs::remove_dir_all(pair.path("data")).unwrap();
    pair.sandbox
        .run("admin restore kept --data-dir back")
        .expect(0);
    let listen = ["--listen", url.trim_start_matches("http://")];
    pair.serve = Serve::start_on(&pair.sandbox, ("back", "back.log"), &listen, &[]);
    assert_eq!(claim(&pair, &url, 1).await, [""; 0], "until bob has more");

    forget_what_is_published(&pair);
    pair.run("bob", "keys publish").expect(0);
    let again = claim(&pair, &url, 40).await;
    assert!(again.len() > 20, "{}", again.len());
    let all: HashSet<&String> = before.iter().chain(&after).chain(&again).collect();
    assert_eq!(all.len(), before.len() + after.len() + again.len());
    // And what is sealed for one of them is received.
    pair.file("a", b"a");
    pair.run("alice", "send bob a").expect(0);
    pair.run("bob", "receive --to in").expect(0);
}
