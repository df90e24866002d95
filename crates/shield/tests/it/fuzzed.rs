//! The targets of `fuzz/` for what is scanned, over their seeds and what mutation makes of them, so that
//! they hold and compile.

#[expect(unreachable_pub, reason = "they are public where they are fuzzed")]
#[path = "../../../../fuzz/src/scanned.rs"]
mod scanned;

use std::fs;
use std::path::Path;

use proptest::arbitrary;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CASES: u32 = 500;
/// Seeds that are cut at each length.
const SHORT: usize = 2_000;

/// Runs `target` over its seeds, and over some changes of them; the same in every run.
fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let files = fs::read_dir(folder.join(name)).unwrap();
    let mut paths: Vec<_> = files.map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds of {name}");
    let seeds: Vec<_> = paths.iter().map(|it| fs::read(it).unwrap()).collect();
    target(b"");
    for it in &seeds {
        target(it);
        for end in 0..it.len().min(SHORT) {
            target(&it[..end]);
        }
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        },
        rng,
    );
    let changes = proptest::collection::vec(arbitrary::any::<(u8, usize, usize, u8)>(), 1..5);
    let run = runner.run(&(arbitrary::any::<usize>(), changes), |(seed, changes)| {
        let mut data = seeds[seed % seeds.len()].clone();
        for change in changes {
            mutate(&mut data, change);
        }
        target(&data);
        Ok(())
    });
    run.unwrap();
}

/// One change of the kinds that parsers trip over.
fn mutate(data: &mut Vec<u8>, (kind, at, length, byte): (u8, usize, usize, u8)) {
    if data.is_empty() {
        data.push(byte);
    }
    let at = at % data.len();
    let end = data.len().min(at + length % 64);
    match kind % 7 {
        0 => data[at] ^= 1 << (byte % 8),
        1 => data[at] = byte,
        2 => data.truncate(at),
        3 => drop(data.drain(at..end)),
        4 => {
            let piece = data[at..end].to_vec();
            let to = length % (data.len() + 1);
            data.splice(to..to, piece);
        }
        5 => data.insert(at, b"<>()[]{}&;%#\\/\"'\n\0"[usize::from(byte) % 18]),
        // A number that is too large for whatever it counts.
        _ => drop(data.splice(at..at, b"99999999999".iter().copied())),
    }
}

macro_rules! targets {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            run(stringify!($name), scanned::$name);
        }
    )*};
}

targets!(
    any, email, gzip, html, jpeg, lnk, ole, pdf, pickle, png, program, rtf, sevenzip, tar, xml, zip
);
