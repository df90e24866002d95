//! Asking many bytes at once. What is asked has no branches, so that compilers make few steps of it.

use std::ops::Range;

/// How many bytes are of this sort.
pub(crate) fn count(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    // So few that a byte holds their number.
    let few = bytes.chunks(64).map(|few| {
        few.iter()
            .fold(0_u8, |sum, it| sum.wrapping_add(u8::from(is(*it))))
    });
    few.map(usize::from).sum()
}

/// Where the next byte of this sort is.
pub(crate) fn next(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = from;
    while let Some(many) = bytes.get(at..)?.first_chunk::<MANY>() {
        if let Some(found) = first(&asked(many, &is)) {
            return Some(at + found);
        }
        at += MANY;
    }
    let found = bytes.get(at..)?.iter().position(|it| is(*it));
    found.map(|it| at + it)
}

/// Where the next two bytes of this sort are.
pub(crate) fn next_two(bytes: &[u8], from: usize, is: impl Fn(u8, u8) -> bool) -> Option<usize> {
    let mut at = from;
    while let Some(many) = bytes.get(at..)?.first_chunk::<{ MANY + 1 }>() {
        let mut answers = [0; MANY];
        let twos = many.iter().zip(&many[1..]);
        for (answer, (one, other)) in answers.iter_mut().zip(twos) {
            *answer = u8::from(is(*one, *other));
        }
        if let Some(found) = first(&answers) {
            return Some(at + found);
        }
        at += MANY;
    }
    let found = bytes
        .get(at..)?
        .array_windows::<2>()
        .position(|it| is(it[0], it[1]));
    found.map(|it| at + it)
}

/// How many are asked at once.
const MANY: usize = 32;

/// What is answered of each: 1, or 0.
fn asked<const N: usize>(bytes: &[u8; N], is: impl Fn(u8) -> bool) -> [u8; N] {
    let mut answers = [0; N];
    for (answer, byte) in answers.iter_mut().zip(bytes) {
        *answer = u8::from(is(*byte));
    }
    answers
}

/// A bit for each byte that is of this sort, the lowest for the first.
pub(crate) fn mask(bytes: &[u8; 64], is: impl Fn(u8) -> bool) -> u64 {
    // Brings the lowest bits of eight bytes together in the highest byte.
    const TOGETHER: u64 = 0x0102_0408_1020_4080;
    let answers = asked(bytes, is);
    let eights = answers.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |mask, it| {
        mask << 8 | u64::from_le_bytes(*it).wrapping_mul(TOGETHER) >> 56
    })
}

/// Where the first is that is not zero.
fn first(are: &[u8; MANY]) -> Option<usize> {
    let eights = are.as_chunks::<8>().0.iter().enumerate();
    let mut eights = eights.map(|it| (it.0, u64::from_le_bytes(*it.1)));
    let (n, eight) = eights.find(|it| it.1 != 0)?;
    Some(n * 8 + eight.trailing_zeros() as usize / 8)
}

/// Where the next bytes of this sort are that stand together, so many of them at least. Of others, few are asked.
pub(crate) fn next_run(
    bytes: &[u8],
    from: usize,
    least: usize,
    is: impl Fn(u8) -> bool,
) -> Option<Range<usize>> {
    // Where one may begin, and up to where its beginning was asked.
    let (mut begin, mut asked) = (from, from);
    loop {
        let end = begin + least;
        let last = bytes.get(asked..end)?.iter().rposition(|it| !is(*it));
        let Some(other) = last else {
            let rest = bytes.get(end..)?.iter();
            return Some(begin..end + rest.take_while(|it| is(**it)).count());
        };
        (begin, asked) = (asked + other + 1, end);
    }
}

/// What `next_run` says, which is faster where nearly all bytes are of this sort, and none stand long together: all of them
/// are asked, many at once. At most 64 bytes are the least.
pub(crate) fn next_long_run(
    bytes: &[u8],
    from: usize,
    least: usize,
    is: impl Fn(u8) -> bool,
) -> Option<Range<usize>> {
    // How many stand together before here.
    let (mut at, mut before) = (from, 0);
    while let Some(block) = bytes.get(at..).and_then(|it| it.first_chunk::<64>()) {
        let are = mask(block, &is);
        let here = are.trailing_ones() as usize;
        let long = together(are, least);
        let start = if before + here >= least {
            at - before
        } else if long != 0 {
            at + long.trailing_zeros() as usize
        } else {
            before = are.leading_ones() as usize;
            at += block.len();
            continue;
        };
        let end = next(bytes, start + least, |it| !is(it));
        return Some(start..end.unwrap_or(bytes.len()));
    }
    next_run(bytes, at - before, least, is)
}

/// A bit where so many bits begin that are set.
const fn together(mut bits: u64, many: usize) -> u64 {
    debug_assert!(many <= 64);
    let mut asked = 1;
    while asked < many {
        let more = if asked < many - asked {
            asked
        } else {
            many - asked
        };
        bits &= bits >> more;
        asked += more;
    }
    bits
}

/// How many letters and digits of ASCII the bytes begin with.
pub(crate) fn word(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(eight) = bytes.get(length..).and_then(|it| it.first_chunk::<8>()) {
        let signs = signs(u64::from_le_bytes(*eight));
        if signs != 0 {
            return length + signs.trailing_zeros() as usize / 8;
        }
        length += eight.len();
    }
    let rest = bytes.get(length..).unwrap_or_default().iter();
    length + rest.take_while(|it| it.is_ascii_alphanumeric()).count()
}

/// The highest bit of each of eight bytes that is no letter or digit of ASCII.
const fn signs(bytes: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Of seven bits each, so that no sum reaches into the next byte.
    const fn at_least(bytes: u64, least: u8) -> u64 {
        bytes + ONES * (0x80 - least as u64)
    }
    let low = bytes & !HIGH;
    let small = low | ONES << 5;
    let letter = at_least(small, b'a') & !at_least(small, b'z' + 1);
    let digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
    !(letter | digit) & HIGH | bytes & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_at_the_first_sign() {
        for byte in 0..=0xFF_u8 {
            for at in 0..20 {
                let mut bytes = *b"aZ09zAmMaZ09zAmMaZ09";
                bytes[at] = byte;
                let end = if byte.is_ascii_alphanumeric() { 20 } else { at };
                assert_eq!(word(&bytes), end, "{byte:#x} at {at}");
            }
        }
        assert_eq!(word(b""), 0);
    }

    #[test]
    fn what_is_asked_at_once_is_what_is_asked_one_by_one() {
        let bytes: Vec<u8> = (0..500_u32).map(|it| (it * it % 251) as u8).collect();
        let is = |it: u8| it % 97 == 3;
        for from in 0..=bytes.len() {
            let rest = &bytes[from..];
            assert_eq!(count(rest, is), rest.iter().filter(|it| is(**it)).count());
            let found = rest.iter().position(|it| is(*it)).map(|it| from + it);
            assert_eq!(next(&bytes, from, is), found);
            let two = |one: u8, other: u8| one % 7 == 3 && other % 5 == 1;
            let found = rest.windows(2).position(|it| two(it[0], it[1]));
            assert_eq!(next_two(&bytes, from, two), found.map(|it| from + it));
        }
        for block in bytes.as_chunks().0 {
            let bits = block
                .iter()
                .enumerate()
                .map(|(n, it)| u64::from(is(*it)) << n);
            assert_eq!(mask(block, is), bits.sum::<u64>());
        }
        assert_eq!(count(&[0; 1000], |it| it == 0), 1000);
    }

    #[test]
    fn runs_are_found_if_they_are_long_enough() {
        let runs = |text: &str, least| {
            let (mut at, mut all) = (0, Vec::new());
            while let Some(run) = next_run(text.as_bytes(), at, least, |it| it != b' ') {
                let long = next_long_run(text.as_bytes(), at, least, |it| it != b' ');
                assert_eq!(long, Some(run.clone()), "{least} from {at} of {text}");
                at = run.end;
                all.push(text.get(run).unwrap().to_owned());
            }
            let long = next_long_run(text.as_bytes(), at, least, |it| it != b' ');
            assert_eq!(long, None, "{least} from {at} of {text}");
            all
        };
        for shift in (0..140).step_by(3) {
            let before = "x".repeat(shift);
            let text =
                format!("{before} abc abcd  abcde {before}ab abcdefghij a {before} abc abcd");
            for least in (1..12).chain([20, 63, 64]) {
                let words = text.split(' ').filter(|it| it.len() >= least);
                let wanted: Vec<_> = words.map(str::to_owned).collect();
                assert_eq!(runs(&text, least), wanted, "{least}");
            }
        }
    }
}
