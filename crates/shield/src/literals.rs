//! Many short strings, of which nearly no place in what passes has one. Letters of ASCII are the same whether they are
//! large or small.
//!
//! Each is known by three of its bytes, those that are rarest in texts: of several places at once a table that is small says
//! that none of these is there.

use std::array;
use std::ops::Range;

#[derive(Debug)]
pub(crate) struct Literals {
    all: Vec<Vec<u8>>,
    /// Of three bytes: 1, where something is known by them.
    threes: Box<[u8; PLACES]>,
    /// Those whose places are near to each other.
    buckets: Vec<Vec<Anchor>>,
}

/// Where in a literal the three bytes are.
#[derive(Debug)]
struct Anchor {
    literal: usize,
    offset: usize,
}

/// How many places three bytes can have.
const PLACES: usize = 1 << 14;

/// How many of them share a bucket.
const SHARED: usize = 1 << 4;

/// How many are asked at once.
const AT_ONCE: usize = 6;

/// What makes small letters of large ones, and of other signs others, which then are alike.
const SMALL: u64 = u64::from_ne_bytes([0x20; 8]);

impl Literals {
    /// They are told by their places in the list, and have at least three bytes each; shorter ones are not found.
    pub(crate) fn new(literals: Vec<Vec<u8>>) -> Self {
        let mut it = Self {
            threes: Box::new([0; PLACES]),
            buckets: (0..PLACES / SHARED).map(|_| Vec::new()).collect(),
            all: Vec::new(),
        };
        for (literal, bytes) in literals.iter().enumerate() {
            let windows = bytes.windows(3).enumerate();
            let rarest =
                windows.min_by_key(|it| it.1.iter().map(|it| commonness(*it)).sum::<u32>());
            let Some((offset, three)) = rarest else {
                continue;
            };
            let place = place(three);
            it.threes[place] = 1;
            it.buckets[place / SHARED].push(Anchor { literal, offset });
        }
        it.all = literals;
        it
    }

    /// Hands on each that stands anywhere, and where.
    pub(crate) fn all(&self, bytes: &[u8], mut found: impl FnMut(usize, Range<usize>)) {
        let mut at = 0;
        while let Some(next) = bytes.get(at..).and_then(|it| it.first_chunk::<8>()) {
            let next = u64::from_be_bytes(*next) | SMALL;
            let known: [u8; AT_ONCE] =
                array::from_fn(|n| self.threes[spread(next >> (40 - 8 * n))]);
            if known.iter().fold(0, |any, it| any | it) != 0 {
                for (n, _) in known.iter().enumerate().filter(|it| *it.1 != 0) {
                    self.here(bytes, at + n, &mut found);
                }
            }
            at += AT_ONCE;
        }
        for at in at..bytes.len() {
            self.here(bytes, at, &mut found);
        }
    }

    /// Hands on each whose three bytes are here.
    #[inline(never)]
    fn here(&self, bytes: &[u8], at: usize, found: &mut impl FnMut(usize, Range<usize>)) {
        let Some(three) = bytes.get(at..at + 3) else {
            return;
        };
        let bucket = self.buckets.get(place(three) / SHARED);
        for it in bucket.into_iter().flatten() {
            let literal = &self.all[it.literal];
            let Some(start) = at.checked_sub(it.offset) else {
                continue;
            };
            let range = start..start + literal.len();
            let here = bytes.get(range.clone());
            if here.is_some_and(|it| it.eq_ignore_ascii_case(literal)) {
                found(it.literal, range);
            }
        }
    }
}

/// The place of three bytes.
fn place(three: &[u8]) -> usize {
    let small = three.iter().map(|it| u64::from(it | 0x20));
    spread(small.fold(0, |all, it| all << 8 | it))
}

const fn spread(three: u64) -> usize {
    ((three & 0xFF_FFFF).wrapping_mul(0x9E37_79B1) >> 18) as usize % PLACES
}

/// How common a byte is in texts: more so, the larger; roughly a tenth for each step.
fn commonness(byte: u8) -> u32 {
    // Every other byte of what is wide is zero.
    const ORDER: &[u8] = b"=,9876543210zqjx-kvb:/wygfpm.ucldhrsinoate \0";
    let small = byte.to_ascii_lowercase();
    let place = ORDER.iter().position(|it| *it == small);
    place.map_or(0, |it| u32::try_from(it).unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
        let literals = Literals::new(literals.iter().map(|it| it.as_bytes().to_vec()).collect());
        let mut found = Vec::new();
        literals.all(bytes, |literal, range| found.push((literal, range)));
        found.sort_by_key(|it| (it.1.start, it.0));
        found
    }

    #[test]
    fn each_is_found_wherever_it_stands() {
        let all = [
            "abc",
            "Abcd",
            "bcde",
            "cdefghijkl",
            "zzz",
            "\0a\0b",
            "/DEV/tcp",
        ];
        for shift in 0..20 {
            let text = format!("{}xabcDEFGhijklzzzz\0a\0b /dev/TCP abc", "-".repeat(shift));
            let lower = text.to_lowercase();
            let mut wanted = Vec::new();
            for at in 0..text.len() {
                let rest = lower.get(at..).unwrap();
                let here = all.iter().enumerate();
                let here = here.filter(|it| rest.starts_with(&it.1.to_lowercase()));
                wanted.extend(here.map(|it| (it.0, at..at + it.1.len())));
            }
            assert_eq!(found(&all, text.as_bytes()), wanted);
        }
    }

    #[test]
    fn what_is_cut_off_is_not_found() {
        assert_eq!(found(&["curl "], b"curl"), []);
        assert_eq!(found(&["curl "], b"url "), []);
        assert_eq!(found(&["curl "], b""), []);
        // Signs that differ by what makes small letters of large ones.
        assert_eq!(found(&["[@[@"], b"{`{`"), []);
    }
}
