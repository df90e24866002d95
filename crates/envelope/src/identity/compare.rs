//! Two agents in what two people read to each other, and see that nobody is between them.
//!
//! ```text
//! h = SHA-512("agentdrop/v2 pair\0" ‖ the smaller fingerprint ‖ the larger)
//! digits: group i of 12 = be40(h[5i..5i+5]) mod 100000
//! words:  word i of 18  = bits 11i to 11i+10 of h, from the highest, in the English list of BIP 39
//! ```
//!
//! Both hold some 199 bits: whoever wants to stand between has to find two keys whose digits
//! agree, and that takes some 2⁹⁹ tries.

use bip39::Language;

use super::Fingerprint;
use crate::statement::sha512;

const GROUPS: usize = 12;
const WORDS: usize = 18;

/// Sixty digits for two agents, in groups of five; the same from both sides.
pub fn digits(one: &Fingerprint, other: &Fingerprint) -> String {
    let hash = pair(one, other);
    let groups = hash.as_chunks::<5>().0.iter().take(GROUPS).map(|bytes| {
        let number = bytes.iter().fold(0, |it, byte| it << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect::<Vec<_>>().join(" ")
}

/// Eighteen words for two agents; the same from both sides.
pub fn words(one: &Fingerprint, other: &Fingerprint) -> String {
    let hash = pair(one, other);
    let list = Language::English.word_list();
    let words = (0..WORDS).map(|word| {
        let bit = |n: usize| hash.get(n / 8).map_or(0, |byte| byte >> (7 - n % 8) & 1);
        let bits = word * 11..(word + 1) * 11;
        let index = bits.fold(0, |it, n| it << 1 | usize::from(bit(n)));
        list.get(index).copied().unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

fn pair(one: &Fingerprint, other: &Fingerprint) -> [u8; 64] {
    let (smaller, larger) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let label = b"agentdrop/v2 pair\0";
    sha512(&[&label[..], smaller.as_bytes(), larger.as_bytes()].concat())
}
