//! What can be sent beside files: folders, and standard input.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::{Far, MIB, assert_all_sent, ended, noise};
use crate::support::{Pair, Run, names};

fn received(pair: &Pair) {
    fs::remove_dir_all(pair.path("in")).ok();
    fs::create_dir_all(pair.path("in")).unwrap();
    let words = "receive --to in --config-dir bob";
    Run::of(&mut pair.sandbox.command(words.split_whitespace())).expect(0);
}

#[test]
fn standard_input_is_sent_whatever_its_size() {
    let pair = Pair::new();
    let typed = |line: &str, input: &str| {
        let line = format!("--json {line} --config-dir alice");
        pair.sandbox.typed(&line, input).expect(0).json()
    };
    pair.file("a", b"beside");
    for (line, name, input) in [
        ("send bob -", "stdin", ""),
        ("send bob - --name report.txt", "report.txt", "some text\n"),
        ("send bob a - --name b", "b", "more"),
    ] {
        let sent = typed(line, input);
        assert_eq!(sent["resumed"], false);
        received(&pair);
        assert_eq!(
            fs::read_to_string(pair.path("in").join(name)).unwrap(),
            input
        );
    }
    assert_eq!(names(&pair.path("in")), ["a", "b"]);
    let large = "0123456789abcde\n".repeat(2_200_000);
    let sent = typed("send bob - --name large", &large);
    assert_all_sent(&sent, large.len() as u64);
    received(&pair);
    assert!(fs::read_to_string(pair.path("in/large")).unwrap() == large);
    assert!(!pair.path("alice/uploads").exists(), "nothing could go on");
}

#[test]
fn a_folder_is_packed_on_its_way_and_goes_on_where_it_stopped() {
    let far = Far::new();
    let pair = &far.pair;
    fs::create_dir_all(pair.path("report/sub/nothing")).unwrap();
    let content = noise(33 * MIB);
    pair.file("report/large", &content);
    pair.file("report/sub/b.txt", b"text");
    let run = pair.file("report/sub/run", b"#!/bin/sh\n");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    pair.file("beside", b"a file");
    let line = "--json send bob report/ beside";
    far.killed_after(20 * MIB, line);
    let sent = ended(far.send(line)).expect(0).json();
    assert_eq!(sent["resumed"], true);
    let names: Vec<_> = sent["files"].as_array().unwrap().iter().collect();
    // The server learns no names, and not what was a folder.
    assert_eq!(names[1]["name"], "1");
    let waits = pair.json("bob", "inbox");
    let metadata = &waits["transfers"][0]["metadata"];
    assert_eq!(metadata["agentdrop"], serde_json::Value::Null);

    received(pair);
    // Whoever receives it with a client that knows of folders has it unpacked.
    let (into, tar) = (pair.path("in/report"), pair.path("in/report.tar"));
    if tar.exists() {
        fs::create_dir(&into).unwrap();
        let mut unpack = Command::new("tar");
        unpack.arg("xf").arg(&tar).arg("-C").arg(&into);
        assert!(unpack.status().unwrap().success());
    }
    assert!(fs::read(into.join("large")).unwrap() == content);
    assert_eq!(fs::read(into.join("sub/b.txt")).unwrap(), b"text");
    assert!(into.join("sub/nothing").is_dir());
    let mode = |name: &str| fs::metadata(into.join(name)).unwrap().permissions().mode() & 0o111;
    assert!(mode("sub/run") != 0 && mode("sub/b.txt") == 0);
    assert_eq!(fs::read(pair.path("in/beside")).unwrap(), b"a file");
}
