//! Bombs of many sorts in wrappings of many sorts.

use std::sync::LazyLock;

use agentdrop_shield::{Limits, RuleSet, Scanner};

use super::{assert_memory, assert_told};
use crate::made::{Pack, bzip2, gzip, noise, xz, zstd};
use crate::tars::{header, member, summed, tar};
use crate::zipped::{Entry, zip, zip_with};

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

const PACKERS: [Pack; 4] = [bzip2, gzip, xz, zstd];

/// Packed once, for it takes longer than finding them out.
static ZEROS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| PACKERS.map(|pack| pack(&vec![0; 33 << 20])).into());

static DEFLATED: LazyLock<Entry> = LazyLock::new(|| Entry::deflated("zeros", &vec![0; 33 << 20]));

fn core(chance: &mut Chance) -> Vec<u8> {
    match chance.below(8) {
        0 => ZEROS[chance.below(4)].clone(),
        1 => zip(std::slice::from_ref(&DEFLATED)),
        2 => {
            let content = vec![0; 1000 + chance.below(100_000)];
            let size = u32::try_from(chance.below(1000)).unwrap();
            zip(&[Entry {
                size,
                ..Entry::deflated("a", &content)
            }])
        }
        3 => {
            let kernel = Entry::deflated("a", &vec![0; 1000]);
            let again = |n| Entry {
                name: format!("{n}").into(),
                at: Some(0),
                ..kernel.clone()
            };
            let shares: Vec<_> = (0..=chance.below(100)).map(again).collect();
            zip(&[vec![kernel.clone()], shares].concat())
        }
        4 => {
            let size = 0xF0 | u8::try_from(chance.below(16)).unwrap();
            vec![0x28, 0xB5, 0x2F, 0xFD, 0, size, 1, 0, 0]
        }
        5 => {
            let mut block = header("a", b'S', 512, "");
            block[483..494].copy_from_slice(b"77777777777");
            let file = [summed(block).to_vec(), vec![0; 512]].concat();
            tar(&vec![file; 20 + chance.below(100)])
        }
        6 => (0..12 + chance.below(20)).fold(b"hi".to_vec(), |inner, _| wrapped(chance, &inner)),
        _ => crate::streams::hungry_xz(),
    }
}

fn wrapped(chance: &mut Chance, inner: &[u8]) -> Vec<u8> {
    let length = chance.below(3) * chance.below(50_000);
    let more = noise(length);
    match chance.below(8) {
        0..4 => PACKERS[chance.below(4)](inner),
        4 => zip(&[Entry::stored("noise", &more), Entry::deflated("a", inner)]),
        5 => zip(&[Entry::stored("a", inner), Entry::stored("noise", &more)]),
        6 => zip_with(b"#!/bin/sh\n", &[Entry::stored("a", inner)], b"made by us"),
        _ => tar(&[member("noise", b'0', &more), member("a", b'0', inner)]),
    }
}

fn scan(seeds: std::ops::Range<u64>) {
    let rules = RuleSet::load().unwrap();
    let limits = Limits {
        time: std::time::Duration::from_mins(10),
        ..Limits::default()
    };
    for seed in seeds {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut bomb = core(&mut chance);
        for _ in 0..chance.below(5) {
            bomb = wrapped(&mut chance, &bomb);
        }
        let report = Scanner::new(&rules).limits(limits).bytes("bomb", &bomb);
        assert_told(&format!("seed {seed}"), &report);
    }
    // Making them took memory too.
    assert_memory();
}

#[test]
fn two_hundred_and_fifty_bombs_are_told_as_such() {
    scan(0..250);
}

#[test]
fn another_two_hundred_and_fifty_are() {
    scan(250..500);
}

#[test]
fn and_another_two_hundred_and_fifty() {
    scan(500..750);
}

#[test]
fn and_the_last_of_a_thousand() {
    scan(750..1000);
}
