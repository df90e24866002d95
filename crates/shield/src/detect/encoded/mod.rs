//! Files that stand in a text, written in letters: base 64, hexadecimal, uuencode, `BinHex`.

mod binhex;
mod letters;

use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::Medium;
use aho_corasick::{AhoCorasick, MatchKind};

use crate::budget::Step;
use crate::kind::{HEAD, Kind};
use crate::rule::Rule;
use crate::walk::{Walk, Window};

/// How a file begins in letters.
const BEGINNINGS: &[(&str, Form)] = &[
    ("TVqQ", Form::Base64),
    ("TVpQ", Form::Base64),
    ("TVoA", Form::Base64),
    ("TVpA", Form::Base64),
    ("TVpB", Form::Base64),
    ("f0VMR", Form::Base64),
    ("UEsDB", Form::Base64),
    ("0M8R4KGx", Form::Base64),
    ("H4sIA", Form::Base64),
    ("Qlpo", Form::Base64),
    ("/Td6WFo", Form::Base64),
    ("KLUv/", Form::Base64),
    ("N3q8ryccA", Form::Base64),
    ("UmFyIRo", Form::Base64),
    ("JVBERi0", Form::Base64),
    ("TAAAAAEUAg", Form::Base64),
    ("gASV", Form::Base64),
    ("e1xydGY", Form::Base64),
    ("WDVPIVAlQ", Form::Base64),
    ("4d5a9000", Form::Hex),
    ("4D5A9000", Form::Hex),
    ("4d5a5000", Form::Hex),
    ("7f454c46", Form::Hex),
    ("7F454C46", Form::Hex),
    ("504b0304", Form::Hex),
    ("504B0304", Form::Hex),
    ("d0cf11e0a1b11ae1", Form::Hex),
    ("D0CF11E0A1B11AE1", Form::Hex),
    ("begin 6", Form::Uu),
    ("begin 7", Form::Uu),
    ("(This file must be converted with BinHex", Form::BinHex),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Base64,
    Hex,
    Uu,
    BinHex,
}

static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(BEGINNINGS.iter().map(|it| it.0))
        .expect("a few short words")
});

/// So many of one window are looked into.
const MOST: usize = 32;
/// Shorter ones are words of the language, or hold nothing.
const SHORTEST: usize = 48;

/// Looks into the files that stand in what passes of a text.
pub(crate) fn look(walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
    let is_text = matches!(
        window.kind,
        Kind::Text | Kind::Html | Kind::Xml | Kind::Rtf | Kind::Email
    );
    if !is_text {
        return Ok(());
    }
    let (mut at, mut count) = (0, 0);
    while let Some(found) = WORDS.find(window.bytes.get(at..).unwrap_or_default()) {
        let start = at + found.start();
        let form = BEGINNINGS[found.pattern().as_usize()].1;
        let before = start.checked_sub(1).and_then(|it| window.bytes.get(it));
        at = start + 4;
        if before.is_some_and(|it| it.is_ascii_alphanumeric() || b"+/".contains(it)) {
            continue;
        }
        let from = window.bytes.get(start..).unwrap_or_default();
        let (name, bytes, used) = match form {
            Form::Base64 => letters::base64(from),
            Form::Hex => letters::hex(from),
            Form::Uu => letters::uu(from),
            Form::BinHex => binhex::decode(from),
        };
        walk.budget.work(used as u64)?;
        if bytes.len() < SHORTEST {
            continue;
        }
        at = start + used.max(4);
        let kind = Kind::of(bytes.get(..bytes.len().min(HEAD)).unwrap_or_default());
        if super::disguise::is_program(kind) {
            walk.found(&PROGRAM, None);
        }
        walk.look_into(&name, &mut bytes.as_slice())?;
        count += 1;
        if count == MOST {
            break;
        }
    }
    Ok(())
}

static PROGRAM: Rule = Rule::code(
    "encoded/program",
    Medium,
    "a program is written in letters in the text, from which it is easily made",
    "do not put it together; ask the sender what it is",
);
