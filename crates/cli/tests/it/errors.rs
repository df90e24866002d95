//! What goes wrong, and what is said then.

use insta::assert_snapshot;

use crate::support::{Pair, Run, Sandbox, answers_always};

/// An error has one sentence and one hint, as text and as JSON, and the same exit status.
#[track_caller]
fn refused(sandbox: &Sandbox, line: &str, status: i32) -> (String, String) {
    let text = sandbox.run(line).expect(status);
    assert_eq!(text.stdout, "");
    let lines: Vec<&str> = text.stderr.lines().collect();
    assert!(
        matches!(&lines[..], [error, hint] if error.starts_with("error: ") && hint.starts_with("hint: ")),
        "{lines:?}"
    );
    let json = sandbox.run(&format!("--json {line}")).expect(status);
    assert_eq!(json.stderr, "");
    let error = json.json()["error"].clone();
    let said = |field: &str| error[field].as_str().unwrap().to_owned();
    let expected = [
        format!("error: {}", said("message")),
        format!("hint: {}", said("hint")),
    ];
    assert_eq!(lines, expected);
    (said("code"), text.stderr)
}

#[test]
fn what_cannot_be_sent() {
    let pair = Pair::new();
    std::fs::create_dir(pair.path("folder")).unwrap();
    std::os::unix::fs::symlink("a", pair.path("folder/link")).unwrap();
    pair.file("a", b"a");
    for (line, status, code) in [
        ("send bob missing", 2, "IO"),
        ("send bob folder", 1, "IS_A_LINK"),
        ("send bob - -", 1, "STDIN"),
        ("send bob a --name b", 1, "STDIN"),
        ("send bob /dev/null", 1, "NOT_A_FILE"),
        ("send nobody a", 1, "NO_SUCH_AGENT"),
        ("show tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6", 1, "NOT_FOUND"),
        (
            "receive tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6",
            1,
            "NOT_FOUND",
        ),
        ("keys", 1, "SCOPE_MISMATCH"),
    ] {
        let (said, text) = refused(&pair.sandbox, &format!("{line} --config-dir alice"), status);
        assert_eq!(said, code, "{line}: {text}");
    }
}

#[test]
fn without_an_identity_a_server_or_a_key() {
    let sandbox = Sandbox::new();
    sandbox.file("a", b"a");
    for (line, code) in [
        ("send bob a", "NO_IDENTITY"),
        ("receive", "NO_IDENTITY"),
        ("inbox", "NO_SERVER"),
        ("register alice", "NO_SERVER"),
        ("inbox --server http://127.0.0.1:1", "NO_API_KEY"),
        (
            "inbox --server ftp://x --api-key agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe",
            "SERVER_URL",
        ),
        (
            "inbox --server http://example.org --api-key agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe",
            "PLAIN_HTTP",
        ),
        ("inbox --api-key agd_live_0123", "API_KEY"),
        ("admin account list", "NO_DATA"),
    ] {
        assert_eq!(refused(&sandbox, line, 1).0, code, "{line}");
    }
    assert!(!sandbox.path("agentdrop-data").exists());
}

#[test]
fn a_server_that_is_not_there_or_none() {
    let sandbox = Sandbox::new();
    let key = "--api-key agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe";
    let (code, text) = refused(
        &sandbox,
        &format!("inbox --server http://127.0.0.1:1 {key}"),
        2,
    );
    assert_eq!(code, "UNREACHABLE");
    assert!(
        text.contains("cannot connect to http://127.0.0.1:1"),
        "{text}"
    );

    let other = answers_always("200 OK", "<html>hello</html>");
    assert_eq!(
        refused(&sandbox, &format!("inbox --server {other} {key}"), 2).0,
        "BAD_ANSWER"
    );
}

#[test]
fn what_a_server_says_does_not_act_on_the_terminal() {
    let sandbox = Sandbox::new();
    let body =
        r#"{"error":{"code":"FORBIDDEN","message":"\u001b[2J\u001b]0;x\u0007no","status":403}}"#;
    let server = answers_always("403 Forbidden", body);
    let key = "--api-key agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe";
    let (_, text) = refused(&sandbox, &format!("inbox --server {server} {key}"), 1);
    assert!(
        text.contains(r"\u{1b}[2J") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn a_wrong_key_is_not_repeated() {
    let pair = Pair::new();
    let wrong = "agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe";
    let line = format!("whoami --config-dir alice --api-key {wrong}");
    let (code, text) = refused(&pair.sandbox, &line, 1);
    assert_eq!(code, "UNAUTHORIZED");
    assert!(!text.contains("0123456789"), "{text}");
    let (_, text) = refused(&pair.sandbox, &format!("{line}x"), 1);
    assert!(!text.contains("0123456789"), "{text}");
}

#[test]
fn what_is_mistyped() {
    let sandbox = Sandbox::new();
    for line in [
        "send bob a --expires-in 3weeks",
        "send bob a --expires-in 2000d",
        "send bob a --max-downloads 0",
        "send bob/../x a",
        "send bob",
        "show 5",
        "inbox --status gone",
        "receive --frobnicate",
        "serve --signup maybe",
        "serve --listen nowhere",
        "no-such-command",
    ] {
        let text = sandbox.run(line).expect(2);
        assert_eq!(text.stdout, "");
        assert!(
            text.stderr.starts_with("error: ") && text.stderr.contains("\nhint: "),
            "{text:?}"
        );
        let json = sandbox.run(&format!("--json {line}")).expect(2).json();
        assert_eq!(json["error"]["code"], "USAGE", "{json}");
        assert!(json["error"]["hint"].is_string());
    }
    let text = sandbox.run("send bob a --expires-in 3weeks").stderr;
    assert_snapshot!(text, @r"
    error: invalid value '3weeks' for '--expires-in <TIME>': must be a number and m, h or d, like 90m, 24h or 7d
    hint: `--help` says what is expected
    ");
}

#[test]
fn a_key_is_read_from_standard_input() {
    let pair = Pair::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::io::copy(
        &mut pair.account_key.as_bytes(),
        &mut std::fs::File::create(&path).unwrap(),
    )
    .unwrap();
    let mut command = pair
        .sandbox
        .command(["-q", "agents", "--api-key", "-", "--server"]);
    command
        .arg(&pair.serve.url)
        .stdin(std::fs::File::open(path).unwrap());
    assert_eq!(Run::of(&mut command).expect(0).stdout, "alice\nbob\n");
}

#[test]
fn what_cannot_be_said_is_a_failure() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["completions", "bash"]);
    command.stdout(
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap(),
    );
    let run = Run::of(&mut command).expect(2);
    assert!(
        run.stderr
            .starts_with("error: cannot write to standard output"),
        "{run:?}"
    );
}

#[test]
fn what_was_deleted_says_so_when_it_is_deleted_again() {
    let pair = Pair::new();
    pair.file("a", b"1");
    let sent = pair.json("alice", "send bob a");
    let id = sent["id"].as_str().unwrap();
    pair.run("alice", &format!("delete {id}")).expect(0);
    let again = pair.run("alice", &format!("--json delete {id}")).expect(1);
    assert_eq!(again.json()["error"]["code"], "ALREADY_DELETED");
    let shown = pair.json("alice", &format!("show {id}"));
    assert_eq!(shown["status"], "deleted");
    let received = pair.run("bob", &format!("--json receive {id}")).expect(1);
    assert_eq!(received.json()["error"]["code"], "GONE");
}

#[test]
fn who_has_no_identity_is_told_what_people_do() {
    let sandbox = Sandbox::new();
    sandbox.file("a", b"1");
    for line in ["receive", "send bob a"] {
        let refused = sandbox.run(&format!("--json {line}")).expect(1).json();
        let hint = refused["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("`agentdrop register`"), "{hint}");
        assert!(hint.contains("`agentdrop open`"), "{hint}");
    }
}
