//! The targets of `fuzz/`, over their seeds and what mutation makes of them, so that they hold and compile.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(unreachable_pub, reason = "they are public where they are fuzzed")]
#[path = "../../../../fuzz/src/scanned.rs"]
mod scanned;

use std::fs;
use std::path::Path;

/// Numbers that are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }
}

fn fuzz(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let seeds = fs::read_dir(folder.join(name)).unwrap();
    let seeds: Vec<Vec<u8>> = seeds
        .map(|it| fs::read(it.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty());
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    target(b"");
    for seed in &seeds {
        target(seed);
        for _ in 0..2000 / seeds.len() {
            target(&mutated(&mut chance, seed));
        }
    }
}

fn mutated(chance: &mut Chance, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len().max(1)).min(bytes.len());
        match chance.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u8::try_from(chance.below(256)).unwrap()),
            2 => bytes.extend_from_within(at..),
            _ if at < bytes.len() => {
                bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, 42][chance.below(6)];
            }
            _ => {}
        }
    }
    bytes
}

#[test]
fn gzip_holds() {
    fuzz("gzip", scanned::gzip);
}

#[test]
fn jpeg_holds() {
    fuzz("jpeg", scanned::jpeg);
}

#[test]
fn png_holds() {
    fuzz("png", scanned::png);
}

#[test]
fn sevenzip_holds() {
    fuzz("sevenzip", scanned::sevenzip);
}

#[test]
fn tar_holds() {
    fuzz("tar", scanned::tar);
}

#[test]
fn zip_holds() {
    fuzz("zip", scanned::zip);
}
