//! Files to people: sealed for them where they have a receive password, and waiting where they have
//! not.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentdrop_client::write_private;
use agentdrop_testkit::python::{client, python};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::support::{Pair, Run, Sandbox, Serve, eventually, names};

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

/// The last link that was mailed, as it stands in the mail.
fn mailed_link(world: &World) -> String {
    let command = "agentdrop open '";
    let mut mails = String::new();
    eventually("a link is mailed", || {
        mails = world.mails();
        mails.contains(command)
    });
    let link = mails.rsplit(command).next().unwrap();
    link.split('\'').next().unwrap().to_owned()
}

#[test]
fn a_stranger_signs_up_by_the_link_and_opens_what_waited() {
    let world = World::new();
    let content = content(100_000);
    world.pair.file("a.bin", &content);
    let email = "zoe@example.org";
    let sent = world.pair.json(
        "alice",
        &format!("send {email} a.bin --yes --message hello"),
    );
    let id = text(&sent["id"]);
    let link = mailed_link(&world);
    assert!(link.contains(id), "{link}");
    let zoe = |line: &str, input: &str| {
        let words = line.split_whitespace().map(|it| it.replace("LINK", &link));
        let mut command = world.pair.sandbox.command(words);
        command.args(["--json", "--config-dir", "zoe"]);
        Run::typed(&mut command, input)
    };
    let refused = |line: &str, input: &str, code: &str| {
        let run = zoe(line, input).expect(1).json();
        assert_eq!(run["error"]["code"], code, "{line}: {run}");
        text(&run["error"]["hint"]).to_owned()
    };

    // What is to be done first is said, with the command for it.
    let open = "open LINK --to out --password-stdin";
    let hint = refused(open, RECEIVE, "ACCOUNT_FIRST");
    assert!(hint.contains(&format!("--invitation '{link}'")), "{hint}");
    let create = "account create --name Zoe --invitation LINK --password-stdin";
    let other = format!("{create} --email ann@example.org");
    refused(&other, PASSWORD, "ANOTHER_ADDRESS");
    let made = zoe(create, PASSWORD).expect(0).json();
    assert_eq!(made["email"], email);

    let hint = refused(open, RECEIVE, "RECEIVE_PASSWORD_FIRST");
    assert!(hint.contains("receive-password set"), "{hint}");
    let login = format!(
        "login {email} --password-stdin --server {}",
        world.pair.serve.url
    );
    zoe(&login, PASSWORD).expect(0);
    assert_eq!(zoe("account", "").expect(0).json()["email_verified"], true);
    zoe("receive-password set --password-stdin", RECEIVE).expect(0);
    eventually("it is activated", || world.status(id) == "active");

    refused(open, "wrong horse battery", "WRONG_RECEIVE_PASSWORD");
    assert!(world.out().is_empty());
    let opened = zoe(open, RECEIVE).expect(0).json();
    assert_eq!(opened["received"][0]["message"], "hello");
    assert_eq!(opened["received"][0]["acknowledged"], true);
    assert!(fs::read(world.pair.path("out").join("a.bin")).unwrap() == content);
    refused(open, RECEIVE, "GONE");
    let cut = format!("open {}", link.split('#').next().unwrap());
    let run = zoe(&cut, "").expect(2).json();
    assert!(text(&run["error"]["message"]).contains("quotes"), "{run}");
}

#[test]
fn what_was_sealed_opens_by_the_mailed_link_which_the_log_does_not_have() {
    let world = World::enrolled();
    world.pair.file("secret name.txt", b"sealed");
    let mut command = world
        .pair
        .sandbox
        .command(["send", EMAIL, "secret name.txt"]);
    Run::of(command.args(["--config-dir", "alice"])).expect(0);
    let link = mailed_link(&world);
    let open = |link: &str| {
        let mut command = world.pair.sandbox.command(["--json", "open", link]);
        command.args(["--to", "out", "--password-stdin"]);
        Run::typed(&mut command, RECEIVE)
    };
    let mut other = link.clone().into_bytes();
    *other.last_mut().unwrap() ^= 1;
    open(&String::from_utf8(other).unwrap()).expect(2);
    let opened = open(&link).expect(0).json();
    assert_eq!(opened["received"][0]["security"], "sealed");
    assert_eq!(world.out(), ["secret name.txt"]);
    let token = link.split('#').nth(1).unwrap();
    assert!(!world.pair.serve.log().contains(token));
}

#[test]
fn whoever_signed_up_before_shows_by_the_link_that_the_address_is_theirs() {
    // Where others can reach the server, an address has to be shown to be its owner's.
    let sandbox = Sandbox::new();
    let (port, more) = (free_port(), ["--signup", "open", "--public-url"]);
    let url = format!("http://127.0.0.1:{port}");
    let listen = format!("127.0.0.1:{port}");
    let more = [&more[..], &[&url, "--listen", &listen]].concat();
    let serve = Serve::start_with(&sandbox, &more);
    let mut world = World {
        pair: Pair::at(sandbox, serve, &url),
        key: String::new(),
    };
    world.pair.serve.url.clone_from(&url);
    let create = format!("account create --name Ann --email {EMAIL} --password-stdin");
    world.typed(&create, PASSWORD).expect(0);
    world
        .typed(&format!("login {EMAIL} --password-stdin"), PASSWORD)
        .expect(0);
    let shown = world.typed("account", "").expect(0).json();
    assert_eq!(shown["email_verified"], false);

    world.pair.file("a.txt", b"1");
    world.send("a.txt --yes");
    let link = mailed_link(&world);
    let verified = world.typed(&format!("account verify {link}"), "").expect(0);
    assert!(verified.json()["message"].is_string());
    let shown = world.typed("account", "").expect(0).json();
    assert_eq!(shown["email_verified"], true);
    let elsewhere = link.replace("127.0.0.1", "localhost");
    world.refused(&format!("account verify {elsewhere}"), "", "ANOTHER_SERVER");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The published client, unmodified: argv is the server, the account's key, a folder, and the files.
const PUBLISHED: &str = r#"
import sys
from agentdrop import AgentDrop
server, key, folder, *files = sys.argv[1:]
client = AgentDrop(api_key=key, api_base=server, config_dir=folder, shield=False)
if not client.agent_id:
    client.register("carol", name="Carol")
print(client.send("ann@example.org", files, message="hello", mode="agent-to-human")["id"])
"#;

#[test]
fn what_the_published_client_sends_is_opened() {
    let world = World::enrolled();
    let files = [
        ("empty", vec![]),
        ("large.bin", content(5_000_000)),
        ("größe.txt", b"x".to_vec()),
    ];
    let paths: Vec<_> = files
        .iter()
        .map(|(name, it)| world.pair.file(name, it))
        .collect();
    // The older one encrypts nothing for people, whatever they have: the server does.
    for (older, security) in [(None, "compatible"), (Some("0.3.0"), "sealed")] {
        let mut command = Command::new(python());
        command
            .args([
                "-c",
                PUBLISHED,
                &world.pair.serve.url,
                &world.pair.account_key,
            ])
            .arg(world.pair.path("carol"))
            .args(&paths);
        if let Some(version) = older {
            command.env("PYTHONPATH", client(version));
        }
        let sent = Run::of(&mut command).expect(0).stdout;
        let to = older.unwrap_or("newest");
        let id = sent.lines().last().unwrap();
        eventually("it is active", || {
            let shown = world.pair.owner(&format!("--json show {id}"));
            shown.expect(0).json()["status"] == "active"
        });
        let line = format!("open {id} --to {to} --password-stdin");
        let opened = world.typed(&line, RECEIVE).expect(0).json();
        let opened = &opened["received"][0];
        assert_eq!(opened["security"], security);
        assert_eq!(opened["message"], "hello");
        for (name, content) in &files {
            let path = world.pair.path(to).join(name);
            assert!(fs::read(path).unwrap() == *content, "{name} differs");
        }
    }
}
