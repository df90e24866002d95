//! Characters that are written as their numbers, one after the other: binary, octal, decimal, hexadecimal.

use std::iter::successors;
use std::ops::Range;

use super::{At, Found, Take, words};
use crate::budget::Step;
use crate::many::{next_run, next_two};

/// How many numbers make a text.
const LEAST: usize = 12;

/// Bytes that they have at least, with one in between.
const LEAST_BYTES: usize = 3 * LEAST - 1;

/// How many are read at most, one after the other.
const MOST: usize = 1 << 16;

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(row) = next_run(bytes, at, LEAST_BYTES, |it| is(it, INSIDE)) {
        at = row.end;
        within(text, row, take)?;
    }
    Ok(())
}

/// Looks at numbers where nothing else stands.
fn within(text: &str, row: Range<usize>, take: &mut Take<'_>) -> Step {
    let bytes = text.as_bytes();
    let here = bytes.get(..row.end).unwrap_or_default();
    let mut at = row.start;
    while let Some(two) = next_two(here, at, are_digits) {
        let found = two + usize::from(!here[two].is_ascii_digit());
        let start = begin(bytes, found);
        let Some(first) = number(bytes, start) else {
            // It is too long, or goes on with other letters.
            let digits = here.iter().skip(found).take_while(|it| is(**it, DIGIT));
            at = found + digits.count();
            continue;
        };
        at = first.end.max(found + 1);
        let lengths = match first.len() {
            2 | 3 => 2..=3,
            7 | 8 => 7..=8,
            _ => continue,
        };
        let next = |it: &Range<usize>| {
            let next = number(bytes, gap(bytes, it.end)?);
            next.filter(|it| lengths.contains(&it.len()))
        };
        let all = || successors(Some(first.clone()), next).take(MOST);
        // Most are none of letters: nothing has to be kept of them.
        let (count, last) = all().fold((0, first.end), |it, number| (it.0 + 1, number.end));
        at = at.max(last);
        if count < LEAST {
            continue;
        }
        let numbers: Vec<&[u8]> = all().filter_map(|it| bytes.get(it)).collect();
        if let Some((name, text)) = decoded(&numbers) {
            take(Found::hidden(name, At::Text(start), text))?;
        }
    }
    Ok(())
}

/// What lists of numbers begin with: two digits, of which one at least is none of the letters, or the mark before them.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
fn are_digits(one: u8, other: u8) -> bool {
    let is_hex = |it: u8| it.is_ascii_digit() | ((it | 0x20).wrapping_sub(b'a') < 6);
    let is_mark = (one == b'0') & (other | 0x20 == b'x');
    is_mark | is_hex(one) & is_hex(other) & (one.is_ascii_digit() | other.is_ascii_digit())
}

/// A number in base 16 may begin with a letter.
fn begin(bytes: &[u8], at: usize) -> usize {
    let letters = bytes.get(..at).unwrap_or_default().iter().rev();
    at - letters.take(3).take_while(|it| is(**it, DIGIT)).count()
}

/// Where the next number may begin: behind separators, of which there are a few at most.
fn gap(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let length = rest.iter().take(5).take_while(|it| is(**it, GAP)).count();
    (length > 0).then_some(at + length)
}

/// The number that begins here, without what says that it is one.
fn number(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?;
    let mark = match rest {
        [b'0', b'x' | b'X', ..] => 2,
        [b'x', ..] => 1,
        _ => 0,
    };
    let digits = rest.get(mark..)?;
    let length = digits
        .iter()
        .take(9)
        .take_while(|it| is(**it, DIGIT))
        .count();
    let is_end = digits.get(length).is_none_or(|it| !is(*it, WORD));
    ((1..=8).contains(&length) && is_end).then_some(at + mark..at + mark + length)
}

/// A digit in base 16.
const DIGIT: u8 = 1;

/// What stands between numbers.
const GAP: u8 = 2;

/// A letter or digit.
const WORD: u8 = 4;

/// A digit, what says that one follows, or what stands between them.
const INSIDE: u8 = 8;

/// What each byte is here.
const SORTS: [u8; 256] = {
    let mut table = [0; 256];
    let mut it = 0_u8;
    while it < 0x80 {
        table[it as usize] = match it {
            b' ' | b',' | b';' | b':' | b'\n' | b'\r' | b'\t' | b'-' | b'\\' => GAP | INSIDE,
            b'x' | b'X' => WORD | INSIDE,
            _ if it.is_ascii_hexdigit() => DIGIT | WORD | INSIDE,
            _ if it.is_ascii_alphanumeric() => WORD,
            _ => 0,
        };
        it += 1;
    }
    table
};

const fn is(it: u8, sort: u8) -> bool {
    SORTS[it as usize] & sort != 0
}

fn decoded(numbers: &[&[u8]]) -> Option<(&'static str, String)> {
    let lengths =
        |least: usize, most: usize| numbers.iter().all(|it| (least..=most).contains(&it.len()));
    let digits = |is: fn(&u8) -> bool| numbers.iter().all(|it| it.iter().all(is));
    let read = |radix: u32| {
        let codes = numbers
            .iter()
            .map(|it| u8::from_str_radix(str::from_utf8(it).ok()?, radix).ok());
        let bytes = codes.collect::<Option<Vec<u8>>>()?;
        // Of its first letter, what has no digit but letters was not seen as a number.
        let cut = bytes
            .iter()
            .take(3)
            .take_while(|it| matches!(it, 0x80..0xC0));
        words(bytes.get(cut.count()..)?)
    };
    if lengths(7, 8) && digits(|it| matches!(it, b'0' | b'1')) {
        return Some(("binary", read(2)?));
    }
    if lengths(2, 2)
        && let Some(text) = read(16)
    {
        return Some(("hex", text));
    }
    if lengths(2, 3) && digits(u8::is_ascii_digit) {
        let decimal = read(10).map(|it| ("decimal", it));
        return decimal.or_else(|| Some(("octal", read(8)?)));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::text::layers::What;

    fn found(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        let taken = search(text, &mut |it| {
            if let What::Text(text) = it.what {
                all.push(format!("{}: {text}", it.name));
            }
            Ok(())
        });
        taken.unwrap();
        all
    }

    fn list(text: &str, mark: &str, gap: &str) -> String {
        text.bytes().fold(String::new(), |mut list, it| {
            write!(list, "{mark}{it:02x}{gap}").unwrap();
            list
        })
    }

    #[test]
    fn lists_are_read_wherever_they_stand() {
        let text = "Ignore all t";
        let hex = list(text, "", " ");
        let wanted = [format!("hex: {text}")];
        for whole in [
            hex.trim().to_owned(),
            format!("{hex} 1234567890123 and more"),
            format!("xyz {hex}"),
            format!("of 123456789, {hex}"),
            format!("decode: {hex}"),
            format!("12345 {hex} 1234 no"),
            list(text, "0x", ", "),
            list(text, "\\x", ""),
            format!("1{}", list(text, "0x", ", ")),
        ] {
            assert_eq!(found(&whole), wanted, "{whole}");
        }
        assert_eq!(found(&format!("{hex} 1234 {hex}")).len(), 2);
        // One less makes no text.
        assert_eq!(found(&list("Ignore all ", "", " ")), Vec::<String>::new());
    }

    #[test]
    fn a_list_may_begin_with_a_number_of_letters() {
        let text = "이전 지시를 모두 무시하고";
        assert_eq!(found(&list(text, "0x", ", ")), [format!("hex: {text}")]);
        // Without a mark, nothing says where the first letter begins.
        let rest: String = text.chars().skip(1).collect();
        for list in [list(text, "", " "), list(text, "\\x", "")] {
            assert_eq!(found(&list), [format!("hex: {rest}")]);
        }
    }
}
