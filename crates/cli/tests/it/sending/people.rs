//! The same to people, and from people.

use std::fs;

use super::{Far, MIB, PART, TALK, ended, noise};
use crate::support::{Run, eventually, names};

const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";
const RECEIVE: &str = "staple in the haystack";

impl Far {
    /// Makes Ann an account, and signs her in.
    fn with_ann(self) -> Self {
        let line = format!("account create --name Ann --email {EMAIL} --password-stdin");
        self.ann(&line, PASSWORD).expect(0);
        let line = format!("login {EMAIL} --password-stdin");
        self.ann(&line, PASSWORD).expect(0);
        // As if she had followed the link that was mailed.
        let path = self.pair.serve.data_dir.join("agentdrop.db");
        let database = rusqlite::Connection::open(path).unwrap();
        let verified = "UPDATE accounts SET email_verified_at = created_at";
        assert_eq!(database.execute(verified, ()).unwrap(), 2);
        self
    }

    fn ann(&self, line: &str, input: &str) -> Run {
        let url = &self.way.url;
        let line = format!("--json {line} --config-dir ann --server {url}");
        self.pair.sandbox.typed(&line, input)
    }

    fn opened(&self, id: &str, name: &str) -> Vec<u8> {
        let line = format!("open {id} --to out --password-stdin");
        self.ann(&line, RECEIVE).expect(0);
        fs::read(self.pair.path("out").join(name)).unwrap()
    }
}

#[test]
fn what_is_sealed_for_a_person_goes_on_where_it_stopped() {
    let far = Far::new().with_ann();
    let set = "receive-password set --password-stdin";
    far.ann(set, RECEIVE).expect(0);
    let content = noise(40 * MIB + 77);
    far.pair.file("large", &content);
    far.pair.file("small", b"beside it");
    let line = format!("--json send {EMAIL} large small --message hello");
    let begun = far.way.up();
    far.killed_after(18 * MIB, &line);
    far.killed_after(9 * MIB, &line);
    let sent = ended(far.send(&line)).expect(0).json();
    assert_eq!(sent["resumed"], true);
    assert_eq!(sent["encryption_algorithm"], "AGENTDROP-2-A2H");
    assert_eq!(sent["files"][0]["name"], "envelope");
    let passed = far.way.up() - begun;
    let most = content.len() as u64 + 2 * 3 * PART + 4 * TALK;
    assert!(passed < most, "{passed}");
    let id = sent["id"].as_str().unwrap();
    assert!(far.opened(id, "large") == content);
    assert_eq!(fs::read(far.pair.path("out/small")).unwrap(), b"beside it");
    assert!(far.kept().is_empty());
}

#[test]
fn who_sets_another_receive_password_meanwhile_is_sent_it_for_that_one() {
    let far = Far::new().with_ann();
    let set = "receive-password set --password-stdin";
    far.ann(set, RECEIVE).expect(0);
    let content = noise(34 * MIB);
    far.pair.file("large", &content);
    let line = format!("--json send {EMAIL} large");
    // By a way that is never held up.
    let direct = |line: &str, input: &str| {
        let url = &far.pair.serve.url;
        let line = format!("{line} --config-dir direct --server {url}");
        far.pair.sandbox.typed(&line, input).expect(0);
    };
    direct(&format!("login {EMAIL} --password-stdin"), PASSWORD);
    let again = || {
        direct("receive-password remove --yes", "");
        direct(set, RECEIVE);
    };

    // Between two runs.
    far.killed_after(18 * MIB, &line);
    again();
    let sent = ended(far.send(&line)).expect(0).json();
    assert_eq!(sent["resumed"], false);
    assert!(far.opened(sent["id"].as_str().unwrap(), "large") == content);

    // In the middle of one.
    fs::remove_dir_all(far.pair.path("out")).unwrap();
    far.way.hold_after(far.way.up() + 20 * MIB);
    let child = far.send(&line);
    far.way.held();
    again();
    far.way.let_pass();
    let sent = ended(child).expect(0).json();
    assert!(far.opened(sent["id"].as_str().unwrap(), "large") == content);
    assert!(far.kept().is_empty());
}

#[test]
fn what_the_server_encrypts_for_a_person_goes_in_parts_as_well() {
    let far = Far::new().with_ann();
    let content = noise(34 * MIB);
    far.pair.file("large", &content);
    // Of nothing there is no part.
    far.pair.file("empty", b"");
    let line = format!("--json send {EMAIL} large empty --yes");
    far.killed_after(18 * MIB, &line);
    let sent = ended(far.send(&line)).expect(0).json();
    assert_eq!(sent["resumed"], true);
    assert_eq!(sent["is_encrypted"], false);
    assert_eq!(sent["status"], "pending_recipient");
    assert_eq!(sent["total_size"], content.len() as u64);
    far.ann("receive-password set --password-stdin", RECEIVE)
        .expect(0);
    let id = sent["id"].as_str().unwrap();
    eventually("it is sealed for her", || {
        let shown = far.pair.json("alice", &format!("show {id}"));
        shown["status"] == "active"
    });
    assert!(far.opened(id, "large") == content);
    assert_eq!(fs::read(far.pair.path("out/empty")).unwrap(), b"");
}

#[test]
fn what_a_person_sends_to_an_agent_goes_in_parts_as_well() {
    let far = Far::new().with_ann();
    let made = far.pair.sandbox.json(&format!(
        "keys create ci --config-dir ann --server {}",
        far.way.url
    ));
    let line = format!("register dora --config-dir dora --server {}", far.way.url);
    let mut register = far.pair.sandbox.command(line.split_whitespace());
    register.env("AGENTDROP_API_KEY", made["api_key"].as_str().unwrap());
    Run::of(&mut register).expect(0);
    let content = noise(34 * MIB);
    far.pair.file("large", &content);
    let line = format!(
        "--json send dora large --config-dir ann --server {}",
        far.way.url
    );
    far.killed_after(18 * MIB, &line);
    assert_eq!(names(&far.pair.path("ann/uploads")).len(), 1);
    let sent = ended(far.send(&line)).expect(0).json();
    assert_eq!(sent["resumed"], true);
    assert_eq!(sent["mode"], "human-to-agent");
    assert!(names(&far.pair.path("ann/uploads")).is_empty());
    far.pair.run("dora", "receive --to got").expect(0);
    assert!(fs::read(far.pair.path("got/large")).unwrap() == content);
}
