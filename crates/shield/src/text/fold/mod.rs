//! Text as it is compared: small letters without accents, single spaces, nothing unseen.
//!
//! Rules are folded the same way, so what folds alike is alike.

mod known;

use self::known::{COMMON, Known};
use crate::excerpt::is_unseen;
use crate::many::next_two;

pub(super) use self::known::looks_alike;

/// A text as it is compared, and where its lines begin.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each line but the first: where it begins here, and where in what was folded.
    lines: Vec<(u32, u32)>,
    /// How many characters were dropped because nobody sees them.
    pub(crate) unseen: u32,
    known: Vec<Known>,
    /// Whether there is anything that nobody sees, or that turns the direction.
    pub(crate) has_unseen: bool,
    /// How many letters were written in the shapes of others: full width, mathematical, circled.
    pub(crate) disguised: u32,
    /// Whether there are letters that look like Latin ones and are not.
    pub(crate) has_lookalikes: bool,
}

/// How an ASCII character is folded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// As itself, or as a small letter.
    Sign,
    Space,
    /// As a space, which counts for none of its own beside others.
    Blank,
    /// As a space, with what it escapes.
    Escape,
    Newline,
    /// By tables.
    Other,
}

const SORTS: [Sort; 256] = {
    let mut table = [Sort::Other; 256];
    let mut it = 0_u8;
    while it < 0x80 {
        table[it as usize] = match it {
            b' ' => Sort::Space,
            b'\n' => Sort::Newline,
            b'\\' => Sort::Escape,
            b'*' | b'_' | b'~' | b'`' | 0..=0x1F | 0x7F => Sort::Blank,
            _ => Sort::Sign,
        };
        it += 1;
    }
    table
};

/// The first place from here that is to be looked at alone, which the last one always is: what becomes more than a small
/// letter, and a space with another behind it. There is at least one byte.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are asked at once"
)]
fn plain(bytes: &[u8], at: usize) -> usize {
    let is_other = |it: u8, next: u8| {
        let is_plain = (it.wrapping_sub(b' ') <= b'}' - b' ')
            & (it != b'*')
            & (it != b'_')
            & (it != b'`')
            & (it != b'\\');
        !is_plain | (it == b' ') & (next == b' ')
    };
    next_two(bytes, at, is_other).unwrap_or(bytes.len() - 1)
}

impl Folded {
    /// Folds a text, of less than 4 GiB.
    pub(crate) fn of(text: &str) -> Self {
        let mut it = Self {
            text: String::with_capacity(text.len() + 1),
            ..Self::default()
        };
        let bytes = text.as_bytes();
        let sort = |at: usize| bytes.get(at).map(|it| SORTS[usize::from(*it)]);
        let mut at = 0;
        while let Some(here) = sort(at) {
            match here {
                Sort::Sign => {
                    // Whole lines at once: what has single spaces stays as it is, in small letters.
                    let start = at;
                    at = plain(bytes, at).max(at + 1);
                    let from = it.text.len();
                    it.text.push_str(text.get(start..at).unwrap_or_default());
                    if let Some(new) = it.text.get_mut(from..) {
                        new.make_ascii_lowercase();
                    }
                    continue;
                }
                Sort::Space | Sort::Blank => it.space(),
                Sort::Escape => {
                    let next = bytes.get(at + 1);
                    if matches!(next, Some(b'n' | b'r' | b't' | b'"' | b'\'')) {
                        it.space();
                        at += 1;
                    } else {
                        it.text.push('\\');
                    }
                }
                Sort::Newline => {
                    it.space();
                    let here = u32::try_from(it.text.len()).unwrap_or(u32::MAX);
                    let there = u32::try_from(at + 1).unwrap_or(u32::MAX);
                    it.lines.push((here, there));
                }
                Sort::Other => {
                    let Some(next) = text.get(at..).and_then(|it| it.chars().next()) else {
                        break;
                    };
                    it.other(next);
                    at += next.len_utf8();
                    continue;
                }
            }
            at += 1;
        }
        it
    }

    /// Whether it was written in shapes that most texts have few of.
    pub(crate) fn is_disguised(&self) -> bool {
        self.unseen >= 8 || (self.disguised >= 12 && self.disguised as usize * 6 > self.text.len())
    }

    /// In which line something is, counted from 1.
    pub(crate) fn line(&self, at: usize) -> u64 {
        1 + self.lines.partition_point(|it| it.0 as usize <= at) as u64
    }

    /// In which line something of what was folded is, counted from 1.
    pub(crate) fn line_before(&self, at: usize) -> u64 {
        1 + self.lines.partition_point(|it| it.1 as usize <= at) as u64
    }

    /// What was folded into this line, and the line's beginning here.
    pub(crate) fn line_of<'a>(&self, at: usize, whole: &'a str) -> (usize, &'a str) {
        let line = self.lines.partition_point(|it| it.0 as usize <= at);
        let (here, there) = line
            .checked_sub(1)
            .and_then(|it| self.lines.get(it))
            .map_or((0, 0), |it| (it.0 as usize, it.1 as usize));
        (here, whole.get(there..).unwrap_or_default())
    }

    /// Whether only spaces stand between the line's beginning and this.
    pub(crate) fn begins_line(&self, at: usize) -> bool {
        let line = self.lines.partition_point(|it| it.0 as usize <= at);
        let start = line
            .checked_sub(1)
            .and_then(|it| self.lines.get(it))
            .map_or(0, |it| it.0 as usize);
        let before = self.text.get(start..at).unwrap_or_default();
        // From behind, where the next word is near: a line may have as many signs as there are words behind them.
        before.chars().rev().all(|it| !it.is_alphanumeric())
    }

    fn space(&mut self) {
        if !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn other(&mut self, it: char) {
        match u32::from(it) {
            0x2018 | 0x2019 | 0x201B | 0x2032 | 0xB4 | 0x2BC => self.text.push('\''),
            0x201C..=0x201F | 0x2033 | 0xAB | 0xBB => self.text.push('"'),
            0x2010..=0x2015 | 0x2212 => self.text.push('-'),
            0xA0 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000 => self.space(),
            0x410..=0x418 | 0x41A..=0x42F => {
                self.has_lookalikes = true;
                self.text
                    .push(char::from_u32(u32::from(it) + 0x20).unwrap_or(it));
            }
            // Small letters of Russian and Ukrainian.
            0x430..=0x438 | 0x43A..=0x44F | 0x454 | 0x456 | 0x491 => {
                self.has_lookalikes = true;
                self.text.push(it);
            }
            // What has no small letters: Chinese, Japanese, Korean, Thai, Hebrew, most of Hindi.
            0x4E00..=0x9FFF
            | 0x3041..=0x30FF
            | 0xAC00..=0xD7A3
            | 0x5D0..=0x5EA
            | 0xE01..=0xE30
            | 0xE32
            | 0xE34..=0xE46
            | 0x904..=0x939
            | 0x93E..=0x94D => self.text.push(it),
            0x649 | 0x64A => self.text.push('\u{6CC}'),
            0x643 => self.text.push('\u{6A9}'),
            0x629 => self.text.push('\u{647}'),
            0x131 => self.text.push('i'),
            0x142 | 0x141 => self.text.push('l'),
            0x111 | 0x110 => self.text.push('d'),
            0xF8 | 0xD8 => self.text.push('o'),
            0xDF => self.text.push_str("ss"),
            0xE6 | 0xC6 => self.text.push_str("ae"),
            // Joiners belong to the scripts of India and Iran, selectors to pictures, hyphens to books.
            0x640 | 0xAD | 0x200E | 0x200F => {}
            0x200C | 0x200D | 0xFE0F | 0xFE0E | 0xFEFF => self.has_unseen = true,
            _ if is_unseen(it) => {
                self.unseen += 1;
                self.has_unseen = true;
            }
            code => self.decomposed(it, code),
        }
    }

    fn decomposed(&mut self, it: char, code: u32) {
        let new;
        let known = if let Some(known) = COMMON.get(code as usize) {
            known
        } else {
            new = self.known(it, code);
            &new
        };
        self.disguised += u32::from(known.is_disguised);
        self.has_lookalikes |= known.looks_alike;
        match known.folded() {
            [' '] => self.space(),
            [one] => self.text.push(*one),
            folded => self.text.extend(folded),
        }
    }

    fn known(&mut self, it: char, code: u32) -> Known {
        let slot = code as usize % KNOWN;
        let known = self.known.get(slot).filter(|known| known.code == code);
        known.copied().unwrap_or_else(|| {
            let new = Known::of(it, code);
            self.known.resize(KNOWN, Known::default());
            self.known[slot] = new;
            new
        })
    }
}

/// How many characters are known at a time.
const KNOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(text: &str, folded: &str) {
        assert_eq!(Folded::of(text).text, folded);
    }

    #[test]
    fn what_reads_alike_folds_alike() {
        same("IGNORE  all\n\tPrevious", "ignore all previous");
        same("**Ignore** __all__", " ignore all ");
        same(
            "précédentes Überschreib İşte ısı",
            "precedentes uberschreib iste isi",
        );
        same(
            "ｉｇｎｏｒｅ 𝐢𝐠𝐧𝐨𝐫𝐞 ⓘⓖⓝⓞⓡⓔ 🅸🅶🅽🅾🆁🅴 ɪɢɴᴏʀᴇ",
            "ignore ignore ignore ignore ignore",
        );
        same("i\u{200b}g\u{2060}n\u{ad}ore", "ignore");
        same("i\u{301}g\u{336}nore", "ignore");
        same("Игнорируй Ёлки", "игнорируи елки");
        same("指示を無視", "指示を無視");
        same("ज़", "ज");
        same(r"all\nprevious", "all previous");
    }

    #[test]
    fn what_stands_before_does_not_matter() {
        let ends = [
            " *a", "  a", " \n a", " \\n", " é", "é", "~", " ~ ", "\\", " ", "  ", "_a_", "A", "",
        ];
        for length in 1..80 {
            let letters = "x".repeat(length);
            for end in ends {
                // As if each had stood there alone.
                let alone = Folded::of(&format!("x{end}"));
                let folded = Folded::of(&format!("{letters}{end}"));
                assert_eq!(
                    folded.text,
                    format!("{}{}", "x".repeat(length - 1), alone.text)
                );
                assert_eq!(folded.lines.len(), alone.lines.len());
            }
        }
    }

    #[test]
    fn lines_are_counted_where_the_text_had_them() {
        let text = "one\n\n  two\nthree";
        let folded = Folded::of(text);
        let at = |what: &str| folded.text.find(what).unwrap();
        assert_eq!(folded.line(at("one")), 1);
        assert_eq!(folded.line(at("two")), 3);
        assert_eq!(folded.line(at("three")), 4);
        assert_eq!(folded.line_of(at("three"), text).1, "three");
        assert!(folded.begins_line(at("three")) && !folded.begins_line(at("three") + 2));
    }
}
