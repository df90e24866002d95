//! What is printed where all goes well, as text and as JSON.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Pair, Sandbox, Serve};

/// The text, with what differs each time replaced by what it is.
fn redacted(pair: &Pair, text: &str) -> String {
    let mut text = text.replace(&pair.serve.url, "URL");
    for agent in ["alice", "bob"] {
        let config = std::fs::read(pair.path(agent).join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        for field in ["agent_uuid", "public_key"] {
            text = text.replace(config[field].as_str().unwrap(), &format!("{agent}-{field}"));
        }
        let known = pair.json(agent, "whoami")["key_fingerprint"].clone();
        text = text.replace(known.as_str().unwrap(), &format!("{agent}-fingerprint"));
        let shown = config["api_key"].as_str().unwrap();
        text = text.replace(shown.get(..13).unwrap(), "KEY");
    }
    let is_id = |it: &str| it.starts_with("tr_") && it.len() == 35;
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches(['\n', '"', ',']);
        if is_id(bare.trim()) {
            word.replace(bare.trim(), "TRANSFER")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn text_for_people() {
    let pair = Pair::new();
    pair.file("report.pdf", b"a report");
    let sent = pair
        .run("alice", "send bob report.pdf --message hello")
        .expect(0);
    assert_snapshot!(redacted(&pair, &sent.stdout), @r"
    ok sent report.pdf, 8 B, to bob
      transfer  TRANSFER
      expires   in 24 h, or after 10 downloads; deleted when it was received
      sealed    verified, by a key that was not compared
    ");
    let whoami = pair.run("bob", "whoami").expect(0);
    assert_snapshot!(redacted(&pair, &whoami.stdout), @r"
    bob
      id           bob-agent_uuid
      status       connected
      account      me@example.org
      server       URL
      key          KEY...
      public key   bob-public_key
      fingerprint  bob-fingerprint
      prekeys      63 left
      folder       bob
      waiting      1
    ");
    let agents = pair.run("bob", "agents").expect(0);
    assert_snapshot!(redacted(&pair, &agents.stdout), @r"
    AGENT  NAME   WHOSE  ID
    alice  alice  own    alice-agent_uuid
    bob    bob    own    bob-agent_uuid
    ");
    let received = pair.run("bob", "receive --to in").expect(0);
    assert_snapshot!(redacted(&pair, &received.stdout), @r"
    ok received report.pdf, 8 B, from alice
      message  hello
      sealed   verified, by a key that was not compared
      file     in/report.pdf
    ");
    let inbox = pair.run("bob", "inbox").expect(0);
    assert_snapshot!(redacted(&pair, &inbox.stdout), @r"
    nothing waits
    ");
}

#[test]
fn a_doctor_finds_nothing_wrong() {
    let pair = Pair::new();
    let said = pair.run("bob", "doctor").expect(0).stdout;
    for check in [
        "ok configuration  bob",
        "ok file modes",
        "ok quarantine     nothing waits",
        "ok scanner        works",
        "ok identity       bob at http://127.0.0.1:",
        "ok server         http://127.0.0.1:",
        "ok ready",
        "ok api key        ada_live_",
        "ok clock          within",
        "ok public key     the server's is this identity's, version 1",
        "ok keys           published, 64 one-time prekeys left",
        "ok known agents   0 agents, none is blocked",
        "ok target folder  . can be written to",
    ] {
        assert!(said.contains(check), "{check}: {said}");
    }
    let json = pair.json("bob", "doctor");
    assert_eq!(json["ok"], true);
    assert_eq!(json["checks"].as_array().unwrap().len(), 13);
}

#[test]
fn a_doctor_looks_at_the_server_alone_for_whoever_has_nothing_else() {
    let sandbox = Sandbox::new();
    let mut serve = Serve::start(&sandbox);
    let look = format!("doctor --server-only --server {}", serve.url);
    let said = sandbox.run(&look).expect(0).stdout;
    assert!(
        said.contains("ok server") && said.contains("ok ready"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
    serve.signal(rustix::process::Signal::TERM);
    serve.wait();
    let said = sandbox.run(&look).expect(2).stdout;
    assert!(said.contains("!! server"), "{said}");
    sandbox.run("doctor --server-only").expect(2);
}

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let pair = Pair::new();
    let alone = pair.sandbox.run("doctor").expect(2).stdout;
    // Whether the scanner is shut in depends on the kernel.
    let alone = alone.lines().filter(|it| !it.contains("scanner"));
    let alone = alone.collect::<Vec<_>>().join("\n");
    assert_snapshot!(alone, @r"
    !! configuration  no .agentdrop here, in a folder above, or at home
          hint: make an identity with `agentdrop register`, or name its folder with `--config-dir`
    !! server         no server is set
          hint: set AGENTDROP_SERVER, or give `--server`, like http://127.0.0.1:8787
    -- clock          not checked: the server comes first
    -- api key        not checked: the server comes first
    -- public key     not checked: the server comes first
    ok target folder  . can be written to
    ");

    let Pair {
        sandbox, mut serve, ..
    } = pair;
    serve.signal(rustix::process::Signal::TERM);
    serve.wait();
    let away = sandbox
        .run("--json doctor --config-dir bob")
        .expect(2)
        .json();
    let failed = away["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["state"] == "failed");
    let failed = failed.unwrap();
    assert_eq!(failed["name"], "server");
    assert!(
        failed["hint"]
            .as_str()
            .unwrap()
            .contains("that the server runs"),
        "{failed}"
    );
}
