//! Many phrases, of which nearly no word of a text begins one.
//!
//! Before they are looked up, a few bits say of nearly every place that nothing begins there: they are near to the
//! processor, and the phrases are not. Whoever has the same first eight bytes stands together.

use std::fmt;
use std::ops::RangeInclusive;

pub(crate) struct PhraseTable {
    beginnings: Beginnings,
    /// Of up to three bytes, by the first.
    tiny: Group,
    /// Of four to seven, by the first four.
    short: Group,
    /// The others, by the first eight.
    long: Group,
    /// What stands behind the first eight bytes of each.
    rests: Rests,
}

/// Phrases in buckets.
struct Group {
    /// Where each bucket begins, and the last one ends.
    starts: Vec<u32>,
    phrases: Vec<Phrase>,
}

/// What is looked at in passing; four of them fit in what a processor fetches at once.
#[derive(Clone, Copy)]
struct Phrase {
    /// Its first eight bytes, or as many as it has, as one number.
    head: u64,
    /// Its place in the list.
    number: u32,
    /// How many bytes it has.
    length: u16,
    /// How many bits of a text's next eight bytes are beyond it.
    shift: u8,
}

/// Of each phrase in the list, what stands behind its first eight bytes.
#[derive(Default)]
struct Rests {
    /// Where that of each begins.
    starts: Vec<u32>,
    bytes: Vec<u8>,
}

impl fmt::Debug for PhraseTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhraseTable").finish_non_exhaustive()
    }
}

impl PhraseTable {
    /// Phrases are told by their places in the list. Large and small letters differ: both sides are folded before.
    pub(crate) fn new<'a, I: IntoIterator<Item = &'a [u8]>>(phrases: I) -> Self {
        let (mut all, mut rests) = (Vec::new(), Rests::default());
        for (number, phrase) in (0..).zip(phrases) {
            rests.push(phrase.get(8..).unwrap_or_default());
            all.extend(Phrase::new(number, phrase));
        }
        let group = |lengths, buckets, bucket| Group::new(&all, lengths, buckets, bucket);
        Self {
            beginnings: Beginnings::of(&all),
            tiny: group(1..=3, 1 << 8, Group::TINY),
            short: group(4..=7, SIXES, Group::SHORT),
            long: group(8..=u16::MAX, 1 << 12, Group::LONG),
            rests,
        }
    }

    /// Whether a phrase may begin with these eight bytes: of nearly all others it says that none does.
    #[inline]
    pub(crate) fn may_begin(&self, head: u64) -> bool {
        let may = self.beginnings.may(head);
        may.tiny | may.short | may.long != 0
    }

    /// Hands on each phrase that begins here, the shorter first, and where it ends.
    pub(crate) fn at(&self, bytes: &[u8], at: usize, mut found: impl FnMut(usize, usize)) {
        let rest = bytes.get(at..).unwrap_or_default();
        let head = head(rest);
        let may = self.beginnings.may(head);
        let mut is_here = |it: &Phrase| {
            let length = usize::from(it.length);
            let is_here = head >> it.shift == it.head
                && length <= rest.len()
                && (length <= 8 || self.rests.of(it) == rest.get(8..length));
            if is_here {
                found(it.number as usize, at + length);
            }
        };
        if may.tiny != 0 {
            self.tiny.bucket(Group::TINY(head)).for_each(&mut is_here);
        }
        if may.short != 0 {
            self.short.bucket(Group::SHORT(head)).for_each(&mut is_here);
        }
        if may.long != 0 {
            self.long.bucket(Group::LONG(head)).for_each(&mut is_here);
        }
    }
}

impl Phrase {
    /// Unless it is empty, or longer than any is.
    fn new(number: u32, phrase: &[u8]) -> Option<Self> {
        let length = u16::try_from(phrase.len()).ok().filter(|it| *it > 0)?;
        let shift = 64 - 8 * u8::try_from(phrase.len().min(8)).ok()?;
        Some(Self {
            head: head(phrase) >> shift,
            number,
            length,
            shift,
        })
    }

    /// Its first eight bytes, with zeros behind the last one if it has less.
    const fn padded(&self) -> u64 {
        self.head << self.shift
    }
}

impl Rests {
    fn push(&mut self, rest: &[u8]) {
        let start = u32::try_from(self.bytes.len());
        self.starts.push(start.unwrap_or(u32::MAX));
        self.bytes.extend(rest);
    }

    /// That of a phrase that has more than eight bytes.
    fn of(&self, phrase: &Phrase) -> Option<&[u8]> {
        let start = *self.starts.get(phrase.number as usize)? as usize;
        self.bytes
            .get(start..start + usize::from(phrase.length) - 8)
    }
}

impl Group {
    const TINY: fn(u64) -> usize = |head| (head >> 56) as usize;
    const SHORT: fn(u64) -> usize = four;
    const LONG: fn(u64) -> usize = |head| (spread(head) >> 4) as usize;

    fn new(
        all: &[Phrase],
        lengths: RangeInclusive<u16>,
        buckets: usize,
        bucket: fn(u64) -> usize,
    ) -> Self {
        let mine = all.iter().filter(|it| lengths.contains(&it.length));
        let mut phrases: Vec<Phrase> = mine.copied().collect();
        phrases.sort_by_key(|it| (bucket(it.padded()), it.length));
        let start = |at| {
            let start = phrases.partition_point(|it| bucket(it.padded()) < at);
            u32::try_from(start).unwrap_or(u32::MAX)
        };
        Self {
            starts: (0..=buckets).map(start).collect(),
            phrases,
        }
    }

    fn bucket(&self, at: usize) -> impl Iterator<Item = &Phrase> {
        let range = match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..0,
        };
        self.phrases.get(range).unwrap_or_default().iter()
    }
}

/// The next eight bytes, and zeros behind the last one.
#[inline]
pub(crate) fn head(rest: &[u8]) -> u64 {
    if let Some(head) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    for (to, from) in head.iter_mut().zip(rest) {
        *to = *from;
    }
    u64::from_be_bytes(head)
}

/// What says of nearly every place that nothing begins there, in a few steps without a branch.
struct Beginnings {
    /// Of the first six bytes of those that have four to seven, and of those that have more: a place for the first four,
    /// and in it a bit for the next two.
    sixes: Box<[[u64; 2]; SIXES]>,
    /// Of the first eight bytes of those that have as many.
    eights: Bits,
    /// Of the others: of three bytes, whatever stands behind those that have less.
    threes: Bits,
}

/// Of which lengths something may begin: 1, or 0.
#[derive(Clone, Copy)]
struct May {
    tiny: u64,
    short: u64,
    long: u64,
}

/// Places for four bytes.
const SIXES: usize = 1 << 11;

impl Beginnings {
    fn of(phrases: &[Phrase]) -> Self {
        let mut it = Self {
            sixes: vec![[0; 2]; SIXES]
                .into_boxed_slice()
                .try_into()
                .expect("it has as many"),
            eights: Bits::none(),
            threes: Bits::none(),
        };
        for phrase in phrases {
            let (head, length) = (phrase.padded(), phrase.length);
            let is_long = length > 7;
            match length {
                0 => {}
                1..=3 => {
                    let all = 0..1 << (8 * (3 - length));
                    all.for_each(|rest| it.threes.set(three(head | rest << 40)));
                }
                4 => it.sixes[four(head)][0] = u64::MAX,
                5 => (0..8).for_each(|rest| it.set_six(head | rest << 16, is_long)),
                _ => it.set_six(head, is_long),
            }
            if is_long {
                it.eights.set(spread(head));
            }
        }
        it
    }

    fn set_six(&mut self, head: u64, is_long: bool) {
        self.sixes[four(head)][usize::from(is_long)] |= 1 << six(head);
    }

    /// Of which lengths something may begin with these bytes.
    #[inline]
    fn may(&self, head: u64) -> May {
        let [short, long] = self.sixes[four(head)];
        let here = six(head);
        May {
            tiny: self.threes.bit(three(head)) & 1,
            short: short >> here & 1,
            long: long >> here & self.eights.bit(spread(head)) & 1,
        }
    }
}

/// The place of the first four bytes.
const fn four(head: u64) -> usize {
    ((head >> 32).wrapping_mul(0x9E37_79B1) >> 21) as usize % SIXES
}

/// The bit of the two behind them; each has three bits of its own.
const fn six(head: u64) -> u64 {
    let mixed = head ^ head >> 3;
    (mixed >> 24 & 7) << 3 | mixed >> 16 & 7
}

/// The first three bytes in sixteen bits.
const fn three(head: u64) -> u64 {
    (head >> 40).wrapping_mul(0x9E37_79B1) >> 16 & 0xFFFF
}

/// Sixteen bits of more.
const fn spread(it: u64) -> u64 {
    it.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48
}

/// A bit for each number of sixteen bits.
#[derive(Debug)]
pub(crate) struct Bits(Box<[u64; 1 << 10]>);

impl Bits {
    pub(crate) fn none() -> Self {
        Self(Box::new([0; 1 << 10]))
    }

    pub(crate) fn set(&mut self, at: u64) {
        self.0[(at >> 6) as usize & 0x3FF] |= 1 << (at & 63);
    }

    pub(crate) fn has(&self, at: u64) -> bool {
        self.bit(at) & 1 != 0
    }

    /// The bit, and others before it.
    #[inline]
    pub(crate) fn bit(&self, at: u64) -> u64 {
        self.0[(at >> 6) as usize & 0x3FF] >> (at & 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_found_where_it_begins() {
        let all = [
            "a",
            "ab",
            "abc",
            "abcd",
            "abcde",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefghj",
            "bcdefghijk",
            "zz",
            "\0",
            "\0\0",
            "",
        ];
        let phrases = PhraseTable::new(all.iter().map(|it| it.as_bytes()));
        for text in ["xabcdefghijkbz a zz\0\0", "abcdefghjabcdefg", "\0", "z", ""] {
            for at in 0..=text.len() {
                let mut found = Vec::new();
                phrases.at(text.as_bytes(), at, |phrase, end| found.push((phrase, end)));
                let rest = text.split_at(at).1;
                let here = all.iter().enumerate();
                let here = here.filter(|it| !it.1.is_empty() && rest.starts_with(it.1));
                let wanted: Vec<_> = here.map(|it| (it.0, at + it.1.len())).collect();
                assert_eq!(found, wanted, "{at} of {text:?}");
            }
        }
    }
}
