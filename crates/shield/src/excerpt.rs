//! A little of what a sender wrote, fit to be shown.

/// The first `most` characters of it, with everything escaped that could steer a terminal, turn the
/// direction of a text, or not be seen.
pub(crate) fn escaped(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (n, it) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        if it == ' ' || (!it.is_control() && !it.is_whitespace() && !is_unseen(it)) {
            out.push(it);
        } else {
            out.extend(it.escape_unicode());
        }
    }
    out
}

/// Whether it is a character that is not seen, or changes how others are.
pub(crate) fn is_unseen(it: char) -> bool {
    matches!(u32::from(it),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
        | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_excerpt_steers_a_terminal_or_is_unseen() {
        let text = "a\u{1b}[2J\u{202e}b\u{200b}\u{e0041}\n ü";
        let shown = escaped(text, 100);
        assert_eq!(shown, "a\\u{1b}[2J\\u{202e}b\\u{200b}\\u{e0041}\\u{a} ü");
        assert_eq!(escaped("äöü", 2), "äö…");
    }
}
