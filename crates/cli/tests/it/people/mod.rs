//! Files to people: sealed for them where they have a receive password, and waiting where they have
//! not.

mod links;
mod passwords;
mod published;
mod unenrolled;

use std::fs;
use std::path::{Path, PathBuf};

use agentdrop_client::write_private;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::support::{Pair, Run, eventually, names};

const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";
const RECEIVE: &str = "staple in the haystack";

/// Alice and Bob, agents of one account, and Ann, who has another and is signed in.
struct World {
    pair: Pair,
    /// The key of Ann's account.
    key: String,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            pair: Pair::new(),
            key: String::new(),
        };
        let line = format!("account create --name Ann --email {EMAIL} --password-stdin");
        let made = world.typed(&line, PASSWORD).expect(0).json();
        text(&made["api_key"]).clone_into(&mut world.key);
        world
            .typed(&format!("login {EMAIL} --password-stdin"), PASSWORD)
            .expect(0);
        world
    }

    /// The same, and Ann has a receive password.
    fn enrolled() -> Self {
        let world = Self::new();
        let set = world.typed("receive-password set --password-stdin", RECEIVE);
        assert!(set.expect(0).json()["public_key"].is_string());
        world
    }

    /// Runs a line as Ann, with this on standard input.
    fn typed(&self, line: &str, input: &str) -> Run {
        let url = &self.pair.serve.url;
        let line = format!("--json {line} --config-dir ann --server {url}");
        self.pair.sandbox.typed(&line, input)
    }

    fn open(&self, id: &str, password: &str) -> Run {
        let line = format!("open {id} --to out --password-stdin");
        self.typed(&line, password)
    }

    /// Runs a line as Ann that has to be refused with this code.
    #[track_caller]
    fn refused(&self, line: &str, input: &str, code: &str) {
        let run = self.typed(line, input).expect(1).json();
        assert_eq!(run["error"]["code"], code, "{line}: {run}");
        assert_ne!(run["error"]["hint"], "", "{line}: {run}");
    }

    /// Sends as Alice; answers the transfer.
    #[track_caller]
    fn send(&self, line: &str) -> Value {
        self.pair.json("alice", &format!("send {EMAIL} {line}"))
    }

    fn out(&self) -> Vec<String> {
        let out = self.pair.path("out");
        if out.exists() { names(&out) } else { vec![] }
    }

    /// What lies in the outbox, all mails after each other, oldest first.
    fn mails(&self) -> String {
        let outbox = self.pair.serve.data_dir.join("outbox");
        let mut mails: Vec<_> = files(&outbox);
        mails.sort();
        let texts = mails.iter().map(|it| fs::read_to_string(it).unwrap());
        texts.collect()
    }

    fn status(&self, id: &str) -> Value {
        self.pair.json("alice", &format!("show {id}"))["status"].clone()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|it| it.unwrap().path());
    paths
        .flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] })
        .collect()
}

/// Bytes that do not repeat with a chunk.
fn content(len: u32) -> Vec<u8> {
    (0..len)
        .map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

#[test]
fn who_has_a_receive_password_opens_what_nobody_else_can_read() {
    let world = World::enrolled();
    let large = content(20_000_000);
    for (name, content) in [
        ("salaries.csv", &large[..]),
        ("empty", b""),
        ("note.txt", b"the cook did it"),
    ] {
        world.pair.file(name, content);
    }
    let sent = world.send("salaries.csv empty note.txt --message whodunit");
    assert_eq!(sent["status"], "active");
    assert_eq!(sent["encryption_algorithm"], "AGENTDROP-2-A2H");
    let id = text(&sent["id"]);

    // Neither what the server says, nor what it mails or keeps, has a name, the message or a word.
    eventually("a mail", || world.mails().contains("are ready"));
    let shown = world.pair.json("alice", &format!("show {id}")).to_string();
    let mails = world.mails();
    assert!(mails.contains("is encrypted as well"), "{mails}");
    for secret in ["salaries", "empty", "note.txt", "whodunit", "the cook"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
        assert!(!mails.contains(secret), "{secret}: {mails}");
        for file in files(&world.pair.serve.data_dir) {
            let bytes = fs::read(&file).unwrap_or_default();
            let found = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.display());
        }
    }

    let inbox = world.typed("inbox", "").expect(0).json();
    assert_eq!(inbox["transfers"][0]["id"], id);
    let opened = world.open(id, RECEIVE).expect(0).json();
    let opened = &opened["received"][0];
    assert_eq!(opened["message"], "whodunit");
    assert_eq!(opened["security"], "sealed");
    assert_eq!(opened["acknowledged"], true);
    assert_eq!(world.out(), ["empty", "note.txt", "salaries.csv"]);
    let out = |name: &str| fs::read(world.pair.path("out").join(name)).unwrap();
    assert!(out("salaries.csv") == large);
    assert_eq!(out("empty"), b"");
    assert_eq!(out("note.txt"), b"the cook did it");
    assert_eq!(world.status(id), "deleted", "it was delivered");
}

#[test]
fn what_is_read_is_told_to_whoever_sends() {
    let world = World::enrolled();
    world.pair.file("a.txt", b"1234567890");
    let line = format!("send {EMAIL} a.txt --message hi");
    let said = world.pair.run("alice", &line).expect(0).stdout;
    for part in ["sent a.txt, 10 B, to ann@example.org", "for them alone"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let list = world.pair.run("alice", "list").expect(0).stdout;
    assert!(list.contains("1 file") && list.contains("10 B"), "{list}");
}

#[test]
fn bytes_that_were_changed_at_rest_are_refused_and_leave_nothing() {
    let world = World::enrolled();
    world.pair.file("a.bin", &content(40_000));
    world.pair.file("b.bin", &content(20_000));
    let sent = world.send("a.bin b.bin --max-downloads 100");
    let id = text(&sent["id"]);
    let name = id.to_owned();
    let line = format!("open {id} --to out --password-stdin");
    // The envelope is small: it is in the database.
    let database = Connection::open(world.pair.serve.data_dir.join("agentdrop.db")).unwrap();
    let of_envelope = |sql: &str, bytes: &[u8]| {
        let changed = database.execute(sql, params![id, bytes]).unwrap();
        assert_eq!(changed, 1);
    };
    let good: Vec<u8> = database
        .query_row(
            "SELECT bytes FROM small_bodies WHERE transfer_id = ?1",
            [id],
            |row| row.get(0),
        )
        .unwrap();
    let mut bad = good.clone();
    bad[good.len() - 1] ^= 1;
    let set = "UPDATE small_bodies SET bytes = ?2 WHERE transfer_id = ?1";
    of_envelope(set, &bad);
    world.refused(&line, RECEIVE, "OPEN_REFUSED");
    assert!(world.out().is_empty(), "the envelope");
    of_envelope(set, &good);
    let mut blobs: Vec<_> = files(&world.pair.serve.data_dir)
        .into_iter()
        .filter(|it| it.file_name().unwrap().to_str().unwrap().starts_with(&name))
        .collect();
    blobs.sort();
    assert_eq!(blobs.len(), 2);
    for blob in &blobs {
        let good = fs::read(blob).unwrap();
        let mut bad = good.clone();
        bad[good.len() - 1] ^= 1;
        write_private(blob, &bad).unwrap();
        world.refused(&line, RECEIVE, "OPEN_REFUSED");
        assert!(world.out().is_empty(), "{}", blob.display());
        write_private(blob, &good).unwrap();
    }
    // One for the other: each is genuine, and not what it is given for.
    let by_size = |n: usize| fs::read(&blobs[n]).unwrap();
    let (one, other) = (by_size(0), by_size(1));
    write_private(&blobs[0], &other).unwrap();
    write_private(&blobs[1], &one).unwrap();
    assert_ne!(world.typed(&line, RECEIVE).status, 0);
    write_private(&blobs[0], &one).unwrap();
    write_private(&blobs[1], &other).unwrap();
    // The server could not send all of it, so what came waits, unseen; and does not open later.
    assert!(world.out().iter().all(|it| it.starts_with('.')));
    world.open(id, RECEIVE).expect(0);
    assert_eq!(world.out(), ["a.bin", "b.bin"]);
}

#[test]
fn a_person_without_an_agent_learns_who_they_are_and_that_all_is_well() {
    let world = World::new();
    let ann = |line: &str| {
        let line = format!("{line} --config-dir ann --server {}", world.pair.serve.url);
        world.pair.sandbox.run(&line).expect(0).stdout
    };
    let said = ann("whoami");
    assert!(
        said.contains("a person who signed in") && said.contains("ann@"),
        "{said}"
    );
    let said = ann("doctor");
    assert!(said.contains("for a person who signed in"), "{said}");
    assert!(!said.contains("!!"), "{said}");
}

#[test]
fn a_person_without_an_agent_sends_to_people() {
    let world = World::enrolled();
    world.pair.file("a.txt", b"to myself");
    let sent = world.typed(&format!("send {EMAIL} a.txt"), "").expect(0);
    let sent = sent.json();
    assert_eq!(sent["sender"], EMAIL);
    world.open(text(&sent["id"]), RECEIVE).expect(0);
    assert_eq!(world.out(), ["a.txt"]);
}

#[test]
fn a_person_sends_to_an_agent_and_it_says_so() {
    let world = World::new();
    let line = format!(
        "register dora --config-dir dora --server {}",
        world.pair.serve.url
    );
    let mut register = world.pair.sandbox.command(line.split_whitespace());
    Run::of(register.env("AGENTDROP_API_KEY", &world.key)).expect(0);
    let large = content(3_000_000);
    world.pair.file("a.bin", &large);
    let sent = world
        .typed("send dora a.bin --message hi", "")
        .expect(0)
        .json();
    assert_eq!(sent["mode"], "human-to-agent");
    assert_eq!(sent["is_encrypted"], true);
    assert_eq!(sent["sender"], EMAIL);
    let received = world.pair.run("dora", "receive --to got").expect(0).stdout;
    let said = format!("from {EMAIL}, a person");
    assert!(received.contains(&said), "{received}");
    assert!(fs::read(world.pair.path("got").join("a.bin")).unwrap() == large);

    // Also where there is an agent, if it is said; and never with a key.
    let me = "send dora a.bin --as-me --config-dir ann";
    let url = &world.pair.serve.url;
    let again = world.pair.sandbox.json(&format!("{me} --server {url}"));
    assert_eq!(again["mode"], "human-to-agent");
    let line = "--json send dora a.bin --as-me --config-dir dora";
    let refused = world.pair.sandbox.run(line).expect(1).json();
    assert_eq!(refused["error"]["code"], "NOT_SIGNED_IN");
    world.refused("send alice a.bin", "", "NO_SUCH_AGENT");
}
