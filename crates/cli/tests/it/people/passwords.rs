//! Receive passwords: another one, a changed one, one that was set anew.

use serde_json::Value;

use super::{PASSWORD, RECEIVE, World, text};

#[test]
fn another_password_opens_nothing_and_costs_no_download() {
    let world = World::enrolled();
    world.pair.file("a.txt", b"1");
    let sent = world.send("a.txt --max-downloads 1");
    let id = text(&sent["id"]);
    let line = format!("open {id} --to out --password-stdin");
    world.refused(&line, "wrong horse battery", "WRONG_RECEIVE_PASSWORD");
    // Not even the one that she signs in with.
    world.refused(&line, PASSWORD, "WRONG_RECEIVE_PASSWORD");
    assert!(world.out().is_empty());
    world.open(id, RECEIVE).expect(0);
}

#[test]
fn a_password_that_was_changed_opens_what_came_before() {
    let world = World::enrolled();
    world.pair.file("a.txt", b"1");
    let sent = world.send("a.txt");
    let (id, other) = (text(&sent["id"]), "another needle in it");
    let key = world.typed("receive-password show", "").expect(0).json();
    let change = "receive-password change --password-stdin";
    let (wrong, right) = (
        format!("wrong horse\n{other}"),
        format!("{RECEIVE}\n{other}"),
    );
    world.refused(change, &wrong, "WRONG_RECEIVE_PASSWORD");
    let changed = world.typed(change, &right).expect(0).json();
    assert_eq!(changed["public_key"], key["public_key"]);
    let line = format!("open {id} --to out --password-stdin");
    world.refused(&line, RECEIVE, "WRONG_RECEIVE_PASSWORD");
    world.open(id, other).expect(0);
    assert_eq!(world.out(), ["a.txt"]);
}

#[test]
fn a_key_is_not_replaced_unseen_and_what_was_for_it_is_said_to_be_lost() {
    let world = World::enrolled();
    world.pair.file("a.txt", b"1");
    let sent = world.send("a.txt");
    let set = "receive-password set --password-stdin";
    world.refused(set, RECEIVE, "RECEIVE_PASSWORD_EXISTS");
    world.refused("receive-password remove", "", "NOT_CONFIRMED");
    world.typed("receive-password remove --yes", "").expect(0);
    let shown = world.typed("receive-password show", "").expect(0).json();
    assert_eq!(shown["public_key"], Value::Null);
    let open = format!("open {} --to out --password-stdin", text(&sent["id"]));
    world.refused(&open, RECEIVE, "NO_RECEIVE_PASSWORD");
    let change = "receive-password change --password-stdin";
    world.refused(change, "one horse\ntwo horses", "NO_RECEIVE_PASSWORD");
    world.refused("receive-password remove --yes", "", "NO_RECEIVE_PASSWORD");
    world.typed(set, RECEIVE).expect(0);
    world.refused(&open, RECEIVE, "FOR_ANOTHER_RECEIVE_KEY");
    assert!(world.out().is_empty());
}

#[test]
fn a_receive_password_is_a_persons_matter_and_a_good_one() {
    let world = World::new();
    let set = "receive-password set --password-stdin";
    world.refused(set, "short", "PASSWORD");
    let line = format!("--json {set} --config-dir alice");
    let run = world.pair.sandbox.typed(&line, RECEIVE).expect(1).json();
    assert_eq!(run["error"]["code"], "NOT_SIGNED_IN");
    let said = world.pair.sandbox.typed(
        &format!("{set} --config-dir ann --server {}", world.pair.serve.url),
        RECEIVE,
    );
    let said = said.expect(0);
    assert!(said.stderr.contains("nobody can bring it back"), "{said:?}");
}
