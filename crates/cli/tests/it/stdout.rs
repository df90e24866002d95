//! `receive --to -`: the one file on standard output, and nothing else there.

use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

use crate::support::{Pair, Run, names};

#[test]
fn the_one_file_goes_to_standard_output_and_nothing_stays() {
    let pair = Pair::new();
    let content = "a line\n".repeat(100_000);
    pair.file("a.txt", content.as_bytes());
    let before = names(&pair.path("."));
    let sent = pair.run("alice", "-q send bob a.txt").expect(0);
    let id = sent.stdout.trim();
    let run = pair.run("bob", "receive --to -").expect(0);
    assert!(run.stdout == content);
    assert!(run.stderr.contains("received a.txt"), "{}", run.stderr);
    assert_eq!(names(&pair.path(".")), before);
    assert_eq!(names(&pair.path("../home/.cache/agentdrop")), [""; 0]);
    let shown = pair.json("alice", &format!("show {id}"));
    assert_eq!(shown["deliveries"][0]["status"], "received");
    let none = pair.run("bob", "receive --to -").expect(1);
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("nothing waits"), "{}", none.stderr);
}

#[test]
fn what_does_not_fit_there_is_refused_before_it_costs_a_download() {
    let pair = Pair::new();
    pair.file("a", b"a");
    pair.file("b", b"b");
    let sent = pair.run("alice", "-q send bob a b").expect(0);
    let id = sent.stdout.trim();
    for (line, said) in [
        ("receive --to -", "it has 2 files"),
        ("receive --to - --all", "takes one file"),
        ("--json receive --to -", "OUTPUT_TAKEN"),
    ] {
        let run = pair.run("bob", line).expect(1);
        assert!(
            run.stderr.contains(said) || run.stdout.contains(said),
            "{run:?}"
        );
        assert!(
            !run.stdout.contains('b') || line.contains("json"),
            "{run:?}"
        );
    }
    assert_eq!(pair.json("alice", &format!("show {id}"))["downloads"], 0);
}

#[test]
fn a_pipe_that_nobody_reads_is_an_error_and_costs_nothing() {
    let pair = Pair::new();
    pair.file("a", &vec![b'a'; 200_000]);
    let sent = pair
        .run("alice", "-q send bob a --max-downloads 1")
        .expect(0);
    let id = sent.stdout.trim();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let run = receive_into(&pair, writer).expect(2);
    assert!(run.stderr.contains("roken pipe"), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let again = pair.run("bob", "receive --to -").expect(0);
    assert_eq!(again.stdout.len(), 200_000);
    let shown = pair.json("alice", &format!("show {id}"));
    assert_eq!(shown["downloads"], 1);
    assert_eq!(shown["deliveries"][0]["status"], "received");
}

/// Receives what waits for bob, with this as standard output.
fn receive_into(pair: &Pair, output: impl Into<Stdio>) -> Run {
    let line = ["receive", "--to", "-", "--config-dir", "bob"];
    let mut receive = pair.sandbox.command(line);
    let child = receive.stdout(output).stderr(Stdio::piped());
    Run::from(child.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn the_server_is_told_once_the_file_is_on_disk() {
    let pair = Pair::new();
    // A file in every way but that it is on no disk. What is written there changes nothing of this process.
    let undurable = "/proc/self/coredump_filter";
    let content = std::fs::read_to_string(undurable).unwrap();
    let content = format!("0x{}", content.trim());
    pair.file("a", content.as_bytes());
    let sent = pair.run("alice", "-q send bob a --keep").expect(0);
    let id = sent.stdout.trim();
    let deliveries = || pair.json("alice", &format!("show {id}"))["deliveries"].clone();

    let refused = receive_into(&pair, File::options().write(true).open(undurable).unwrap());
    let refused = refused.expect(2);
    assert!(refused.stderr.contains("Invalid argument"), "{refused:?}");
    let told = deliveries();
    let mut told = told.as_array().into_iter().flatten();
    assert!(told.all(|it| it["status"] != "received"));

    let path = pair.path("output");
    receive_into(&pair, File::create(&path).unwrap()).expect(0);
    assert_eq!(std::fs::read(&path).unwrap(), content.as_bytes());
    assert_eq!(deliveries()[0]["status"], "received");
}

#[test]
fn what_has_no_disk_is_not_asked_for_one() {
    let pair = Pair::new();
    pair.file("a", b"a");
    pair.run("alice", "send bob a").expect(0);
    let nowhere = File::options().write(true).open("/dev/null").unwrap();
    receive_into(&pair, nowhere).expect(0);
}
