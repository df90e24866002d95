//! `kill -9` at every step between "it is kept from the agent" and "its sender knows".
//!
//! A small library that is preloaded counts the steps; see `kill.c`. It is built by the C compiler that
//! building this needs anyway.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ORDERS;
use crate::support::{Pair, Run, names};

const KILLED: i32 = 9;
/// It takes far fewer steps.
const MOST: u32 = 200;

#[test]
fn nothing_is_lost_or_placed_and_the_sender_is_told_once_wherever_it_is_killed() {
    every_step(&Pair::new(), "verified");
}

#[test]
fn nor_is_it_in_the_formats_of_the_published_clients() {
    // Their formats have no receipts.
    every_step(&Pair::compatible(), "none");
}

fn every_step(pair: &Pair, receipt: &str) {
    let library = library(&pair.path("."));
    pair.file("figures.txt", ORDERS);
    pair.file("notes.txt", b"The meeting is on Tuesday.\n");
    let (mut before, mut after) = (0, 0);
    for step in 1..MOST {
        let sent = pair.json("alice", "send bob figures.txt notes.txt");
        let id = sent["id"].as_str().unwrap();
        if !is_killed(pair, id, &library, step) {
            assert!(before > 8 && after > 2, "{before} and {after} steps");
            return;
        }
        if in_quarantine(pair) == [id] {
            after += 1;
        } else {
            before += 1;
        }
        check(pair, id, receipt);
    }
    panic!("it does not end");
}

fn library(folder: &Path) -> PathBuf {
    let library = folder.join("kill.so");
    let made = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/shield/kill.c"))
        .status();
    assert!(made.unwrap().success(), "the C compiler fails");
    library
}

/// Receives it, and is killed before this step; or it ends before.
fn is_killed(pair: &Pair, id: &str, library: &Path, step: u32) -> bool {
    let line = format!("--json receive {id} --to in --config-dir bob");
    let mut receive = pair.sandbox.command(line.split_whitespace());
    receive.env("LD_PRELOAD", library);
    receive.env("TEST_KILL_BEFORE", step.to_string());
    let ended = receive.output().unwrap();
    if ended.status.signal() == Some(KILLED) {
        return true;
    }
    let error = Run::from(ended).expect(1).json()["error"]["code"].clone();
    assert_eq!(error, "SHIELD_BLOCKED");
    false
}

/// What the next process makes of it.
fn check(pair: &Pair, id: &str, receipt: &str) {
    assert_eq!(visible(&pair.path("in")), [""; 0], "nothing is placed");
    let again = pair.run("bob", &format!("--json receive {id} --to in"));
    let code = again.expect(1).json()["error"]["code"].clone();
    assert!(
        ["SHIELD_BLOCKED", "IN_QUARANTINE"].contains(&code.as_str().unwrap()),
        "{code}"
    );

    assert_eq!(names(&pair.path("in")), [""; 0], "nothing is left over");
    assert_eq!(names(&pair.path("bob/quarantine")), [id]);
    let held = pair.path("bob/quarantine").join(id);
    assert_eq!(
        names(&held).len(),
        3,
        "two files, and what is known of them"
    );
    let shown = pair.json("alice", &format!("show {id}"));
    let told = shown["deliveries"].as_array().unwrap();
    assert_eq!(
        (told.len(), told[0]["status"].as_str()),
        (1, Some("received"))
    );
    assert_eq!(told[0]["receipt_check"], receipt);
    pair.run("bob", &format!("quarantine release {id} --to out --yes"))
        .expect(0);
    assert_eq!(fs::read(pair.path("out/figures.txt")).unwrap(), ORDERS);
    assert_eq!(names(&pair.path("bob/quarantine")), [""; 0]);
    fs::remove_dir_all(pair.path("out")).unwrap();
}

/// The transfers that are whole in quarantine.
fn in_quarantine(pair: &Pair) -> Vec<String> {
    let entries = fs::read_dir(pair.path("bob/quarantine"))
        .into_iter()
        .flatten()
        .flatten();
    let names = entries.filter_map(|it| it.file_name().into_string().ok());
    names.filter(|it| !it.starts_with('.')).collect()
}

fn visible(folder: &Path) -> Vec<String> {
    let mut names = names(folder);
    names.retain(|it| !it.starts_with('.'));
    names
}
