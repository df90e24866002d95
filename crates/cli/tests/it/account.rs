//! What the owner of an account does: signing in, settings, password, export, the end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use agentdrop_client::write_private;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use serde_json::{Value, json};

use crate::support::{Run, Sandbox, Serve, eventually, names};

const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";

/// A server with an account, whose owner has not signed in.
struct World {
    sandbox: Sandbox,
    serve: Serve,
    key: String,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let serve = Serve::start(&sandbox);
        let made = format!(
            "--json account create --name Ann --email {EMAIL} --password-stdin --server {}",
            serve.url
        );
        let made = sandbox.typed(&made, PASSWORD).expect(0).json();
        let key = made["api_key"].as_str().unwrap().to_owned();
        Self {
            sandbox,
            serve,
            key,
        }
    }

    fn login(&self) -> Value {
        let line = format!(
            "--json login {EMAIL} --password-stdin --server {}",
            self.serve.url
        );
        self.sandbox.typed(&line, PASSWORD).expect(0).json()
    }

    /// Runs a line that has to be refused with this code.
    #[track_caller]
    fn refused(&self, line: &str, input: &str, code: &str) {
        let run = self.sandbox.typed(&format!("--json {line}"), input);
        assert_eq!(run.expect(1).json()["error"]["code"], code, "{line}");
    }
}

#[test]
fn a_person_signs_in_and_out() {
    let world = World::new();
    world.refused("account", "", "NO_SERVER");
    let login = format!(
        "login {EMAIL} --password-stdin --server {}",
        world.serve.url
    );
    world.refused(&login, "wrong horse battery", "UNAUTHORIZED");
    world.refused(&login, "short", "PASSWORD");

    let signed_in = world.login();
    assert_eq!(signed_in["account"]["email"], EMAIL);
    let kept = world.sandbox.path("../home/.agentdrop/session.json");
    assert_eq!(
        fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        !signed_in.to_string().contains("ags_"),
        "the token is kept, not shown"
    );

    // The server is known from the session, and no key is needed.
    let account = world.sandbox.json("account");
    assert_eq!(
        (&account["name"], &account["has_password"]),
        (&json!("Ann"), &json!(true))
    );
    assert_eq!(world.sandbox.json("connections")["active"], json!([]));
    let sessions = world.sandbox.json("account sessions");
    assert_eq!(sessions["sessions"][0]["current"], true);

    let out = world.sandbox.json("logout");
    assert_eq!(out["ended"], true);
    assert!(!kept.exists());
    world.refused("logout", "", "NOT_SIGNED_IN");
    let sessions = format!("account sessions --server {}", world.serve.url);
    world.refused(&sessions, "", "NOT_SIGNED_IN");
}

#[test]
fn a_session_that_was_ended_elsewhere_can_still_be_forgotten() {
    let world = World::new();
    world.login();
    let id = world.login()["session"].as_str().unwrap().to_owned();
    let all = world.sandbox.json("account sessions");
    assert_eq!(all["sessions"].as_array().unwrap().len(), 2);
    world.sandbox.json(&format!("account sessions --end {id}"));
    world.refused("account", "", "UNAUTHORIZED");
    assert_eq!(world.sandbox.json("logout")["ended"], false);
}

#[test]
fn a_session_goes_to_no_other_server() {
    let world = World::new();
    world.login();
    let other = Serve::start_in(&world.sandbox, "other");
    for line in ["account", "account sessions", "connections"] {
        let line = format!("--json {line} --server {}", other.url);
        let run = world.sandbox.run(&line).expect(1).json();
        let code = run["error"]["code"].as_str().unwrap();
        assert!(
            matches!(code, "NO_API_KEY" | "NOT_SIGNED_IN"),
            "{line}: {code}"
        );
    }
    assert!(!other.log().contains("/v1/account"));
}

#[test]
fn others_must_not_read_the_session() {
    let world = World::new();
    world.login();
    let kept = world.sandbox.path("../home/.agentdrop/session.json");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
    world.refused("account", "", "FILE_TOO_OPEN");
    // With a key, nobody looks.
    let url = &world.serve.url;
    let mut command = world.sandbox.command(["account", "--server", url]);
    Run::of(command.env("AGENTDROP_API_KEY", &world.key)).expect(0);
}

#[test]
fn settings_usage_and_log_are_shown_and_changed() {
    let world = World::new();
    world.login();
    let set = world
        .sandbox
        .json("account set --name Anna --require-encryption true");
    assert_eq!(
        (&set["name"], &set["require_encryption"]),
        (&json!("Anna"), &json!(true))
    );
    world.sandbox.run("account set").expect(2);
    let usage = world.sandbox.json("account usage");
    assert_eq!(
        (&usage["plan"], &usage["transfers"]["used"]),
        (&json!("enterprise"), &json!(0))
    );
    let log = world.sandbox.json("audit --limit 2");
    assert_eq!(log["entries"][0]["action"], "account.updated");
    assert_eq!(log["entries"][1]["action"], "session.created");
    assert_eq!(log["has_more"], true);
    let text = world.sandbox.run("audit").expect(0).stdout;
    assert!(text.contains("account.created"), "{text}");
}

#[test]
fn another_password_ends_other_sessions() {
    let world = World::new();
    world.login();
    let kept = world.sandbox.path("../home/.agentdrop/session.json");
    let other = fs::read(&kept).unwrap();
    world.login();
    let new = "another horse battery";
    let line = "account password --password-stdin";
    world.refused(line, &format!("wrong horse battery\n{new}"), "UNAUTHORIZED");
    let changed = world.sandbox.typed(line, &format!("{PASSWORD}\n{new}\n"));
    changed.expect(0);
    world.sandbox.json("account");
    write_private(&kept, &other).unwrap();
    world.refused("account", "", "UNAUTHORIZED");
}

#[test]
fn a_forgotten_password_is_set_by_mail() {
    let world = World::new();
    let server = format!("--server {}", world.serve.url);
    let outbox = world.serve.data_dir.join("outbox");
    world.sandbox.json(&format!(
        "account reset-password nobody@example.org {server}"
    ));
    world
        .sandbox
        .json(&format!("account reset-password {EMAIL} {server}"));
    eventually("a mail", || outbox.exists() && names(&outbox).len() == 1);
    let mail = fs::read_to_string(outbox.join(&names(&outbox)[0])).unwrap();
    // Quoted-printable breaks lines.
    let mail = mail.replace("=\r\n", "").replace("=\n", "");
    let token = mail.split("--token ").nth(1).unwrap();
    let token: String = token
        .chars()
        .take_while(|it| it.is_ascii_alphanumeric() || *it == '_')
        .collect();
    let reset = format!("account reset-password --token {token} --password-stdin {server}");
    let new = "another horse battery";
    world.sandbox.typed(&reset, new).expect(0);
    world.refused(&reset, new, "GONE");
    let login = format!("login {EMAIL} --password-stdin {server}");
    world.refused(&login, PASSWORD, "UNAUTHORIZED");
    world.sandbox.typed(&login, new).expect(0);
    let key = ApiKey::new(KeyKind::Agent, &std::array::from_fn(|_| 7)).unwrap();
    let no_link = format!("account verify {} {server}", key.expose_secret());
    world.sandbox.run(&no_link).expect(2);
}

#[test]
fn all_that_is_known_is_exported_and_deleted() {
    let world = World::new();
    world.login();
    world.sandbox.json("account export all.json");
    let all: Value =
        serde_json::from_slice(&fs::read(world.sandbox.path("all.json")).unwrap()).unwrap();
    assert_eq!(all["account"]["email"], EMAIL);
    let again = world.sandbox.run("account export all.json").expect(2);
    assert!(again.stderr.contains("all.json"), "{again:?}");
    let printed = world.sandbox.run("account export -").expect(0).json();
    assert_eq!(printed["account"], all["account"]);
    assert_eq!(
        names(&world.sandbox.path("")),
        ["all.json", "data", "serve.log"]
    );

    let delete = "account delete --password-stdin";
    world.refused(delete, PASSWORD, "NOT_CONFIRMED");
    let delete = "account delete --yes --password-stdin";
    world.refused(delete, "wrong horse battery", "UNAUTHORIZED");
    world.sandbox.typed(delete, PASSWORD).expect(0);
    assert!(
        !world
            .sandbox
            .path("../home/.agentdrop/session.json")
            .exists()
    );
    let mut command = world
        .sandbox
        .command(["--json", "account", "--server", &world.serve.url]);
    let gone = Run::of(command.env("AGENTDROP_API_KEY", &world.key)).expect(1);
    assert_eq!(gone.json()["error"]["code"], "UNAUTHORIZED");
}

#[test]
fn what_is_typed_as_a_password_is_not_seen() {
    let world = World::new();
    let server = [("AGENTDROP_SERVER", &*world.serve.url)];
    let asked = world.sandbox.terminal(&format!("login {EMAIL}"), &server);
    let (seen, status) = asked
        .answered("Password: ", || "correct horse battery\n")
        .end();
    assert_eq!(status, Some(0), "{seen}");
    assert!(
        seen.contains("signed in as Ann") && !seen.contains("horse"),
        "{seen}"
    );

    let asked = world.sandbox.terminal("account password", &server);
    let asked = asked.answered("Current password: ", || "correct horse battery\n");
    let asked = asked.answered("New password: ", || "another horse battery\n");
    let (seen, status) = asked
        .answered("once more: ", || "another house battery\n")
        .end();
    assert_eq!(status, Some(1), "{seen}");
    assert!(
        seen.contains("the two passwords are not the same") && !seen.contains("horse"),
        "{seen}"
    );
}

#[test]
fn a_terminal_shows_what_is_typed_again_when_the_question_was_broken_off() {
    let world = World::new();
    let server = [("AGENTDROP_SERVER", &*world.serve.url)];
    // What `stty` says after it is what a shell would go on with.
    let line = format!("login {EMAIL}; stty -a");
    let asked = world.sandbox.terminal(&line, &server);
    let (seen, _) = asked.answered("Password: ", || "\x03").end();
    let (_, modes) = seen.split_once("Password: ").unwrap();
    assert!(
        modes.contains(" echo ") && !modes.contains("-echo "),
        "{seen}"
    );
}

#[test]
fn a_person_is_not_stopped_by_the_agent_whose_folder_they_are_in() {
    let world = World::new();
    world.login();
    // Registering takes the session, too.
    world.sandbox.json("register alice");
    assert!(world.sandbox.path(".agentdrop/config.json").exists());
    let account = world.sandbox.json("account");
    assert_eq!(account["email"], EMAIL);
    for line in [
        "account usage",
        "audit",
        "keys",
        "connections",
        "agents",
        "account sessions",
    ] {
        world.sandbox.json(line);
    }
    world.sandbox.json("account set --name Anna");
    // What is the agent's stays the agent's.
    assert_eq!(world.sandbox.json("inbox")["total"], 0);
    world.sandbox.run("agents delete alice").expect(1);
    world.sandbox.json("agents delete alice --yes");
    world.sandbox.json("logout");
    world.refused("account", "", "UNAUTHORIZED");
}

#[test]
fn a_key_that_is_set_is_not_passed_over_for_somebodys_session() {
    let world = World::new();
    world.login();
    let other = "admin account create --name Ben --email ben@example.org --data-dir data";
    let other = world.sandbox.json(other);
    let key = other["api_key"].as_str().unwrap();
    let with_key = |line: &str| {
        let mut command = world.sandbox.command(line.split_whitespace());
        Run::of(command.env("AGENTDROP_API_KEY", key))
    };
    let account = with_key("--json account").expect(1).json();
    assert_eq!(
        account["error"]["code"], "NO_SERVER",
        "the session's server is not looked up"
    );
    let account = with_key(&format!("--json account --server {}", world.serve.url));
    assert_eq!(account.expect(0).json()["email"], "ben@example.org");
    for line in [
        "account export -",
        "account sessions",
        "account delete --yes --password-stdin",
    ] {
        let refused = with_key(&format!("--json {line} --server {}", world.serve.url));
        assert_eq!(
            refused.expect(1).json()["error"]["code"],
            "SESSION_REQUIRED",
            "{line}"
        );
    }
    assert_eq!(
        world.sandbox.json("account")["email"],
        EMAIL,
        "nothing of hers went"
    );
}

#[test]
fn two_people_connect_and_pair_and_part_without_a_key() {
    let world = World::new();
    let server = format!("--server {}", world.serve.url);
    let other =
        format!("account create --name Ben --email ben@example.org --password-stdin {server}");
    world.sandbox.typed(&other, PASSWORD).expect(0);
    for (who, email) in [("ann", EMAIL), ("ben", "ben@example.org")] {
        let login = format!("login {email} --password-stdin {server} --config-dir {who}");
        world.sandbox.typed(&login, PASSWORD).expect(0);
    }
    let run = |who: &str, line: &str| world.sandbox.json(&format!("{line} --config-dir {who}"));
    let id = |said: &Value| said["id"].as_str().unwrap().to_owned();
    run("ann", &format!("register alice {server}"));
    run("ben", &format!("register bob {server}"));
    let connection = id(&run("ann", "connect ben@example.org"));
    run("ben", &format!("accept {connection}"));
    let pairing = id(&run(
        "ann",
        &format!("pair {connection} alice bob --send-only"),
    ));
    run("ben", &format!("confirm {pairing} --yes"));

    let unsaid = format!("--json pairings change {pairing} --config-dir ben");
    let unsaid = world.sandbox.run(&unsaid).expect(1).json();
    assert_eq!(unsaid["error"]["code"], "USAGE");
    run("ben", &format!("pairings change {pairing} --both"));
    let list = |who: &str| {
        let line = format!("pairings {connection} --config-dir {who}");
        world.sandbox.run(&line).expect(0).stdout
    };
    assert!(
        list("ann").contains("them") && list("ben").contains("you"),
        "{}",
        list("ann")
    );
    run("ann", &format!("confirm {pairing} --yes"));

    let revoked = run("ann", &format!("pairings revoke {pairing}"));
    assert_eq!(revoked["status"], "revoked");
    let file = world.sandbox.file("report", b"numbers");
    let send = format!("--json send bob {} --config-dir ann", file.display());
    let refused = world.sandbox.run(&send).expect(1).json();
    assert_eq!(
        refused["error"]["code"], "NO_SUCH_AGENT",
        "whose pairing has ended is nobody to the other side"
    );
}
