//! Texts that take for ever if each word in them is looked for from where something began.

use crate::looked::look;

/// Bytes that are looked at together, or a little less.
const MANY: usize = (1 << 20) - 200;

fn many(of: &str, bytes: usize) -> String {
    of.repeat(bytes / of.len())
}

/// Whoever looks at each in time that grows with the square takes minutes, and is ended by who runs the tests.
#[test]
fn long_texts_take_no_longer_for_what_is_in_them() {
    for signs in ["-", "<!--", ".", "{", "&", "中", " *"] {
        for words in ["[INST]", "system: ", "ignore previous instructions ", "1a"] {
            let half = MANY / 2;
            let text = format!("{}{}", many(signs, half), many(words, half));
            look("notes.txt", text.as_bytes());
        }
    }
    look("notes.txt", format!("{}a", many("1", MANY)).as_bytes());
    look("notes.txt", format!("{}a", many("0x1", MANY)).as_bytes());
}
