//! Files that are two things at once: one program sees a picture, another runs what is behind it.

use agentdrop_protocol::report::ThreatLevel::{High, Low};
use memchr::memmem;

use super::programs::pe;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Looks for a second file in what should be one.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let is_picture = matches!(
        input.kind,
        Kind::Png | Kind::Jpeg | Kind::Gif | Kind::Webp | Kind::Tiff
    );
    if !is_picture && input.kind != Kind::Pdf {
        return Ok(());
    }
    let Some(bytes) = input.held else {
        return Ok(());
    };
    walk.budget.work(bytes.len() as u64)?;
    if ends_as_zip(bytes) {
        // Under the name of an archive nobody takes it for a picture.
        let is_named = super::names::extension(input.name) == "zip";
        let level = if is_named { Low } else { SECOND.level };
        walk.found_at(&SECOND, level, None, Some("zip"));
    }
    if pe::embedded(bytes) {
        walk.found(&PROGRAM, None);
    }
    if !is_picture {
        return Ok(());
    }
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if bytes.len() > 16 && crate::text::is_text(head) {
        walk.found(&SCRIPT, None);
    }
    if memmem::find(head, b"%PDF-").is_some() || head.get(257..262) == Some(b"ustar") {
        walk.found(&SECOND, None);
    }
    if has_script(bytes) {
        walk.found(&SCRIPT, None);
    }
    if input.kind == Kind::Png {
        behind_png(walk, bytes);
    }
    Ok(())
}

/// Whether an archive reaches to the last byte: its end says where its list is, and the list is there.
fn ends_as_zip(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(22 + 0xFFFF);
    let tail = bytes.get(from..).unwrap_or_default();
    // Nearly no file has one, and forwards that is known much sooner.
    if memmem::find(tail, b"PK\x05\x06").is_none() {
        return false;
    }
    let ends = memmem::rfind_iter(tail, b"PK\x05\x06").take(16);
    ends.map(|at| from + at).any(|at| {
        let end = |n| u32_at(bytes, at + n).map(|it| it as usize);
        let (Some(size), Some(comment)) = (end(12), u16_at(bytes, at + 20)) else {
            return false;
        };
        let list = at.checked_sub(size).and_then(|it| bytes.get(it..it + 4));
        at + 22 + usize::from(comment) == bytes.len() && list == Some(b"PK\x01\x02")
    })
}

/// Whether a page or a script for a server stands in a picture.
fn has_script(bytes: &[u8]) -> bool {
    let openings = [
        &b"<?php"[..],
        b"<script",
        b"<SCRIPT",
        b"<?PHP",
        b"__HALT_COMPILER();",
    ];
    openings.iter().any(|it| memmem::find(bytes, it).is_some())
}

/// A program or an archive behind the last chunk.
fn behind_png(walk: &mut Walk<'_>, bytes: &[u8]) {
    let mut at = 8;
    let behind = loop {
        let length = bytes.get(at..at + 4).and_then(|it| it.try_into().ok());
        let (Some(length), Some(name)) =
            (length.map(u32::from_be_bytes), bytes.get(at + 4..at + 8))
        else {
            return;
        };
        at = at.saturating_add(12).saturating_add(length as usize);
        if name == b"IEND" {
            break bytes.get(at..).unwrap_or_default();
        }
    };
    let head = behind.get(..behind.len().min(4096)).unwrap_or_default();
    if head.starts_with(b"#!") || super::disguise::is_program(Kind::of(head)) {
        walk.found(&PROGRAM, None);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    four.try_into().ok().map(u32::from_le_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    two.try_into().ok().map(u16::from_le_bytes)
}

const ADVICE: &str = "do not keep it; ask the sender for a file that is only what it says";

static SECOND: Rule = Rule::format(
    "format/polyglot",
    High,
    "it is two files in one: what one program shows, another one unpacks",
    ADVICE,
);
static PROGRAM: Rule = Rule::format(
    "format/polyglot-program",
    High,
    "a program is hidden in a picture or a document",
    ADVICE,
);
static SCRIPT: Rule = Rule::format(
    "format/polyglot-script",
    High,
    "a picture is the text of a program at the same time, or carries one",
    ADVICE,
);
