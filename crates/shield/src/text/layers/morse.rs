//! Dots and dashes.

use super::{At, Found, Take, is_words};
use crate::budget::Step;

const LETTERS: [(&str, char); 39] = [
    (".-", 'a'),
    ("-...", 'b'),
    ("-.-.", 'c'),
    ("-..", 'd'),
    (".", 'e'),
    ("..-.", 'f'),
    ("--.", 'g'),
    ("....", 'h'),
    ("..", 'i'),
    (".---", 'j'),
    ("-.-", 'k'),
    (".-..", 'l'),
    ("--", 'm'),
    ("-.", 'n'),
    ("---", 'o'),
    (".--.", 'p'),
    ("--.-", 'q'),
    (".-.", 'r'),
    ("...", 's'),
    ("-", 't'),
    ("..-", 'u'),
    ("...-", 'v'),
    (".--", 'w'),
    ("-..-", 'x'),
    ("-.--", 'y'),
    ("--..", 'z'),
    ("-----", '0'),
    (".----", '1'),
    ("..---", '2'),
    ("...--", '3'),
    ("....-", '4'),
    (".....", '5'),
    ("-....", '6'),
    ("--...", '7'),
    ("---..", '8'),
    ("----.", '9'),
    (".-.-.-", '.'),
    ("--..--", ','),
    ("..--..", '?'),
];

/// How many signs make a text: of ten words or so.
const LEAST: usize = 40;

pub(super) fn search(text: &str, take: &mut Take<'_>) -> Step {
    let is_sign = |it: u8| matches!(it, b'.' | b'-' | b' ' | b'/' | b'|' | b'\n');
    let bytes = text.as_bytes();
    let mut at = LEAST - 1;
    while let Some(byte) = bytes.get(at) {
        if !is_sign(*byte) {
            at += LEAST;
            continue;
        }
        let before = bytes.get(..at).unwrap_or_default().iter().rev();
        let start = at - before.take(LEAST).take_while(|it| is_sign(**it)).count();
        let length = bytes
            .iter()
            .skip(start)
            .take_while(|it| is_sign(**it))
            .count();
        at = start + length + LEAST;
        if length < LEAST {
            continue;
        }
        let piece = text.get(start..start + length).unwrap_or_default();
        if let Some(text) = decoded(piece) {
            take(Found::hidden("morse", At::Text(start), text))?;
        }
    }
    Ok(())
}

fn decoded(piece: &str) -> Option<String> {
    let mut out = String::new();
    let mut kinds = [0_usize; 7];
    for word in piece.split(['/', '|', '\n']).flat_map(|it| it.split("   ")) {
        for sign in word.split_whitespace() {
            out.push(LETTERS.iter().find(|it| it.0 == sign)?.1);
            kinds[sign.len().min(6)] += 1;
        }
        out.push(' ');
    }
    // A table is ruled with signs of one length.
    let is_language = kinds.iter().filter(|it| **it > 0).count() >= 3;
    (is_language && is_words(&out)).then_some(out)
}
