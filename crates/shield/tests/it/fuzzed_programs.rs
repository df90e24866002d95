//! The targets of `fuzz/` for programs, over their seeds and each byte of them changed, so that they hold
//! and compile.

#[expect(unreachable_pub, reason = "they are public where they are fuzzed")]
#[path = "../../../../fuzz/src/programs.rs"]
mod programs;

use std::fs;
use std::path::Path;

/// Each byte in turn is made something else, or the last.
fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let files = fs::read_dir(folder.join(name)).unwrap();
    let seeds = files.map(|it| fs::read(it.unwrap().path()).unwrap());
    let mut count = 0;
    for seed in seeds {
        target(&seed);
        for at in 0..seed.len() {
            target(&seed[..at]);
            for value in [0, 0x7F, 0x80, 0xFF, seed[at] ^ 1] {
                let mut changed = seed.clone();
                changed[at] = value;
                target(&changed);
                count += 1;
            }
        }
    }
    assert!(count > 100, "no seeds of {name}");
}

#[test]
fn a_link() {
    run("lnk", programs::lnk);
}

#[test]
fn objects_of_python() {
    run("pickle", programs::pickle);
}

#[test]
fn a_program() {
    run("program", programs::program);
}
