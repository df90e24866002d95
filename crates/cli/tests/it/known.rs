//! By which keys agents know each other: the first time, compared, changed, and taken elsewhere.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{Pair, Run};

const AGE_KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const AGE_RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

impl Pair {
    fn register(&self, line: &str) -> Value {
        let line = format!("--json register {line} --server {}", self.serve.url);
        let mut command = self.sandbox.command(line.split_whitespace());
        let run = Run::of(command.env("AGENTDROP_API_KEY", &self.account_key));
        run.expect(0).json()
    }

    #[track_caller]
    fn refused(&self, agent: &str, line: &str, code: &str) -> Value {
        let run = self.run(agent, &format!("--json {line}")).expect(1);
        let error = run.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        error
    }

    /// What `alice` knows of the other agent by this name.
    fn known(&self, name: &str) -> Value {
        let known = self.json("alice", "trust");
        let agents = known["agents"].as_array().unwrap().iter();
        let mut found = agents.filter(|it| it["agent_id"] == name);
        found.next().cloned().unwrap_or_default()
    }

    /// Lets `alice` know one agent by the key of the other, as if a server had given it.
    fn swap_keys(&self, one: &str, other: &str) {
        let path = self.path("alice/known_agents.json");
        let mut known: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let native = |id: &str| known["agents"][id]["native"].clone();
        let (first, second) = (native(one), native(other));
        known["agents"][one]["native"] = second;
        known["agents"][other]["native"] = first;
        let mut file = fs::OpenOptions::new();
        let mut file = file.write(true).truncate(true).open(path).unwrap();
        file.write_all(known.to_string().as_bytes()).unwrap();
    }
}

#[test]
fn the_first_time_is_told_and_what_was_compared_is_remembered() {
    let pair = Pair::new();
    pair.file("a", b"a");
    let said = pair.run("alice", "send bob a").expect(0);
    assert!(
        said.stdout
            .contains("verified, by a key that was not compared"),
        "{said:?}"
    );
    assert!(
        said.stderr.contains("`agentdrop trust compare "),
        "{said:?}"
    );
    let sent = pair.json("alice", "send bob a");
    assert_eq!(sent["security"], "verified");
    assert_eq!(sent["peer"]["met"], "known");
    assert_eq!(sent["peer"]["how"], "first-use");
    let of_bob = pair.json("bob", "whoami")["key_fingerprint"].clone();
    assert_eq!(sent["peer"]["key"], of_bob);

    let refused = pair.refused("alice", "trust compare bob", "NOT_CONFIRMED");
    assert!(text(&refused["hint"]).contains("--yes"));
    assert_eq!(pair.known("bob")["how"], "first-use");
    let mine = pair.json("alice", "trust compare bob --yes");
    // Bob does not know alice yet, and asks the server.
    let theirs = pair.json("bob", "trust compare alice --yes");
    for field in ["digits", "words"] {
        assert_eq!(mine[field], theirs[field]);
    }
    assert_eq!(text(&mine["words"]).split(' ').count(), 18);
    let known = pair.known("bob");
    assert_eq!(
        (&known["how"], &known["state"]),
        (&"compared".into(), &"ok".into())
    );

    let received = pair.json("bob", "receive --all --to in");
    for it in received["received"].as_array().unwrap() {
        assert_eq!(
            (&it["security"], &it["peer"]["how"]),
            (&"verified".into(), &"compared".into())
        );
    }
    let id = text(&sent["id"]);
    let shown = pair.run("alice", &format!("show {id}")).expect(0).stdout;
    assert!(shown.contains("; receipt: verified"), "{shown}");
    assert!(shown.contains("native, AGENTDROP-2"), "{shown}");
    assert_eq!(
        pair.json("alice", "list")["transfers"][0]["security"],
        "native"
    );
    pair.refused("alice", "trust compare alice --yes", "OWN_AGENT");
    pair.refused("alice", "trust accept nobody", "UNKNOWN_AGENT");
}

#[test]
fn a_changed_key_blocks_until_it_is_decided_about() {
    let pair = Pair::new();
    let carol = pair.register("carol --config-dir carol");
    pair.file("a", b"a");
    for to in ["bob", "carol"] {
        pair.run("alice", &format!("send {to} a")).expect(0);
    }
    let bob = text(&pair.known("bob")["agent_uuid"]).to_owned();
    pair.swap_keys(&bob, text(&carol["agent_uuid"]));

    let error = pair.refused("alice", "send bob a", "PEER_KEY_CHANGED");
    assert!(
        text(&error["hint"]).ends_with(&format!("agentdrop trust accept {bob}")),
        "{error}"
    );
    // What bob sends is not taken either.
    pair.run("bob", "send alice a").expect(0);
    pair.refused("alice", "receive --to in", "PEER_KEY_CHANGED");
    assert!(!pair.path("in/a").exists());
    let blocked = pair.known("bob");
    assert_eq!(blocked["state"], "blocked");
    assert_eq!(blocked["refused"]["why"], "changed");
    let doctor = pair.run("alice", "doctor").expect(2).stdout;
    assert!(doctor.contains("blocked until you decide: bob"), "{doctor}");
    pair.refused("alice", "trust compare bob --yes", "PEER_KEY_CHANGED");

    let real = pair.json("bob", "whoami")["key_fingerprint"].clone();
    let wrong = text(&carol["key_fingerprint"]);
    pair.refused(
        "alice",
        &format!("trust accept bob --fingerprint {wrong}"),
        "FINGERPRINT_DIFFERS",
    );
    pair.refused("alice", "trust accept bob", "NOT_CONFIRMED");
    assert_eq!(pair.known("bob")["state"], "blocked");
    // To go on with the known key changes nothing: the other one comes again.
    pair.run("alice", "trust keep bob").expect(0);
    pair.refused("alice", "send bob a", "PEER_KEY_CHANGED");

    let line = format!("trust accept bob --fingerprint {}", text(&real));
    assert_eq!(pair.json("alice", &line)["key_fingerprint"], real);
    pair.refused("alice", &line, "NOTHING_TO_DECIDE");
    pair.run("alice", "send bob a").expect(0);
    pair.run("alice", "receive --to in").expect(0);
    assert_eq!(fs::read(pair.path("in/a")).unwrap(), b"a");

    // The other of the two is forgotten instead.
    pair.refused("alice", "send carol a", "PEER_KEY_CHANGED");
    pair.refused("alice", "trust reset carol", "NOT_CONFIRMED");
    pair.run("alice", "trust reset carol --yes").expect(0);
    assert_eq!(pair.known("carol"), json!(null));
    assert_eq!(
        pair.json("alice", "send carol a")["peer"]["met"],
        "first-use"
    );
}

#[test]
fn what_is_known_goes_to_another_machine_and_contradicts_nothing() {
    let pair = Pair::new();
    let carol = pair.register("carol --config-dir carol");
    pair.file("a", b"a");
    for to in ["bob", "carol"] {
        pair.run("alice", &format!("send {to} a")).expect(0);
    }
    pair.run("alice", "trust compare bob --yes").expect(0);
    pair.run("alice", "trust export known").expect(0);
    let again = pair
        .run("alice", "--json trust export known")
        .expect(2)
        .json();
    assert_eq!(again["error"]["code"], "IO");
    let printed = pair.run("alice", "trust export").expect(0).stdout;
    assert_eq!(printed, fs::read_to_string(pair.path("known")).unwrap());

    let mut id = pair.known("bob")["agent_uuid"].clone();
    let bob = text(&id).to_owned();
    pair.run("alice", "trust reset bob --yes").expect(0);
    assert_eq!(pair.json("alice", "trust import known")["changed"], 1);
    assert_eq!(pair.known("bob")["how"], "compared");
    id = carol["agent_uuid"].clone();
    pair.swap_keys(&bob, text(&id));
    pair.refused("alice", "trust import known", "TRUST_IMPORT_CONTRADICTS");
    assert_eq!(
        pair.json("alice", "trust import known --force")["changed"],
        2
    );
    pair.run("alice", "send bob a").expect(0);
    pair.file("none", b"{}");
    pair.refused("alice", "trust import none", "TRUST_IMPORT_MALFORMED");
}

#[test]
fn an_agent_that_keeps_to_the_published_formats_is_said_to() {
    let pair = Pair::new();
    let dave = pair.register("dave --compatible --config-dir dave");
    assert_eq!(dave["key_fingerprint"], json!(null));
    assert!(!pair.path("dave/keys.json").exists());
    pair.file("a", b"a");
    let sent = pair.run("alice", "send dave a").expect(0);
    assert!(
        sent.stdout
            .contains("compatible: whose key it is, is the server's word"),
        "{sent:?}"
    );
    assert!(sent.stderr.contains("signs nothing"), "{sent:?}");
    let received = pair.json("dave", "receive --to in");
    assert_eq!(received["received"][0]["security"], "compatible");
    assert_eq!(pair.known("dave")["key_fingerprint"], json!(null));
    pair.refused("alice", "trust compare dave --yes", "NO_KEYS_TO_COMPARE");

    // Later it is verified all the same.
    let published = pair.json("dave", "keys publish");
    assert_eq!(pair.json("dave", "keys publish"), published);
    let sent = pair.json("alice", "send dave a");
    assert_eq!(sent["security"], "verified");
    assert_eq!(sent["peer"]["key"], published["key_fingerprint"]);
}

#[test]
fn another_identity_key_is_believed_because_the_old_one_says_so() {
    let pair = Pair::new();
    pair.file("a", b"a");
    pair.run("alice", "send bob a").expect(0);
    pair.refused("bob", "keys rotate", "NOT_CONFIRMED");
    let before = pair.known("bob")["key_fingerprint"].clone();
    pair.run("alice", "trust compare bob --yes").expect(0);
    assert_eq!(pair.known("bob")["how"], "compared");
    let rotated = pair.json("bob", "keys rotate --yes");
    assert_ne!(rotated["key_fingerprint"], before);
    let sent = pair.json("alice", "send bob a");
    assert_eq!(sent["peer"]["met"], "rotated");
    assert_eq!(sent["peer"]["key_before"], before);
    assert_eq!(sent["peer"]["key"], rotated["key_fingerprint"]);
    // Nobody compared that one: it is said each time, and wherever he is listed, until somebody does.
    assert_eq!(sent["peer"]["how"], "rotated");
    let again = pair.json("alice", "send bob a");
    assert_eq!(
        (&again["peer"]["met"], &again["peer"]["how"]),
        (&json!("known"), &json!("rotated"))
    );
    let text = pair.run("alice", "send bob a").expect(0).stdout;
    assert!(text.contains("that was not compared"), "{text}");
    assert_eq!(pair.known("bob")["how"], "rotated");
    let listed = pair.run("alice", "trust").expect(0);
    assert!(
        listed.stdout.contains("rotation, not compared"),
        "{listed:?}"
    );
    assert!(
        listed.stderr.contains("agentdrop trust compare"),
        "{listed:?}"
    );
    let seen = pair.run("alice", "doctor").expect(0).stdout;
    assert!(seen.contains("not compared: bob"), "{seen}");
    pair.run("alice", "trust compare bob --yes").expect(0);
    assert_eq!(pair.known("bob")["how"], "compared");
    // What came before opens, too.
    let received = pair.json("bob", "receive --all --to in");
    assert_eq!(received["received"].as_array().unwrap().len(), 4);
}

#[test]
fn an_identity_moves_and_receives_what_waited() {
    let pair = Pair::new();
    pair.file("a", b"a");
    pair.file("key", format!("# created: now\n{AGE_KEY}\n").as_bytes());
    pair.run("bob", "send alice a").expect(0);
    pair.run("alice", "send bob a").expect(0);
    let line = format!("keys export --age {AGE_RECIPIENT} --to moved");
    let said = pair.run("bob", &line).expect(0);
    assert!(
        said.stderr
            .contains("two machines must not use one identity"),
        "{said:?}"
    );
    let mode = fs::metadata(pair.path("moved"))
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600);
    let exported = fs::read(pair.path("moved")).unwrap();
    let secret: Value =
        serde_json::from_slice(&fs::read(pair.path("bob/config.json")).unwrap()).unwrap();
    let secret = text(&secret["private_key"]).as_bytes();
    assert!(!exported.windows(secret.len()).any(|it| it == secret));
    let again = pair.run("bob", &format!("--json {line}")).expect(2).json();
    assert_eq!(again["error"]["code"], "IO");

    pair.refused(
        "alice",
        "keys import moved --identity key",
        "FOLDER_NOT_EMPTY",
    );
    let none = pair
        .run("elsewhere", "--json keys import moved --identity a")
        .expect(1);
    assert_eq!(none.json()["error"]["code"], "AGE_KEY");
    assert!(!pair.path("elsewhere").exists());
    assert_eq!(
        pair.json("elsewhere", "keys import moved --identity key")["agent_id"],
        "bob"
    );
    fs::remove_dir_all(pair.path("bob")).unwrap();
    let received = pair.json("elsewhere", "receive --to in");
    assert_eq!(received["received"][0]["security"], "verified");
    assert_eq!(received["received"][0]["peer"]["met"], "known");
    pair.run("elsewhere", "send alice a").expect(0);
    pair.run("alice", "receive --all --to out").expect(0);
    pair.run("elsewhere", "doctor").expect(0);
}
