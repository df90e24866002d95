//! Sheets of commands, which Excel had before it had macros: [MS-XLS] 2.4.28 and 2.4.150.

use agentdrop_protocol::report::ThreatLevel::{High, Medium};

use crate::rule::Rule;
use crate::walk::Walk;

const BOUND_SHEET: u16 = 0x85;
const NAME: u16 = 0x18;
const END: u16 = 0x0A;

/// Looks for them in the stream of an old workbook.
pub(super) fn in_workbook(walk: &mut Walk<'_>, stream: &[u8]) {
    let (mut rest, mut has_sheet, mut is_hidden, mut starts) = (stream, false, false, false);
    // The list of sheets stands in front of the sheets.
    for _ in 0..100_000 {
        let [a, b, c, d, after @ ..] = rest else {
            break;
        };
        let (kind, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        let Some(record) = after.get(..usize::from(length)) else {
            break;
        };
        match (kind, record) {
            (END, _) => break,
            (BOUND_SHEET, [_, _, _, _, state, 1, ..]) => {
                has_sheet = true;
                is_hidden |= state & 0b11 != 0;
            }
            // A name that Excel knows itself: 1 is the one that runs when the workbook is opened.
            (NAME, [flags, _, _, ..]) if flags & 0x20 != 0 => {
                starts |= record
                    .get(14..16)
                    .is_some_and(|it| it.contains(&1) || it.contains(&2));
            }
            (NAME, _) => {
                let lower = record.to_ascii_lowercase();
                starts |= memchr::memmem::find(&lower, b"auto_open").is_some();
            }
            _ => {}
        }
        rest = after.get(record.len()..).unwrap_or_default();
    }
    if has_sheet {
        let rule = if is_hidden || starts { &HIDDEN } else { &SHEET };
        walk.found(rule, None);
    }
}

/// Looks at one that stands in a part of a new workbook.
pub(super) fn in_xml(walk: &mut Walk<'_>, part: &[u8]) {
    let calls = [
        &b"EXEC("[..],
        b"CALL(",
        b"REGISTER(",
        b"FORMULA(",
        b"URLDownload",
        b"FWRITE(",
    ];
    let does = calls
        .iter()
        .any(|it| memchr::memmem::find(part, it).is_some());
    walk.found(if does { &HIDDEN } else { &SHEET }, None);
}

const ADVICE: &str = "do not open it in Excel; ask for the values";

static SHEET: Rule = Rule::code(
    "macro/sheet",
    Medium,
    "the workbook has a sheet of commands, which nobody has written since 1993 but those who attack",
    ADVICE,
);
static HIDDEN: Rule = Rule::code(
    "macro/sheet-runs",
    High,
    "the workbook has a sheet of commands that is hidden, starts by itself or runs programs",
    ADVICE,
);
