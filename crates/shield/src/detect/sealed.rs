//! Archives that are not opened, and entries that nobody can open without a password: their lists say
//! what is in them.

use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::{High, Medium};
use regex::bytes::Regex;

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// So much of one is looked at for names.
const MOST: usize = 256 << 10;

/// Looks at what cannot be looked into.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    if input.kind == Kind::Zip {
        return match input.held {
            Some(bytes) => entries(walk, bytes),
            None => Ok(()),
        };
    }
    let head = super::head(input, MOST);
    if head.starts_with(b"SZDD\x88\xF0\x27\x33") {
        let unpacked = expand(head.get(14..).unwrap_or_default());
        return walk.look_into("SZDD", &mut unpacked.as_slice());
    }
    if input.kind != Kind::Rar && !is_archive(&head) {
        return Ok(());
    }
    walk.budget.work(head.len() as u64)?;
    let narrow: Vec<u8> = head.iter().copied().filter(|it| *it != 0).collect();
    let named = PROGRAM.find(&head).or_else(|| PROGRAM.find(&narrow));
    if let Some(named) = named {
        walk.found(
            &PROGRAM_IN,
            Some(&String::from_utf8_lossy(named.as_bytes())),
        );
    } else if input.kind != Kind::Rar {
        walk.found(&UNOPENED, None);
    }
    Ok(())
}

fn is_archive(head: &[u8]) -> bool {
    let arj = |it: &[u8]| {
        let length = it.get(2..4).map(|it| u16::from_le_bytes([it[0], it[1]]));
        it.starts_with(&[0x60, 0xEA]) && length.is_some_and(|it| (20..2600).contains(&it))
    };
    head.starts_with(b"MSCF\0\0\0\0")
        || head.starts_with(b"ITSF\x03\0\0\0")
        || head.starts_with(b"KWAJ\x88\xF0\x27\xD1")
        || head.get(7..14) == Some(b"**ACE**")
        || head.get(20..24) == Some(b"\xDC\xA7\xC4\xFD")
        || head.get(8..12) == Some(b"\x19\x04\x00\x10")
        || matches!(head.get(2..7), Some([b'-', b'l', b'h' | b'z', _, b'-']))
        || arj(head)
}

/// Entries of an archive whose names are programs', where they are locked or packed in a way of old.
fn entries(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    for at in memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(20_000) {
        let field = |n: usize| {
            let two = bytes.get(at + n..at + n + 2)?;
            two.try_into().ok().map(u16::from_le_bytes)
        };
        let (Some(flags), Some(method), Some(length)) = (field(8), field(10), field(28)) else {
            continue;
        };
        let is_locked = flags & 1 != 0 || method == 99;
        let is_old = matches!(method, 1..=7 | 10 | 11 | 18 | 19);
        if !is_locked && !is_old {
            continue;
        }
        let name = bytes
            .get(at + 46..at + 46 + usize::from(length))
            .unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        walk.budget.work(4096)?;
        let extension = names::extension(&name);
        let is_opened = matches!(extension.as_str(), "js" | "iso" | "img" | "vhd" | "one");
        if names::is_of_program(&extension) || is_opened {
            walk.found(&PROGRAM_IN, Some(&name));
            break;
        }
    }
    Ok(())
}

static PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i-u)[\w .,()@\[\]-]{1,80}\.(exe|scr|pif|bat|cmd|vbs|vbe|jse|wsf|hta|lnk|ps1|msi|cpl|jar)\b")
        .expect("a pattern that a test uses")
});

/// `SZDD`: what came before is copied from a ring of 4096 bytes.
fn expand(mut packed: &[u8]) -> Vec<u8> {
    let (mut ring, mut at, mut out) = ([b' '; 4096], 4096 - 16, Vec::new());
    let mut put = |byte: u8, ring: &mut [u8; 4096], out: &mut Vec<u8>| {
        ring[at] = byte;
        at = (at + 1) % 4096;
        out.push(byte);
    };
    while let [flags, rest @ ..] = packed {
        packed = rest;
        for bit in 0..8 {
            match packed {
                [byte, rest @ ..] if flags >> bit & 1 == 1 => {
                    packed = rest;
                    put(*byte, &mut ring, &mut out);
                }
                [low, high, rest @ ..] if flags >> bit & 1 == 0 => {
                    packed = rest;
                    let from = usize::from(*low) | usize::from(high & 0xF0) << 4;
                    for n in 0..usize::from(high & 0xF) + 3 {
                        let byte = ring[(from + n) % 4096];
                        put(byte, &mut ring, &mut out);
                    }
                }
                _ => return out,
            }
        }
    }
    out
}

static UNOPENED: Rule = Rule::code(
    "archive/unopened",
    Medium,
    "an archive of a kind that cannot be looked into",
    "ask the sender for the files as they are, or in a zip archive",
);
static PROGRAM_IN: Rule = Rule::code(
    "archive/unopened-program",
    High,
    "a program is in an archive that cannot be looked into",
    "do not unpack it; ask the sender for the files as they are",
);
