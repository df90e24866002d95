//! Folders between two of ours: packed by the one, unpacked by the other.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Pair, Run, names};

/// A folder with folders in it, an empty one too, and something that can be run.
fn report(pair: &Pair) {
    fs::create_dir_all(pair.path("report/sub/deeper")).unwrap();
    fs::create_dir(pair.path("report/nothing")).unwrap();
    pair.file("report/a.txt", b"a text");
    pair.file("report/sub/deeper/empty", b"");
    let run = pair.file("report/sub/run", b"#!/bin/sh\nexit 0\n");
    fs::set_permissions(run, Permissions::from_mode(0o755)).unwrap();
}

fn assert_report(folder: &Path) {
    assert_eq!(names(folder), ["a.txt", "nothing", "sub"]);
    assert_eq!(names(&folder.join("nothing")), [""; 0]);
    assert_eq!(names(&folder.join("sub")), ["deeper", "run"]);
    assert_eq!(names(&folder.join("sub/deeper")), ["empty"]);
    assert_eq!(fs::read(folder.join("a.txt")).unwrap(), b"a text");
    assert_eq!(fs::read(folder.join("sub/deeper/empty")).unwrap(), b"");
    let mode = |name: &str| {
        fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("sub/run") & 0o100, 0o100);
    assert_eq!(mode("a.txt") & 0o111, 0);
    let run = Command::new(folder.join("sub/run")).status();
    assert!(run.unwrap().success());
}

fn send(pair: &Pair) {
    pair.run("alice", "send bob report/").expect(0);
}

#[test]
fn a_folder_that_was_sent_is_received_as_that_folder() {
    let pair = Pair::compatible();
    report(&pair);
    send(&pair);
    let listed = pair.run("bob", "inbox").expect(0);
    assert!(listed.stdout.contains(" report/\n"), "{listed:?}");
    let id = pair.run("bob", "-q inbox").expect(0).stdout;
    let shown = pair.run("bob", &format!("show {}", id.trim())).expect(0);
    assert!(shown.stdout.contains("folder     report/, "), "{shown:?}");
    let received = pair.json("bob", "receive --to in");
    assert_eq!(received["received"][0]["files"][0]["folder"], true);
    assert_eq!(received["received"][0]["notes"], serde_json::json!([]));
    assert_eq!(names(&pair.path("in")), ["report"]);
    assert_report(&pair.path("in/report"));

    // Once more: beside the one that is there, which stays as it is.
    pair.file("in/report/a.txt", b"changed");
    send(&pair);
    pair.run("bob", "receive --to in").expect(0);
    assert_eq!(names(&pair.path("in")), ["report", "report (1)"]);
    assert_report(&pair.path("in/report (1)"));
    let first = fs::read(pair.path("in/report/a.txt")).unwrap();
    assert_eq!(first, b"changed");
}

#[test]
fn whoever_wants_the_tar_has_it() {
    let pair = Pair::new();
    report(&pair);
    send(&pair);
    let run: Run = pair.run("bob", "receive --no-unpack --to in").expect(0);
    assert!(run.stdout.contains("report.tar"), "{run:?}");
    assert_eq!(names(&pair.path("in")), ["report.tar"]);
    let into = pair.path("in/report");
    fs::create_dir(&into).unwrap();
    let mut unpack = Command::new("tar");
    unpack.arg("xf").arg(pair.path("in/report.tar"));
    assert!(unpack.arg("-C").arg(&into).status().unwrap().success());
    assert_report(&into);
}

#[test]
fn links_are_refused_by_name_or_left_out_and_told() {
    let pair = Pair::new();
    report(&pair);
    for name in ["report/link", "report/sub/link"] {
        symlink("/etc/passwd", pair.path(name)).unwrap();
    }
    let refused = pair.run("alice", "--json send bob report").expect(1).json();
    let error = &refused["error"];
    assert_eq!(error["code"], "IS_A_LINK");
    let message = error["message"].as_str().unwrap();
    assert!(message.ends_with("files: link, sub/link"), "{message}");
    assert!(error["hint"].as_str().unwrap().contains("`--skip-links`"));

    let sent = pair.json("alice", "send bob report --skip-links");
    let left_out = serde_json::json!(["report/link", "report/sub/link"]);
    assert_eq!(sent["left_out"], left_out);
    pair.run("bob", "receive --to in").expect(0);
    assert_report(&pair.path("in/report"));
    let told = pair.run("alice", "send bob report --skip-links").expect(0);
    let warned = "left out report/link, report/sub/link";
    assert!(told.stderr.contains(warned), "{told:?}");
}
