//! What becomes of a character when it is folded.

use std::sync::LazyLock;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

/// What becomes of the letters of most languages that have small ones, and of accents.
pub(super) static COMMON: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known = |code| char::from_u32(code).map(|it| Known::of(it, code));
    (0..0x530).map(|it| known(it).unwrap_or_default()).collect()
});

/// What a character becomes is short, but for a few ligatures whose ends are cut.
const MOST: usize = 8;

/// What becomes of a character, which takes long to find out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) code: u32,
    folded: [char; MOST],
    length: u8,
    pub(super) is_disguised: bool,
    /// Something in it is of a script whose letters look like Latin ones.
    pub(super) looks_alike: bool,
}

impl Known {
    pub(super) fn of(it: char, code: u32) -> Self {
        let mut known = Self {
            code,
            ..Self::default()
        };
        if let Some(letter) = in_a_shape(code) {
            known.push(letter);
            known.is_disguised = true;
            return known;
        }
        known.is_disguised = code > 0x2000;
        decompose_compatible(it, |part| {
            let class = canonical_combining_class(part);
            if class >= 200 || class == 1 || class == 7 || (27..=35).contains(&class) {
                return;
            }
            known.is_disguised &= part.is_ascii_alphanumeric();
            match part {
                // Arabic letters that are the same but for their place.
                '\u{649}' | '\u{64A}' => known.push('\u{6CC}'),
                '\u{643}' => known.push('\u{6A9}'),
                _ => part.to_lowercase().for_each(|it| known.push(it)),
            }
        });
        known.is_disguised &= known.length > 0;
        known.looks_alike = known.folded().iter().copied().any(looks_alike);
        known
    }

    pub(super) fn folded(&self) -> &[char] {
        self.folded
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    fn push(&mut self, it: char) {
        if let Some(room) = self.folded.get_mut(usize::from(self.length)) {
            *room = it;
            self.length += 1;
        }
    }
}

/// Whether a letter is of a script of which some look like Latin ones.
pub(in crate::text) fn looks_alike(it: char) -> bool {
    matches!(u32::from(it), 0x250..=0x2AF | 0x370..=0x58F | 0x10A0..=0x10FF | 0x13A0..=0x13FF
        | 0x1D00..=0x1DBF | 0xA720..=0xA7FF)
}

/// The letter inside a square, a circle, or a flag, and the small capitals.
fn in_a_shape(code: u32) -> Option<char> {
    let nth = |from: u32| char::from_u32(u32::from('a') + code - from);
    match code {
        0x1F150..=0x1F169 => nth(0x1F150),
        0x1F170..=0x1F189 => nth(0x1F170),
        0x1F1E6..=0x1F1FF => nth(0x1F1E6),
        _ => {
            let small = [
                (0x1D00, 'a'),
                (0x299, 'b'),
                (0x1D04, 'c'),
                (0x1D05, 'd'),
                (0x1D07, 'e'),
                (0xA730, 'f'),
                (0x262, 'g'),
                (0x29C, 'h'),
                (0x26A, 'i'),
                (0x1D0A, 'j'),
                (0x1D0B, 'k'),
                (0x29F, 'l'),
                (0x1D0D, 'm'),
                (0x274, 'n'),
                (0x1D0F, 'o'),
                (0x1D18, 'p'),
                (0x280, 'r'),
                (0xA731, 's'),
                (0x1D1B, 't'),
                (0x1D1C, 'u'),
                (0x1D20, 'v'),
                (0x1D21, 'w'),
                (0x28F, 'y'),
                (0x1D22, 'z'),
            ];
            small.iter().find(|it| it.0 == code).map(|it| it.1)
        }
    }
}
