//! `receive --to -`: the one file on standard output, and nothing else there.

use std::io::pipe;

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
    let mut receive = pair
        .sandbox
        .command(["receive", "--to", "-", "--config-dir", "bob"]);
    let child = receive.stdout(writer).stderr(std::process::Stdio::piped());
    let run = Run::from(child.spawn().unwrap().wait_with_output().unwrap()).expect(2);
    assert!(run.stderr.contains("roken pipe"), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let again = pair.run("bob", "receive --to -").expect(0);
    assert_eq!(again.stdout.len(), 200_000);
    let shown = pair.json("alice", &format!("show {id}"));
    assert_eq!(shown["downloads"], 1);
    assert_eq!(shown["deliveries"][0]["status"], "received");
}
