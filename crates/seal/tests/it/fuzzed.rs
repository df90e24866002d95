//! The targets of `fuzz/`, over their seeds and what mutation makes of them, so that they hold and compile.

#[expect(unreachable_pub, reason = "they are public where they are fuzzed")]
#[path = "../../../../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

use crate::noise;

const CASES: u64 = 20_000;

/// Runs `target` over its seeds, and over `cases` of them changed; the same in every run.
fn run(name: &str, cases: u64, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let files = fs::read_dir(folder.join(name)).unwrap();
    let mut paths: Vec<_> = files.map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds of {name}");
    let seeds: Vec<_> = paths.iter().map(|it| fs::read(it).unwrap()).collect();
    target(b"");
    for it in &seeds {
        target(it);
    }
    for seed in 0..cases {
        let mut chance = noise(seed, 256).into_iter();
        let mut number = |below: usize| {
            let bytes = [chance.next(), chance.next(), chance.next()];
            let bytes = bytes.map(Option::unwrap_or_default);
            let [low, middle, high] = bytes.map(usize::from);
            (low | middle << 8 | high << 16) % below.max(1)
        };
        let mut data = seeds[number(seeds.len())].clone();
        for _ in 0..=number(4) {
            mutate(&mut data, &mut number);
        }
        target(&data);
    }
}

/// One change of the kinds that parsers trip over.
fn mutate(data: &mut Vec<u8>, number: &mut impl FnMut(usize) -> usize) {
    let at = number(data.len());
    if data.is_empty() {
        data.push(0);
    }
    match number(8) {
        0 => data[at] ^= 1 << number(8),
        1 => data[at] = [0, 0xff, 0x7f, 0x80][number(4)],
        2 => data.truncate(at),
        3 => data.insert(at, number(256).to_le_bytes()[0]),
        4 => drop(data.remove(at)),
        5 => {
            let end = data.len().min(at + number(64));
            let copied = data[at..end].to_vec();
            let to = number(data.len());
            data.splice(to..to, copied);
        }
        6 => data[at] = data[at].wrapping_add(1),
        // The head of something that says to be huge.
        _ => {
            let head = [0x1b, 0x5b, 0x7b, 0x9b, 0xbb, 0x5f, 0xbf][number(7)];
            data.splice(
                at..=at,
                [head, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            );
        }
    }
}

#[test]
fn arrived() {
    // Each takes keys to be made, and a decapsulation.
    run("arrived", 2_000, targets::arrived);
}

#[test]
fn bundle() {
    run("bundle", CASES, targets::bundle);
}

#[test]
fn fingerprint() {
    run("fingerprint", CASES, targets::fingerprint);
}

#[test]
fn header() {
    run("header", CASES, targets::header);
}

#[test]
fn manifest() {
    run("manifest", CASES, targets::manifest);
}

#[test]
fn opening() {
    run("opening", CASES, targets::opening);
}

#[test]
fn prekey() {
    run("prekey", CASES, targets::prekey);
}

#[test]
fn receipt() {
    run("receipt", CASES, targets::receipt);
}

#[test]
fn rotation() {
    run("rotation", CASES, targets::rotation);
}

/// A seed that is refused at once would make the rest of this worth nothing.
#[test]
fn the_seeds_are_what_they_are_for() {
    use agentdrop_envelope::identity::{SignedBundle, SignedPrekey, SignedRotation};
    use agentdrop_envelope::{Header, Manifest, Padding, Receipt};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let seed = |name: &str| fs::read(folder.join(name).join("vector")).unwrap();
    assert!(Header::read(&seed("arrived")).is_ok());
    assert!(SignedBundle::read(&seed("bundle")).is_ok());
    assert!(Header::read(&seed("header")).is_ok());
    assert!(Manifest::read(&seed("manifest"), Padding::Padme).is_ok());
    assert_eq!(seed("opening").len(), 2 + 56 + 104 + 16);
    assert!(SignedPrekey::read(&seed("prekey")).is_ok());
    assert!(Receipt::read(&seed("receipt")).is_ok());
    assert!(SignedRotation::read(&seed("rotation")).is_ok());
}
