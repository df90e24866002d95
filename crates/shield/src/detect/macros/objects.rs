//! Files that lie in compound files.

use std::io::Read as _;

use agentdrop_protocol::report::ThreatLevel::{High, Low};

use crate::budget::Step;
use crate::detect::names;
use crate::rule::Rule;
use crate::walk::Walk;

/// A file with its name: [MS-OLEDS] 2.3.6.
pub(super) fn native(walk: &mut Walk<'_>, stream: &[u8]) -> Step {
    let (label, rest) = string(stream.get(6..).unwrap_or_default());
    let (path, rest) = string(rest);
    let name = if path.is_empty() { label } else { path };
    let name = String::from_utf8_lossy(name).into_owned();
    let name = names::base(&name);
    let extension = names::extension(name);
    let is_program = names::is_of_program(&extension) || names::is_of_script(&extension);
    walk.found(if is_program { &PROGRAM } else { &FILE }, Some(name));
    // Four bytes of flags, a path with its length before it, and the content with its.
    let content = rest.get(4..).and_then(|it| {
        let path = counted(it)?;
        counted(it.get(4 + path.len()..)?)
    });
    let mut content = content.unwrap_or(rest);
    walk.look_into(name, &mut content)
}

fn string(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(0, bytes.get(..bytes.len().min(1024)).unwrap_or_default());
    let end = end.unwrap_or(0);
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (bytes.get(..end).unwrap_or_default(), rest)
}

fn counted(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    bytes.get(4..4_usize.checked_add(length)?)
}

/// Those of a presentation, compressed: [MS-PPT] 2.10.34.
pub(super) fn of_slides(walk: &mut Walk<'_>, stream: &[u8]) -> Step {
    // `recVer` 0, `recInstance` 1, `recType` 0x1011.
    for at in memchr::memmem::find_iter(stream, b"\x10\x00\x11\x10").take(256) {
        // The length of the record and of what comes out say nothing that can be relied on.
        let Some(packed) = stream.get(at + 12..).filter(|it| it.first() == Some(&0x78)) else {
            continue;
        };
        let mut unpacked = flate2::read::ZlibDecoder::new(packed);
        let mut first = [0];
        if unpacked.read_exact(&mut first).is_ok() {
            let mut whole = flate2::read::ZlibDecoder::new(packed);
            walk.look_into("object", &mut whole)?;
        }
    }
    Ok(())
}

static PROGRAM: Rule = Rule::code(
    "object/program",
    High,
    "the document has a program or a script embedded, which a click starts",
    "do not open it; ask the sender for the document without it",
);
static FILE: Rule = Rule::code(
    "object/file",
    Low,
    "the document has another file embedded",
    "look at that file by itself",
);
