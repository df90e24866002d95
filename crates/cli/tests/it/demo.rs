//! The README's first command.

use crate::support::{Run, Sandbox, names, noise};

#[test]
fn the_demo_sends_searches_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("empty", b"");
    sandbox.file("zeros", &vec![0; 100_000]);
    sandbox.file("noise.bin", &noise(3_000_000));
    sandbox.file("README.md", b"# A readme\n\nIt says what this is about.\n");
    let before = names(&sandbox.path(".."));
    let run = sandbox
        .run("demo empty zeros noise.bin README.md README.md")
        .expect(0);
    assert_eq!(run.stderr, "");
    for said in [
        "ok byte for byte the same",
        "ok not there: what is in the files",
        "ok not there: the files' names",
        "ok there, as it should be: demo@example.org",
        "send bob empty",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    assert_eq!(names(&sandbox.path("..")), before, "nothing is left");
    for secret in ["agd_live_", "ada_live_"] {
        assert!(!run.stdout.contains(secret));
    }

    let json = sandbox.json("demo");
    assert_eq!(json["files"][0]["name"], "README.md");
    assert_eq!(json["files"][0]["same"], true);
    assert_eq!(json["searched"]["found"], 0);
}

#[test]
fn without_a_file_there_is_a_letter() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("demo").expect(0);
    assert!(run.stdout.contains("a letter to bob.txt"), "{}", run.stdout);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run("demo missing").expect(2);
    sandbox.run("demo .").expect(1);
}

#[test]
fn a_mark_is_for_terminals() {
    let sandbox = Sandbox::new();
    let mut demo = sandbox.command(["demo"]);
    let run = Run::of(demo.env("LANG", "C.UTF-8").env("TERM", "xterm")).expect(0);
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
}
