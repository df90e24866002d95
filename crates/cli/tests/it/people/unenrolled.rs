//! Files to whoever has no receive password yet.

use std::fs;

use serde_json::json;

use super::{EMAIL, RECEIVE, World, text};
use crate::support::eventually;

#[test]
fn nothing_goes_to_who_has_no_receive_password_unless_somebody_says_so() {
    let world = World::new();
    world.pair.file("a.txt", b"0123456789");
    for email in [EMAIL, "nobody@example.org"] {
        let line = format!("--json send {email} a.txt");
        let refused = world.pair.run("alice", &line).expect(1).json();
        assert_eq!(refused["error"]["code"], "RECIPIENT_HAS_NO_KEY");
        assert!(text(&refused["error"]["hint"]).contains("--yes"));
    }
    assert_eq!(world.pair.json("alice", "list")["total"], 0);

    let sent = world.send("a.txt --yes --message hello");
    assert_eq!(sent["status"], "pending_recipient");
    assert_eq!(sent["is_encrypted"], false);
    let id = text(&sent["id"]);
    let line = format!("open {id} --to out --password-stdin");
    world.refused(&line, RECEIVE, "NO_RECEIVE_PASSWORD");

    // Once she has set one, it is encrypted for her, and opens as what was sealed for her does.
    let set = world.typed("receive-password set --password-stdin", RECEIVE);
    set.expect(0);
    eventually("it is activated", || world.status(id) == "active");
    let opened = world.open(id, RECEIVE).expect(0).json();
    assert_eq!(opened["received"][0]["message"], "hello");
    assert_eq!(opened["received"][0]["security"], "sealed");
    let out = world.pair.path("out").join("a.txt");
    assert_eq!(fs::read(out).unwrap(), b"0123456789");
}

#[test]
fn the_inbox_of_a_person_tells_what_waits_for_their_receive_password() {
    let world = World::new();
    world.pair.file("a.txt", b"numbers");
    let inbox = || world.typed("inbox", "").expect(0).json();
    assert_eq!(inbox()["pending_recipient"], 0);
    let said = |line: &str| {
        let line = format!("{line} --config-dir ann --server {}", world.pair.serve.url);
        let run = world.pair.sandbox.run(&line).expect(0);
        run.stdout + &run.stderr
    };
    assert!(said("inbox").contains("nothing waits"));
    let id = world.send("a.txt --yes")["id"].clone();
    assert_eq!(inbox()["pending_recipient"], 1);
    let listed = said("inbox");
    assert!(listed.contains("receive-password set"), "{listed}");
    assert!(!listed.contains("nothing waits"), "{listed}");
    let set = world.typed("receive-password set --password-stdin", RECEIVE);
    set.expect(0);
    eventually("it is activated", || world.status(text(&id)) == "active");
    let inbox = inbox();
    assert_eq!(inbox["pending_recipient"], 0);
    assert_eq!(inbox["transfers"][0]["id"], id);
}

#[test]
fn at_a_terminal_it_is_asked_whether_the_server_may_encrypt() {
    let world = World::new();
    world.pair.file("a.txt", b"1");
    let line = format!("send {EMAIL} a.txt --config-dir alice");
    let ask = |answer: &'static str| {
        let terminal = world.pair.sandbox.terminal(&line, &[]);
        terminal.answered("[y/N] ", || answer).end()
    };
    let (seen, status) = ask("n\n");
    assert_eq!(status, Some(1), "{seen}");
    assert!(seen.contains("could read"), "{seen}");
    assert_eq!(world.pair.json("alice", "list")["total"], 0);
    let (seen, status) = ask("y\n");
    assert_eq!(status, Some(0), "{seen}");
    let list = world.pair.json("alice", "list");
    assert_eq!(list["transfers"][0]["status"], json!("pending_recipient"));
}
