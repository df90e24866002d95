//! Links that were mailed, and what they are good for.

use std::fs;
use std::net::TcpListener;

use super::{EMAIL, PASSWORD, RECEIVE, World, content, text};
use crate::support::{Pair, Run, Sandbox, Serve, eventually};

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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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
