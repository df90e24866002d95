//! Content that is not what the name says.

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Holds what an input is against what its name says.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let extension = names::extension(input.name);
    let head = super::head(input, 4096);
    walk.budget.work(head.len() as u64)?;
    if let Some(rule) = judge(&extension, input.kind, &head) {
        walk.found(rule, None);
    }
    Ok(())
}

fn judge(extension: &str, kind: Kind, head: &[u8]) -> Option<&'static Rule> {
    if extension.is_empty() || head.is_empty() {
        return None;
    }
    let is_document = names::is_of_document(extension);
    if is_document && is_program(kind) {
        return Some(&PROGRAM);
    }
    let is_closed = names::is_of_picture(extension) && extension != "svg"
        || names::is_of_office(extension) && extension != "csv";
    if is_closed && is_text(kind) {
        return Some(of_text(kind, head));
    }
    let expected = expected(extension)?;
    (!expected.contains(&kind)).then_some(&OTHER)
}

/// A text under the name of what is no text.
fn of_text(kind: Kind, head: &[u8]) -> &'static Rule {
    let lower = head.to_ascii_lowercase();
    let has = |what: &[u8]| lower.windows(what.len()).any(|it| it == what);
    let starts = [
        &b"#!"[..],
        b"@echo off",
        b"<?php",
        b"<%",
        b"<job",
        b"<hta:",
        b"<package",
    ];
    if starts
        .iter()
        .any(|it| lower.trim_ascii_start().starts_with(it))
    {
        return &SCRIPT;
    }
    // The page of an error is often saved under the name of what was asked for.
    if kind == Kind::Html && has(b"<script") {
        return &PAGE;
    }
    let calls = [
        &b"wscript."[..],
        b"createobject(",
        b"powershell",
        b"activexobject",
        b"cmd.exe",
    ];
    if calls.iter().any(|it| has(it)) {
        return &SCRIPT;
    }
    &OTHER
}

pub(crate) fn is_program(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pe | Kind::Elf | Kind::MachO | Kind::JavaClass | Kind::Lnk
    )
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Html | Kind::Xml | Kind::Email)
}

/// What is usual under a name. Nothing for those under which anything is.
fn expected(extension: &str) -> Option<&'static [Kind]> {
    Some(match extension {
        "pdf" => &[Kind::Pdf],
        // With a password it is a compound file.
        "docx" | "xlsx" | "pptx" | "docm" | "xlsm" | "pptm" | "dotx" | "xlsb" => {
            &[Kind::Zip, Kind::Ole]
        }
        "doc" | "xls" | "ppt" => &[Kind::Ole, Kind::Rtf, Kind::Zip],
        "rtf" => &[Kind::Rtf],
        "zip" | "odt" | "ods" | "odp" | "epub" | "jar" | "apk" => &[Kind::Zip],
        "7z" => &[Kind::SevenZip],
        "rar" => &[Kind::Rar],
        "gz" | "tgz" => &[Kind::Gzip],
        "png" => &[Kind::Png],
        "jpg" | "jpeg" => &[Kind::Jpeg],
        "gif" => &[Kind::Gif],
        "webp" => &[Kind::Webp],
        _ => return None,
    })
}

static PROGRAM: Rule = Rule::format(
    "format/disguised-program",
    High,
    "it is a program under the name of a document, a picture or a text",
    "do not run or open it; ask the sender what it is",
);
static SCRIPT: Rule = Rule::format(
    "format/disguised-script",
    High,
    "it is the text of a program under the name of a document, a picture or a film",
    "do not run or open it; ask the sender what it is",
);
static PAGE: Rule = Rule::format(
    "format/disguised-page",
    Medium,
    "it is a web page with a script under the name of a document, a picture or a film",
    "do not open it in a browser; ask the sender for the file that it should be",
);
static OTHER: Rule = Rule::format(
    "format/other-type",
    Low,
    "its content is of another type than its name says",
    "go by the content",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_under_a_harmless_name_is_found_and_one_under_its_own_is_not() {
        let cases: &[(&str, Kind, &[u8], Option<&str>)] = &[
            ("pdf", Kind::Pe, b"MZ", Some("format/disguised-program")),
            (
                "txt",
                Kind::Elf,
                b"\x7FELF",
                Some("format/disguised-program"),
            ),
            ("jpg", Kind::Lnk, b"L", Some("format/disguised-program")),
            ("exe", Kind::Pe, b"MZ", None),
            ("so", Kind::Elf, b"\x7FELF", None),
            ("", Kind::Elf, b"\x7FELF", None),
            ("dat", Kind::Pe, b"MZ", None),
            (
                "png",
                Kind::Text,
                b"#!/bin/sh\nid",
                Some("format/disguised-script"),
            ),
            (
                "pdf",
                Kind::Text,
                b"@echo off\r\n",
                Some("format/disguised-script"),
            ),
            (
                "doc",
                Kind::Html,
                b"<html><script>",
                Some("format/disguised-page"),
            ),
            ("jpg", Kind::Png, b"\x89PNG", Some("format/other-type")),
            ("pdf", Kind::Html, b"<html>404", Some("format/other-type")),
            ("docx", Kind::Ole, b"\xD0\xCF", None),
            ("svg", Kind::Xml, b"<svg>", None),
            ("csv", Kind::Text, b"a,b", None),
            ("mp4", Kind::Media, b"....ftyp", None),
            ("txt", Kind::Html, b"<html>", None),
        ];
        for (extension, kind, head, rule) in cases {
            let found = judge(extension, *kind, head).map(|it| it.id);
            assert_eq!(found, *rule, "{extension} {kind:?}");
        }
    }
}
