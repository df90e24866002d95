//! Compound files: documents of old Office, and mails of Outlook
//! ([MS-CFB](https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb)).
//!
//! Text is found as it stands in the streams, letter behind letter, and not by the structures of each
//! program: those that lie about where it is hide nothing.

mod mail;
mod packed;
mod runs;
#[cfg(test)]
mod tests;

use std::io::{Cursor, Read};

use agentdrop_protocol::report::{Layer, ThreatLevel};
use cfb::CompoundFile;

use crate::budget::Step;
use crate::extract::{TOO_LONG, UNREADABLE};
use crate::rule::Rule;
use crate::walk::{Input, Setting, Walk};

/// It says nothing to whoever has no key.
const ENCRYPTED: Rule = Rule {
    id: "documents/encrypted",
    layer: Layer::FormatValidation,
    level: ThreatLevel::Medium,
    reason: "the document is encrypted, so that its text was not looked at",
    advice: "ask the sender for one that is not, or treat all that it says as data",
};

/// Streams of one file that are looked at, and bytes of one.
const MAX_STREAMS: usize = 5_000;
const MAX_STREAM: u64 = 32 << 20;

type File<'a> = CompoundFile<Cursor<&'a [u8]>>;

/// Takes a compound file apart.
pub(in crate::extract) fn ole(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let Some(bytes) = input.held else {
        walk.found(&TOO_LONG, None);
        return Ok(());
    };
    let Ok(mut file) = CompoundFile::open(Cursor::new(bytes)) else {
        walk.found(&UNREADABLE, None);
        return runs::judge(walk, bytes, Setting::Visible);
    };
    let streams: Vec<String> = file
        .walk()
        .filter(cfb::Entry::is_stream)
        .map(|it| it.path().to_string_lossy().into_owned())
        .take(MAX_STREAMS)
        .collect();
    let is_mail = streams
        .iter()
        .any(|it| it.starts_with("/__properties_version1.0"));
    if is_mail {
        return mail::read(walk, &mut file, &streams);
    }
    for path in &streams {
        let name = path.trim_start_matches('/');
        let Some(bytes) = stream(walk, &mut file, path)? else {
            continue;
        };
        match name.rsplit('/').next().unwrap_or_default() {
            "EncryptedPackage" => walk.found(&ENCRYPTED, None),
            "Package" | "CONTENTS" => walk.look_into(name, &mut Cursor::new(bytes))?,
            last => {
                let setting = match last {
                    "WordDocument" | "Workbook" | "Book" | "PowerPoint Document" => {
                        Setting::Visible
                    }
                    it if it.contains("SummaryInformation") => Setting::Metadata,
                    _ => Setting::Hidden,
                };
                walk.inside(name, |walk| runs::judge(walk, &bytes, setting))?;
            }
        }
    }
    Ok(())
}

/// As much of a stream as can be read.
fn stream(walk: &mut Walk<'_>, file: &mut File<'_>, path: &str) -> Step<Option<Vec<u8>>> {
    let Ok(stream) = file.open_stream(path) else {
        walk.found(&UNREADABLE, None);
        return Ok(None);
    };
    let (mut from, mut bytes, mut buffer) = (stream.take(MAX_STREAM), Vec::new(), [0; 1 << 14]);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        walk.budget.expand(read as u64)?;
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    Ok(Some(bytes))
}
