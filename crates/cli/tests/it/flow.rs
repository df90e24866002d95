//! Whole flows: register, send, inbox, receive.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use agentdrop_testkit::http::Http;

use crate::support::{Pair, Run, names, noise};

#[test]
fn files_go_from_alice_to_bob_as_they_are() {
    let pair = Pair::new();
    let noise = noise(5_000_000);
    let files: [(&str, &[u8]); 3] = [
        ("empty", b""),
        ("five megabytes.bin", &noise),
        ("grüße – 你好.txt", "Grüße!".as_bytes()),
    ];
    let paths = files.map(|(name, content)| pair.file(name, content));
    let mut send = pair
        .sandbox
        .command(["--json", "send", "bob", "--message", "for you"]);
    send.args(&paths).args(["--config-dir", "alice"]);
    let sent = Run::of(&mut send).expect(0).json();
    let id = sent["id"].as_str().unwrap();

    let inbox = pair.json("bob", "inbox");
    assert_eq!(inbox["total"], 1);
    assert_eq!(inbox["transfers"][0]["id"], id);
    assert_eq!(inbox["transfers"][0]["security"], "native");
    let none = serde_json::Value::Null;
    assert_eq!(inbox["transfers"][0]["message"], none, "only bob reads it");
    assert_eq!(pair.json("alice", "list")["transfers"][0]["id"], id);
    assert_eq!(pair.json("alice", "inbox")["total"], 0);

    let received = pair.json("bob", &format!("receive {id} --to in/deep"));
    let received = &received["received"][0];
    assert_eq!(received["sender"], "alice");
    assert_eq!(received["security"], "verified");
    assert_eq!(received["message"], "for you");
    assert_eq!(received["acknowledged"], true);
    for (n, (name, content)) in files.iter().enumerate() {
        assert_eq!(received["files"][n]["name"], *name);
        let path = received["files"][n]["path"].as_str().unwrap();
        assert_eq!(path, format!("in/deep/{name}"));
        assert!(fs::read(pair.path(path)).unwrap() == *content, "{name}");
    }
    assert_eq!(names(&pair.path("in/deep")).len(), 3);
    assert_eq!(pair.json("bob", "inbox")["total"], 0);
    assert_eq!(
        pair.json("bob", "receive")["received"],
        serde_json::json!([])
    );
    let shown = pair.json("alice", &format!("show {id}"));
    assert_eq!(shown["deliveries"][0]["status"], "received");
}

#[test]
fn two_of_one_name_both_come_and_nothing_is_replaced() {
    let pair = Pair::new();
    for (folder, content) in [("one", "first"), ("two", "second")] {
        fs::create_dir(pair.path(folder)).unwrap();
        pair.file(&format!("{folder}/a.txt"), content.as_bytes());
    }
    fs::create_dir(pair.path("in")).unwrap();
    pair.file("in/a.txt", b"mine");
    pair.run("alice", "send bob one/a.txt two/a.txt").expect(0);
    let said = pair.run("bob", "receive --to in").expect(0).stdout;
    assert!(said.contains("in/a (1).txt  (sent as a.txt)"), "{said}");
    let read = |name: &str| fs::read_to_string(pair.path("in").join(name)).unwrap();
    let contents = [read("a.txt"), read("a (1).txt"), read("a (2).txt")];
    assert_eq!(contents, ["mine", "first", "second"]);
}

#[test]
fn all_are_received_once_also_those_that_their_sender_keeps() {
    let pair = Pair::new();
    pair.file("a", b"a");
    pair.file("b", b"b");
    pair.run("alice", "send bob a --keep").expect(0);
    pair.run("alice", "send bob b").expect(0);
    let error = pair.run("bob", "--json receive --to in").expect(1).json();
    assert_eq!(error["error"]["code"], "WHICH_TRANSFER");
    assert!(!pair.path("in").exists());

    let received = pair.run("bob", "-q receive --all --to in").expect(0);
    assert_eq!(received.stdout, "in/a\nin/b\n");
    pair.run("bob", "-q receive --all --to in").expect(0);
    assert_eq!(names(&pair.path("in")), ["a", "b"]);

    let kept = pair.json("bob", "inbox")["transfers"][0]["id"].clone();
    let kept = kept.as_str().unwrap();
    let line = format!("--json receive {kept} --to in");
    let again = pair.run("bob", &line).expect(1).json();
    assert_eq!(again["error"]["code"], "REPLAYED");
    assert_eq!(names(&pair.path("in")), ["a", "b"]);
}

#[test]
fn a_deleted_transfer_is_gone() {
    let pair = Pair::new();
    pair.file("a", b"a");
    let sent = pair
        .run("alice", "-q send bob a --expires-in 90m --max-downloads 3")
        .expect(0);
    let id = sent.stdout.trim();
    assert_eq!(
        pair.json("alice", &format!("show {id}"))["max_downloads"],
        3
    );
    pair.run("alice", &format!("delete {id}")).expect(0);
    let error = pair
        .run("bob", &format!("--json receive {id}"))
        .expect(1)
        .json();
    assert_eq!(error["error"]["code"], "GONE");
    assert_eq!(pair.json("alice", "list --status deleted")["total"], 1);
}

#[test]
fn an_identity_is_for_its_owner_alone() {
    let pair = Pair::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, file) = (pair.path("alice"), pair.path("alice/config.json"));
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    for command in ["inbox", "send bob x", "whoami"] {
        let refused = pair.run("alice", command).expect(1);
        assert_eq!(
            refused.stderr,
            "error: others can read the private key in alice/config.json\nhint: chmod 600 alice/config.json\n"
        );
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let doctor = pair.run("alice", "doctor").expect(2).stdout;
    assert!(doctor.contains("!! file modes"), "{doctor}");
    assert!(doctor.contains("hint: chmod 700 alice"), "{doctor}");
}

#[test]
fn an_identity_is_found_from_below_and_not_overwritten() {
    let pair = Pair::new();
    let url = &pair.serve.url;
    let mut register = pair.sandbox.command(["register", "carol", "--server", url]);
    register.env("AGENTDROP_API_KEY", &pair.account_key);
    Run::of(&mut register).expect(0);
    fs::create_dir_all(pair.path("sub/folder")).unwrap();
    let mut whoami = pair.sandbox.command(["-q", "whoami"]);
    whoami.current_dir(pair.path("sub/folder"));
    assert_eq!(Run::of(&mut whoami).expect(0).stdout, "carol\n");

    let refused = Run::of(register.arg("--json")).expect(1).json();
    assert_eq!(refused["error"]["code"], "IDENTITY_EXISTS");
}

#[test]
fn another_agent_than_the_identity_is_not_sent_as() {
    let pair = Pair::new();
    pair.file("a", b"a");
    let mut send = pair
        .sandbox
        .command(["--json", "--config-dir", "alice", "send", "bob", "a"]);
    let refused = Run::of(send.env("AGENTDROP_AGENT_ID", "bob")).expect(1);
    assert_eq!(refused.json()["error"]["code"], "AGENT_DIFFERS");
    Run::of(send.env("AGENTDROP_AGENT_ID", "alice")).expect(0);

    // The account's key may look into any inbox.
    let mut inbox = pair.sandbox.command(["--json", "inbox"]);
    inbox
        .env("AGENTDROP_AGENT_ID", "bob")
        .env("AGENTDROP_SERVER", &pair.serve.url)
        .env("AGENTDROP_API_KEY", &pair.account_key);
    let inbox = Run::of(&mut inbox).expect(0).json();
    assert_eq!(
        (&inbox["agent_id"], &inbox["total"]),
        (&"bob".into(), &1.into())
    );
}

#[test]
fn a_name_leads_nowhere_else() {
    let pair = Pair::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hostile: [(&str, &[u8]); 4] = [
        ("../../../escape.txt", b"1"),
        ("/etc/passwd", b"2"),
        (r"..\..\con.txt", b"3"),
        ("a:b?*.txt", b"4"),
    ];
    let posted = runtime.block_on(async {
        let fields = [
            ("sender", "alice"),
            ("recipient", "bob"),
            ("mode", "agent-to-agent"),
        ];
        let http = Http::new(pair.serve.url.clone());
        http.form("/v1/transfers", &pair.account_key, &fields, &hostile)
            .await
    });
    let id = posted.expect(201)["id"].clone();
    let line = format!("receive {} --to in", id.as_str().unwrap());
    let refused = pair.run("bob", &line).expect(1);
    assert!(
        refused.stderr.contains(
            "hint: the server can read it; take it all the same with `--accept-plaintext`"
        ),
        "{}",
        refused.stderr
    );
    assert!(!pair.path("in").exists());

    let taken = pair
        .run("bob", &format!("{line} --accept-plaintext"))
        .expect(0);
    assert!(
        taken.stderr.contains("warning: it was not sealed"),
        "{}",
        taken.stderr
    );
    let expected = ["_con.txt", "a_b__.txt", "escape.txt", "passwd"];
    assert_eq!(names(&pair.path("in")), expected);
    assert!(!pair.path("../escape.txt").exists());
}
