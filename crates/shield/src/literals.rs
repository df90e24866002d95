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
    three: u64,
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
            let windows = bytes.array_windows::<3>().enumerate();
            let Some((offset, three)) = windows.min_by_key(|it| commonness(*it.1)) else {
                continue;
            };
            let three = together(*three);
            let place = place(three);
            it.threes[place] = 1;
            it.buckets[place / SHARED].push(Anchor {
                three,
                literal,
                offset,
            });
        }
        it.all = literals;
        it
    }

    /// Hands on each that stands anywhere, and where.
    pub(crate) fn all(&self, bytes: &[u8], mut found: impl FnMut(usize, Range<usize>)) {
        let mut at = 0;
        while let Some(next) = bytes.get(at..).and_then(|it| it.first_chunk::<8>()) {
            let next = u64::from_be_bytes(*next) | SMALL;
            let three = |n: usize| next >> (40 - 8 * n);
            let known: [u8; AT_ONCE] = array::from_fn(|n| self.threes[place(three(n))]);
            if known.iter().fold(0, |any, it| any | it) != 0 {
                for (n, _) in known.iter().enumerate().filter(|it| *it.1 != 0) {
                    self.here(bytes, at + n, three(n), &mut found);
                }
            }
            at += AT_ONCE;
        }
        let rest = bytes.get(at..).unwrap_or_default().array_windows();
        for (n, three) in rest.enumerate() {
            self.here(bytes, at + n, together(*three), &mut found);
        }
    }

    /// Hands on each whose three bytes are here.
    #[inline(never)]
    fn here(
        &self,
        bytes: &[u8],
        at: usize,
        three: u64,
        found: &mut impl FnMut(usize, Range<usize>),
    ) {
        let bucket = self.buckets[place(three) / SHARED].iter();
        for it in bucket.filter(|it| it.three == three & THREE) {
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

/// Three bytes as one number, in small letters.
fn together(three: [u8; 3]) -> u64 {
    let small = three.iter().map(|it| u64::from(it | 0x20));
    small.fold(0, |all, it| all << 8 | it)
}

/// What is left of a number of three bytes.
const THREE: u64 = 0xFF_FFFF;

/// The place of three bytes, whatever stands before them in the number.
const fn place(three: u64) -> usize {
    // The lowest byte of the factor is zero: what stands before the three bytes does not reach the bits that are taken.
    (three.wrapping_mul(0x9E37_7900) >> 18) as usize % PLACES
}

/// How common three bytes are in texts: more so, the larger; roughly a tenth for each step.
fn commonness(three: [u8; 3]) -> u32 {
    // Every other byte of what is wide is zero.
    const ORDER: &[u8] = b"=,9876543210zqjx-kvb:/wygfpm.ucldhrsinoate \0";
    // Those are more common than their letters.
    const COMMON: [&[u8; 3]; 6] = [b"://", b"om/", b"for", b"par", b"imp", b"fil"];
    let small = three.map(|it| it.to_ascii_lowercase());
    let place = |it| {
        ORDER
            .iter()
            .position(|known| *known == it)
            .map_or(0, |it| it + 1)
    };
    let sum: usize = small.into_iter().map(place).sum();
    let more = if COMMON.contains(&&small) {
        3 * ORDER.len()
    } else {
        0
    };
    u32::try_from(sum + more).unwrap_or(u32::MAX)
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
