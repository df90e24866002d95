//! Servers: how they start, stop, and keep each other out.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Pair, Run, Sandbox, Serve, eventually};

#[test]
fn a_signal_stops_it_in_peace() {
    for signal in [Signal::TERM, Signal::INT] {
        let sandbox = Sandbox::new();
        let mut serve = Serve::start(&sandbox);
        serve.signal(signal);
        assert_eq!(serve.wait(), Some(0), "{}", serve.log());
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let pair = Pair::new();
    // A request whose body does not come keeps the server from stopping.
    let address = pair.serve.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /v1/api-keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n",
        pair.account_key
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut waits = [0; 12];
    stream.read_exact(&mut waits).unwrap();
    assert_eq!(&waits, b"HTTP/1.1 100");
    let Pair { mut serve, .. } = pair;
    serve.signal(Signal::TERM);
    let address = serve.url.trim_start_matches("http://").to_owned();
    eventually("it stops to listen", || {
        TcpStream::connect(&address).is_err()
    });
    serve.signal(Signal::TERM);
    let began = Instant::now();
    assert_eq!(serve.wait(), Some(130));
    assert!(began.elapsed().as_secs() < 5);
}

/// The status of an answer to a stranger, and how many at once it says they may send.
fn told_to_a_stranger(serve: &Serve) -> (String, Option<String>) {
    let mut stream = TcpStream::connect(serve.url.trim_start_matches("http://")).unwrap();
    let request = b"GET /v1/agents HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let mut lines = answer.lines();
    let status = lines.next().unwrap().to_owned();
    let limit = lines.find_map(|it| it.strip_prefix("ratelimit-limit: "));
    (status, limit.map(str::to_owned))
}

#[test]
fn it_limits_how_often_is_asked_unless_it_is_told_not_to() {
    let sandbox = Sandbox::new();
    let serve = Serve::start(&sandbox);
    let unknown = "HTTP/1.1 401 Unauthorized".to_owned();
    let (status, limit) = told_to_a_stranger(&serve);
    assert_eq!((&status, limit.as_deref()), (&unknown, Some("60")));
    drop(serve);
    let serve = Serve::start_with(&sandbox, &["--requests-per-minute", "0"]);
    for _ in 0..100 {
        assert_eq!(told_to_a_stranger(&serve), (unknown.clone(), None));
    }
}

#[test]
fn its_folder_is_its_own() {
    let sandbox = Sandbox::new();
    let serve = Serve::start(&sandbox);
    let mode = |name: &str| {
        let about = fs::metadata(serve.data_dir.join(name)).unwrap();
        about.permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("server.key")), (0o700, 0o600));

    let refused = sandbox
        .run("--json serve --data-dir data --listen 127.0.0.1:0")
        .expect(1);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "DATA_DIR_TAKEN");
    assert!(error["hint"].as_str().unwrap().contains("--data-dir"));
}

#[test]
fn a_database_is_served_with_its_own_key_or_not_at_all() {
    let sandbox = Sandbox::new();
    let mut serve = Serve::start(&sandbox);
    serve.signal(Signal::TERM);
    serve.wait();
    let (key, copy) = (serve.data_dir.join("server.key"), sandbox.path("copy"));
    fs::copy(&key, &copy).unwrap();
    let refused = |line: &str, status: i32| {
        let line = format!("--json serve --data-dir data --listen 127.0.0.1:0 {line}");
        let error = sandbox.run(&line).expect(status).json()["error"].clone();
        assert_eq!(error["code"], "SERVER_KEY", "{error}");
        error["message"].as_str().unwrap().to_owned()
    };

    // Not made anew, which would make everything unreadable.
    fs::remove_file(&key).unwrap();
    assert!(refused("", 2).contains("is missing"));
    assert!(!key.exists());
    sandbox.file("data/server.key", &[7; 32]);
    assert!(refused("", 1).contains("not the one"));
    sandbox.file("data/server.key", &[7; 31]);
    refused("", 2);
    assert!(refused("--server-key nowhere", 2).contains("is missing"));

    drop(Serve::start_with(
        &sandbox,
        &["--server-key", copy.to_str().unwrap()],
    ));
    fs::copy(&copy, &key).unwrap();
    drop(Serve::start(&sandbox));
}

#[test]
fn a_database_is_served_with_its_own_files_or_not_at_all() {
    let sandbox = Sandbox::new();
    let serve = Serve::start(&sandbox);
    let url = serve.url.clone();
    let mut serve = Pair::at(sandbox, serve, &url);
    serve.serve.signal(Signal::TERM);
    serve.serve.wait();
    let sandbox = &serve.sandbox;
    let elsewhere = "--json serve --data-dir data --listen 127.0.0.1:0 --blobs elsewhere";
    let error = sandbox.run(elsewhere).expect(1).json()["error"].clone();
    assert_eq!(error["code"], "BLOBS", "{error}");
    fs::remove_dir_all(sandbox.path("elsewhere")).unwrap();
    fs::rename(sandbox.path("data/blobs"), sandbox.path("elsewhere")).unwrap();
    drop(Serve::start_with(sandbox, &["--blobs", "elsewhere"]));
    let error = sandbox.run(&elsewhere.replace(" --blobs elsewhere", ""));
    assert_eq!(error.expect(1).json()["error"]["code"], "BLOBS");
}

#[test]
fn a_key_that_was_named_is_not_made() {
    let sandbox = Sandbox::new();
    let line = "--json serve --data-dir data --listen 127.0.0.1:0 --server-key nowhere";
    let error = sandbox.run(line).expect(2).json()["error"].clone();
    assert_eq!(error["code"], "SERVER_KEY");
    assert!(!sandbox.path("nowhere").exists());
}

#[test]
fn an_address_that_is_taken_and_one_for_everybody() {
    let sandbox = Sandbox::new();
    let serve = Serve::start(&sandbox);
    let taken = serve.url.trim_start_matches("http://");
    let line = format!("--json serve --data-dir other --listen {taken}");
    assert_eq!(
        sandbox.run(&line).expect(2).json()["error"]["code"],
        "LISTEN"
    );
    let line = "--json serve --data-dir other --listen 0.0.0.0:0";
    assert_eq!(
        sandbox.run(line).expect(1).json()["error"]["code"],
        "CONFIG"
    );
}

/// What `serve` complains of with its files in a bucket that cannot be used so.
fn complaint(line: &str, credentials: &[(&str, &str)], status: i32) -> (Value, String) {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["--json", "serve", "--listen", "127.0.0.1:0"]);
    for name in ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"] {
        command.env_remove(format!("AWS_{name}"));
        command.env_remove(format!("AGENTDROP_S3_{name}"));
    }
    command
        .args(line.split(' '))
        .envs(credentials.iter().copied());
    let failed = Run::of(&mut command).expect(status);
    let said = format!("{} {}", failed.json(), failed.stderr);
    (failed.json()["error"]["code"].clone(), said)
}

#[test]
fn a_bucket_that_cannot_be_used_is_said_to_be_none_and_its_secret_is_not_told() {
    let credentials = [
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
    ];
    let none: &[(&str, &str)] = &[];
    for (line, credentials, code, status) in [
        ("--blobs s3://drop/a", none, "CONFIG", 1),
        (
            "--blobs s3://drop --s3-endpoint http://s3.example.org",
            &credentials,
            "CONFIG",
            1,
        ),
        (
            "--blobs s3://drop --s3-endpoint http://127.0.0.1:1",
            &credentials,
            "BUCKET",
            2,
        ),
    ] {
        let (said_code, said) = complaint(line, credentials, status);
        assert_eq!(said_code, code, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn settings_come_from_the_environment_too() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["--json", "serve"]);
    command
        .env("AGENTDROP_DATA_DIR", "elsewhere")
        .env("AGENTDROP_LISTEN", "0.0.0.0:0")
        .env("AGENTDROP_SIGNUP", "closed")
        .env("AGENTDROP_DATABASE_URL", "mysql://user:hunter2@host/x");
    let failed = Run::of(&mut command).expect(2);
    assert!(sandbox.path("elsewhere").exists());
    assert_eq!(failed.json()["error"]["code"], "DATABASE");
    assert!(!failed.stdout.contains("hunter2"), "{failed:?}");
}

#[test]
fn a_closed_server_makes_no_accounts_for_strangers() {
    let sandbox = Sandbox::new();
    let serve = Serve::start_with(&sandbox, &["--signup", "closed"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = serde_json::json!({ "name": "x", "email": "x@example.org" });
    let http = agentdrop_testkit::http::Http::new(serve.url.clone());
    let answer = runtime.block_on(http.post("/v1/accounts", "", &body));
    answer.expect_error(403, "SIGNUP_CLOSED");
}

#[test]
fn its_log_is_json_and_holds_no_secret() {
    let pair = Pair::new();
    pair.file("a secret name.txt", b"a secret content");
    let mut send = pair
        .sandbox
        .command(["--config-dir", "alice", "send", "bob"]);
    send.args(["--message", "a secret message", "a secret name.txt"]);
    Run::of(&mut send).expect(0);
    pair.run("bob", "receive --to in").expect(0);
    let log = pair.serve.log();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(
        log.contains("/v1/transfers/{transfer_id}/download"),
        "{log}"
    );
    let mut secrets = vec![
        "agd_live_".to_owned(),
        "ada_live_".to_owned(),
        "a secret".to_owned(),
    ];
    for agent in ["alice", "bob"] {
        let config = fs::read(pair.path(agent).join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        secrets.push(config["private_key"].as_str().unwrap().to_owned());
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}");
    }
}
