//! Two accounts: connected, paired, and files between their agents.

use std::fs;

use agentdrop_testkit::http::Http;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Run, Sandbox, Serve, noise};

/// A server with accounts, each of which has agents in folders named after both: `us/alice`.
struct World {
    sandbox: Sandbox,
    serve: Serve,
    keys: Vec<(&'static str, String)>,
}

impl World {
    fn new(accounts: &[(&'static str, &[&str])]) -> Self {
        let sandbox = Sandbox::new();
        let serve = Serve::start(&sandbox);
        let mut world = Self {
            sandbox,
            serve,
            keys: Vec::new(),
        };
        for (account, agents) in accounts {
            let line = format!(
                "admin account create --name {account} --email {account}@example.org --data-dir data"
            );
            let made = world.sandbox.json(&line);
            let key = made["api_key"].as_str().unwrap().to_owned();
            world.keys.push((account, key));
            for agent in *agents {
                let line = format!("register {agent} --config-dir {account}/{agent}");
                world.owner(account, &line).expect(0);
            }
        }
        world
    }

    fn key(&self, account: &str) -> &str {
        let key = self.keys.iter().find(|(of, _)| *of == account);
        &key.unwrap().1
    }

    /// Runs a line with the key of an account.
    fn owner(&self, account: &str, line: &str) -> Run {
        let mut command = self.sandbox.command(line.split_whitespace());
        command
            .env("AGENTDROP_SERVER", &self.serve.url)
            .env("AGENTDROP_API_KEY", self.key(account));
        Run::of(&mut command)
    }

    /// Runs a line that has to succeed with the key of an account, and answers its one object.
    #[track_caller]
    fn json(&self, account: &str, line: &str) -> Value {
        self.owner(account, &format!("--json {line}"))
            .expect(0)
            .json()
    }

    /// Runs a line that has to be refused with this code, as text and as JSON; answers the text.
    #[track_caller]
    fn refused(&self, account: &str, line: &str, code: &str) -> String {
        let json = self.owner(account, &format!("--json {line}")).expect(1);
        assert_eq!(json.json()["error"]["code"], code, "{line}");
        let text = self.owner(account, line).expect(1);
        assert!(text.stderr.contains("\nhint: "), "{text:?}");
        text.stderr
    }

    /// Runs a line as an agent.
    fn run(&self, agent: &str, line: &str) -> Run {
        self.sandbox.run(&format!("{line} --config-dir {agent}"))
    }

    /// Runs a line on a terminal with the key of an account, types what `answer` says once it
    /// asks, and answers what is seen there.
    fn on_a_terminal(
        &self,
        account: &str,
        line: &str,
        answer: impl FnOnce() -> &'static str,
    ) -> (String, Option<i32>) {
        let environment = [
            ("AGENTDROP_SERVER", &*self.serve.url),
            ("AGENTDROP_API_KEY", self.key(account)),
        ];
        let on = self.sandbox.terminal(line, &environment);
        on.answered("[y/N] ", answer).end()
    }

    /// Connects two accounts, and answers the connection.
    fn connect(&self, one: &str, other: &str) -> String {
        let invited = self.owner(one, &format!("-q connect {other}@example.org"));
        let id = invited.expect(0).stdout.trim().to_owned();
        self.owner(other, &format!("accept {id}")).expect(0);
        id
    }

    /// Connects two accounts and pairs their agents.
    fn pair(&self, one: &str, mine: &str, other: &str, theirs: &str) {
        let connection = self.connect(one, other);
        let proposed = self.owner(one, &format!("-q pair {connection} {mine} {theirs}"));
        let id = proposed.expect(0).stdout.trim().to_owned();
        self.owner(other, &format!("confirm {id} --yes")).expect(0);
    }
}

/// The text, with what differs each time replaced by what it is, and columns that are no wider for it.
fn redacted(text: &str, known: &[(&str, &str)]) -> String {
    let text = known
        .iter()
        .fold(text.to_owned(), |text, (it, name)| text.replace(it, name));
    let lines = text.lines().map(|line| {
        let cells = line.split("  ").filter(|it| !it.is_empty());
        let cells = cells.map(|it| match it.trim() {
            it if it.ends_with(" ago") => "AGO",
            it => it,
        });
        cells.collect::<Vec<_>>().join("  ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn said(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn public_key(world: &World, agent: &str) -> String {
    let config = fs::read(world.sandbox.path(agent).join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    said(&config["public_key"]).to_owned()
}

#[test]
fn files_go_between_accounts_once_both_agreed() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"])]);
    let content = noise(1_000_000);
    world.sandbox.file("report.bin", &content);
    let refused = world
        .run("us/alice", "--json send bob report.bin")
        .expect(1);
    assert_eq!(refused.json()["error"]["code"], "NO_SUCH_AGENT");

    let invited = world.json("us", "connect them@example.org --message hello");
    assert_eq!(
        (&invited["status"], &invited["invited_email"]),
        (&json!("pending"), &json!("them@example.org"))
    );
    let connection = said(&invited["id"]);
    let listed = world.json("us", "connections");
    assert_eq!(listed["pending_outgoing"][0]["id"], connection);
    let listed = world.json("them", "connections --status pending");
    assert_eq!(
        listed["pending_incoming"][0]["from"]["email"],
        "us@example.org"
    );
    assert_eq!(listed["pending_incoming"][0]["message"], "hello");
    let accepted = world.json("them", &format!("accept {connection}"));
    assert_eq!(accepted["status"], "active");

    let agents = world.owner("us", &format!("-q connections agents {connection}"));
    assert_eq!(agents.expect(0).stdout, "bob\n");
    let refused = world
        .run("us/alice", "--json send bob report.bin")
        .expect(1);
    assert_eq!(refused.json()["error"]["code"], "NO_SUCH_AGENT");
    let proposed = world.json("us", &format!("pair {connection} alice bob --send-only"));
    let pairing = said(&proposed["id"]);
    assert_eq!(proposed["permission"], "send_only");
    let listed = world.json("them", &format!("pairings {connection}"));
    assert_eq!(listed["pairings"][0]["permission"], "receive_only");
    assert_eq!(
        world.json("them", "connections")["pending_pairings_count"],
        1
    );
    let confirmed = world.json("them", &format!("confirm {pairing} --yes"));
    assert_eq!(confirmed["status"], "active");
    assert_eq!(confirmed["my_agent"]["agent_id"], "bob");
    assert_eq!(confirmed["their_agent"]["agent_id"], "alice");
    assert_eq!(confirmed["other_account"]["email"], "us@example.org");

    let agents = world.run("us/alice", "agents").expect(0).stdout;
    assert!(agents.contains("paired, of them"), "{agents}");
    for (n, line) in [
        "send bob report.bin",
        "send bob report.bin --account them@example.org",
        "send bob report.bin --account them",
    ]
    .iter()
    .enumerate()
    {
        world.run("us/alice", line).expect(0);
        let folder = format!("in{n}");
        world
            .run("them/bob", &format!("receive --to {folder}"))
            .expect(0);
        let received = fs::read(world.sandbox.path(&folder).join("report.bin")).unwrap();
        assert!(received == content, "{line}");
    }
    // Only one way, and not for another account.
    world.run("them/bob", "send alice report.bin").expect(1);
    let elsewhere = "--json send bob report.bin --account us@example.org";
    let refused = world.run("us/alice", elsewhere).expect(1).json();
    assert_eq!(refused["error"]["code"], "NO_SUCH_AGENT");

    let revoked = world.json("them", &format!("connections revoke {connection}"));
    assert_eq!(
        (&revoked["status"], &revoked["pairings_revoked"]),
        (&json!("revoked"), &json!(1))
    );
    world.run("us/alice", "send bob report.bin").expect(1);
}

#[test]
fn of_two_that_are_meant_one_has_to_be_named() {
    let world = World::new(&[("us", &["alice"]), ("east", &["bob"]), ("west", &["bob"])]);
    world.pair("us", "alice", "east", "bob");
    world.pair("west", "bob", "us", "alice");
    world.sandbox.file("a", b"for the east");

    let refused = world.run("us/alice", "--json send bob a").expect(1).json();
    let error = &refused["error"];
    assert_eq!(error["code"], "AMBIGUOUS_RECIPIENT");
    let mut candidates: Vec<(&str, &str)> = error["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (said(&it["account_name"]), said(&it["email_masked"])))
        .collect();
    candidates.sort_unstable();
    let expected = [("east", "ea**@example.org"), ("west", "we**@example.org")];
    assert_eq!(candidates, expected);
    let text = world.run("us/alice", "send bob a").expect(1).stderr;
    for part in [
        "east, ea**@example.org, ",
        "west, we**@example.org, ",
        "\nhint: say whose it is with `--account`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    world
        .run("us/alice", "send bob a --account east@example.org")
        .expect(0);
    world.run("east/bob", "receive --to in").expect(0);
    assert_eq!(
        fs::read(world.sandbox.path("in/a")).unwrap(),
        b"for the east"
    );
    let waiting = world.run("west/bob", "--json inbox").expect(0).json();
    assert_eq!(waiting["total"], 0);
}

#[test]
fn what_a_person_sees() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"]), ("others", &[])]);
    let none = world.owner("us", "connections").expect(0).stdout;
    assert_snapshot!(none, @r"
    there are no connections; `agentdrop connect` invites an account
    ");
    let connection = world.connect("them", "us");
    let incoming = world.owner("others", "-q connect us@example.org --message hi");
    let incoming = incoming.expect(0).stdout.trim().to_owned();
    let outgoing = world.owner("us", "-q connect nobody@example.org");
    let outgoing = outgoing.expect(0).stdout.trim().to_owned();
    let proposed = world.owner(
        "them",
        &format!("pair {connection} bob alice --receive-only"),
    );
    let pairings = world.json("us", &format!("pairings {connection}"));
    let pairing = said(&pairings["pairings"][0]["id"]).to_owned();
    let (alice, bob) = (
        public_key(&world, "us/alice"),
        public_key(&world, "them/bob"),
    );
    let fingerprints = ["us/alice", "them/bob"].map(|it| {
        let whoami = world.run(it, "--json whoami").expect(0).json();
        said(&whoami["key_fingerprint"]).to_owned()
    });
    let known = [
        (&*connection, "CONNECTION"),
        (&*incoming, "INCOMING"),
        (&*outgoing, "OUTGOING"),
        (&*pairing, "PAIRING"),
        (&*alice, "KEY-OF-ALICE"),
        (&*bob, "KEY-OF-BOB"),
        (&*fingerprints[0], "FINGERPRINT-OF-ALICE"),
        (&*fingerprints[1], "FINGERPRINT-OF-BOB"),
    ];
    let redacted = |text: &str| redacted(text, &known);
    assert_snapshot!(redacted(&proposed.expect(0).stdout), @r"
    ok proposed to pair bob with their alice
    pairing  PAIRING
    files  from their alice to your bob only
    their fingerprint  FINGERPRINT-OF-ALICE
    your fingerprint  FINGERPRINT-OF-BOB
    ");
    assert_snapshot!(redacted(&world.owner("us", "connections").expect(0).stdout), @r"
    Connected
    ID  EMAIL  SINCE  PAIRINGS  TO CONFIRM  ACCOUNT
    CONNECTION  them@example.org  AGO  0  1  them

    Invitations to you
    ID  EMAIL  SENT  ACCOUNT  MESSAGE
    INCOMING  others@example.org  AGO  others  hi

    Invitations from you
    ID  EMAIL  SENT  MESSAGE
    OUTGOING  nobody@example.org  AGO
    ");
    let listed = world.owner("us", &format!("pairings {connection}"));
    assert_snapshot!(redacted(&listed.expect(0).stdout), @r"
    ID  MINE  THEIRS  STATUS  BY  PROPOSED  FILES  THEIR KEY
    PAIRING  alice  bob  pending  them  AGO  from your alice to their bob only  FINGERPRINT-OF-BOB
    ");
    // Nobody can be asked here, but what it is can be seen.
    let asked = world.owner("us", &format!("confirm {pairing}")).expect(1);
    assert_snapshot!(redacted(&asked.stdout), @r"
    PAIRING (pending)
    account  them
    email  them@example.org
    their agent  bob
    their key  KEY-OF-BOB
    your agent  alice
    your key  KEY-OF-ALICE
    files  from your alice to their bob only
    their fingerprint  FINGERPRINT-OF-BOB
    your fingerprint  FINGERPRINT-OF-ALICE
    ");
    assert_snapshot!(redacted(&asked.stderr), @r"
    error: nobody can be asked whether to confirm it
    hint: look at it with `agentdrop pairings`, then agree with `--yes`
    ");
    let done = world
        .owner("us", &format!("confirm {pairing} --yes"))
        .expect(0);
    assert!(done.stdout.contains("\nok confirmed "), "{done:?}");
}

#[test]
fn who_is_asked_is_heard() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"])]);
    let connection = world.connect("us", "them");
    let proposed = world.owner("us", &format!("-q pair {connection} alice bob"));
    let pairing = proposed.expect(0).stdout.trim().to_owned();
    for (answer, status) in [("\n", 1), ("n\n", 1), ("yes\n", 0)] {
        let (said, ended) = world.on_a_terminal("them", &format!("confirm {pairing}"), || answer);
        assert!(said.contains("Confirm it? [y/N]"), "{said}");
        assert_eq!(ended, Some(status), "{said}");
        let listed = world.json("us", &format!("pairings {connection}"));
        let expected = if status == 0 { "active" } else { "pending" };
        assert_eq!(listed["pairings"][0]["status"], expected, "{answer:?}");
    }
}

#[test]
fn whoever_saw_a_key_before_pairing_knows_the_agent_by_it() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"])]);
    let connection = world.connect("us", "them");
    let proposed = world.owner("us", &format!("-q pair {connection} alice bob"));
    let pairing = proposed.expect(0).stdout.trim().to_owned();
    let line = format!("confirm {pairing} --config-dir them/bob");
    let (seen, ended) = world.on_a_terminal("them", &line, || "y\n");
    assert_eq!(ended, Some(0), "{seen}");
    let known = world.run("them/bob", "--json trust").expect(0).json();
    let alice = &known["agents"][0];
    assert_eq!(alice["how"], "pairing");
    assert!(seen.contains(said(&alice["key_fingerprint"])), "{seen}");
    let digits = said(&alice["digits"]).split(' ').take(4);
    let digits = digits.collect::<Vec<_>>().join(" ");
    assert!(seen.contains(&digits), "{seen}");
}

#[test]
fn other_terms_than_those_that_were_shown_are_not_agreed_to() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"])]);
    let connection = world.connect("us", "them");
    let proposed = world.owner(
        "us",
        &format!("-q pair {connection} alice bob --receive-only"),
    );
    let pairing = proposed.expect(0).stdout.trim().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let change = || {
        let http = Http::new(world.serve.url.clone());
        let path = format!("/v1/pairings/{pairing}");
        let body = json!({ "permission": "both" });
        let changed = runtime.block_on(http.patch(&path, world.key("us"), &body));
        changed.expect(200);
        "y\n"
    };
    let (said, ended) = world.on_a_terminal("them", &format!("confirm {pairing}"), change);
    assert!(said.contains("from your bob to their alice only"), "{said}");
    assert!(said.contains("not what was to be agreed to"), "{said}");
    assert_eq!(ended, Some(1), "{said}");
    let listed = world.json("them", &format!("pairings {connection}"));
    assert_eq!(
        listed["pairings"][0]["status"], "pending",
        "nothing was agreed to"
    );
}

#[test]
fn a_blocked_account_cannot_come_back_until_it_is_let() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"])]);
    let connection = world.connect("us", "them");
    let blocked = world.json("us", &format!("block {connection}"));
    assert_eq!(blocked["connection_revoked"], true);
    for account in ["us", "them"] {
        let other = if account == "us" { "them" } else { "us" };
        let line = format!("connect {other}@example.org");
        world.refused(account, &line, "BLOCKED");
    }
    assert_eq!(world.json("them", "blocked")["blocked"], json!([]));
    let listed = world.json("us", "blocked");
    assert_eq!(listed["blocked"][0]["account"]["email"], "them@example.org");
    let text = world.owner("us", "blocked").expect(0).stdout;
    assert!(text.contains("them@example.org"), "{text}");

    let id = said(&listed["blocked"][0]["id"]);
    world.refused("them", &format!("unblock {id}"), "NOT_FOUND");
    let unblocked = world.json("us", &format!("unblock {id}"));
    assert_eq!(
        unblocked["unblocked_account_id"],
        blocked["blocked_account_id"]
    );
    world.connect("them", "us");
}

#[test]
fn what_is_refused_says_what_to_do() {
    let world = World::new(&[("us", &["alice"]), ("them", &["bob"]), ("others", &["eve"])]);
    world.refused("us", "connect us@example.org", "SELF_CONNECTION");
    let line = "-q connect them@example.org";
    let id = world.owner("us", line).expect(0).stdout.trim().to_owned();
    let missing = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
    let all = [
        (
            "us",
            "connect them@example.org".to_owned(),
            "INVITE_PENDING",
        ),
        ("us", format!("accept {id}"), "FORBIDDEN"),
        (
            "us",
            format!("pair {id} alice bob"),
            "CONNECTION_NOT_ACTIVE",
        ),
        ("others", format!("accept {id}"), "NOT_FOUND"),
        ("others", format!("reject {id}"), "NOT_FOUND"),
        ("others", format!("block {id}"), "NOT_FOUND"),
        ("others", format!("connections revoke {id}"), "NOT_FOUND"),
        ("others", format!("connections agents {id}"), "NOT_FOUND"),
        ("others", format!("pairings {id}"), "NOT_FOUND"),
        ("us", format!("accept {missing}"), "NOT_FOUND"),
        ("us", format!("confirm {missing}"), "NOT_FOUND"),
        ("us", format!("unblock {missing}"), "NOT_FOUND"),
    ];
    for (account, line, code) in all {
        world.refused(account, &line, code);
    }
    world.owner("them", &format!("accept {id}")).expect(0);
    world.refused("us", "connect them@example.org", "ALREADY_CONNECTED");
    world.refused("them", &format!("accept {id}"), "ALREADY_PROCESSED");
    let text = world.refused("us", &format!("pair {id} alice nobody"), "AGENT_NOT_FOUND");
    assert!(text.contains("`agentdrop connections agents`"), "{text}");

    let line = format!("pair {id} alice bob");
    let paired = world.owner("us", &format!("-q {line}")).expect(0);
    let pairing = paired.stdout.trim().to_owned();
    world.refused("us", &line, "PAIRING_EXISTS");
    let confirm = format!("confirm {pairing}");
    world.refused("us", &format!("{confirm} --yes"), "CANNOT_CONFIRM_OWN");
    world.refused("others", &format!("{confirm} --yes"), "NOT_FOUND");
    world.refused("them", &confirm, "NOT_CONFIRMED");
    world.owner("them", &format!("{confirm} --yes")).expect(0);
    world.refused("them", &format!("{confirm} --yes"), "INVALID_STATUS");

    // The key of an agent cannot do what concerns the whole account.
    for line in [
        "connect x@example.org".to_owned(),
        "connections".to_owned(),
        "blocked".to_owned(),
        format!("block {id}"),
        format!("connections revoke {id}"),
    ] {
        let refused = world.run("us/alice", &format!("--json {line}")).expect(1);
        let error = &refused.json()["error"];
        assert_eq!(error["code"], "SCOPE_MISMATCH", "{line}");
        assert!(
            said(&error["hint"]).contains("AGENTDROP_API_KEY"),
            "{error}"
        );
    }
    let usage = format!("pair {id} alice bob --send-only --receive-only");
    for line in [
        "accept 5",
        "connections --status gone",
        "connect nobody",
        &usage,
    ] {
        world.owner("us", line).expect(2);
    }
}
