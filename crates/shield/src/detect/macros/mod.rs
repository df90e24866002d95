//! Programs in documents: macros of Office, and the files that lie in compound files.

mod objects;
mod sheets;
mod source;
mod unpack;

use std::io::Cursor;

use agentdrop_protocol::report::ThreatLevel::{High, Medium};

use self::source::Deeds;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// What a compound file is that was opened.
type Compound<'a> = cfb::CompoundFile<Cursor<&'a [u8]>>;

/// How many streams of one file are looked at, and bytes of one.
const MAX_STREAMS: usize = 4096;
const MAX_STREAM: u64 = 32 << 20;

/// Looks for macros and for programs in a compound file, and for sheets of commands in new ones.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    if input.kind == Kind::Xml && input.name.contains("macrosheets/") {
        if let Some(bytes) = input.held {
            sheets::in_xml(walk, bytes);
        }
        return Ok(());
    }
    let (Kind::Ole, Some(bytes)) = (input.kind, input.held) else {
        return Ok(());
    };
    walk.budget.work(bytes.len() as u64)?;
    let mut seen = Seen::default();
    if let Ok(mut compound) = cfb::CompoundFile::open(Cursor::new(bytes)) {
        streams(walk, &mut compound, &mut seen)?;
    } else {
        // A damaged one: its small streams may be whole where they are.
        sources(walk, bytes, &mut seen)?;
    }
    if let Some(rule) = seen.verdict() {
        walk.found(rule, seen.deeds.named());
    }
    Ok(())
}

/// What was seen of macros.
#[derive(Default)]
struct Seen {
    has_project: bool,
    sources: usize,
    deeds: Deeds,
}

impl Seen {
    fn verdict(&self) -> Option<&'static Rule> {
        if self.sources == 0 {
            return self.has_project.then_some(&UNREADABLE);
        }
        Some(match (self.deeds.starts, self.deeds.acts()) {
            (true, true) => &RUNS,
            _ if self.deeds.loads_code => &RUNS,
            _ => &MACRO,
        })
    }
}

fn streams(walk: &mut Walk<'_>, compound: &mut Compound<'_>, seen: &mut Seen) -> Step {
    let entries = compound
        .walk()
        .take(MAX_STREAMS)
        .filter(cfb::Entry::is_stream);
    let paths: Vec<_> = entries
        .map(|it| (it.path().to_owned(), it.name().to_owned()))
        .collect();
    for (path, name) in paths {
        walk.budget.work(4096)?;
        let Ok(mut stream) = compound.open_stream(&path) else {
            continue;
        };
        let mut bytes = Vec::new();
        // What cannot be read of it is as good as not there.
        let read = std::io::Read::read_to_end(
            &mut std::io::Read::take(&mut stream, MAX_STREAM),
            &mut bytes,
        );
        drop(stream);
        walk.budget.expand(bytes.len() as u64)?;
        if read.is_err() && bytes.is_empty() {
            continue;
        }
        match name.as_str() {
            "_VBA_PROJECT" => seen.has_project = true,
            "Workbook" | "Book" => sheets::in_workbook(walk, &bytes),
            "\u{1}Ole10Native" => objects::native(walk, &bytes)?,
            "PowerPoint Document" => objects::of_slides(walk, &bytes)?,
            _ => {}
        }
        walk.inside(&name, |walk| sources(walk, &bytes, seen))?;
    }
    Ok(())
}

/// Every source text of a macro in these bytes.
fn sources(walk: &mut Walk<'_>, bytes: &[u8], seen: &mut Seen) -> Step {
    // The first words of each source, as they stand in what is compressed.
    for at in memchr::memmem::find_iter(bytes, b"\0Attribut").take(64) {
        let Some(container) = at.checked_sub(3).and_then(|it| bytes.get(it..)) else {
            continue;
        };
        let Some(source) = unpack::all(container) else {
            continue;
        };
        walk.budget.expand(source.len() as u64)?;
        seen.sources += usize::from(source::has_code(&source));
        seen.deeds.take(&source);
        let text = String::from_utf8_lossy(&source);
        walk.text(&text, crate::walk::Setting::Code)?;
    }
    Ok(())
}

const ADVICE: &str =
    "do not open it in an office program that runs macros; ask for the document without them";

static MACRO: Rule = Rule::code(
    "macro/plain",
    Medium,
    "the document carries a program that an office program can run",
    ADVICE,
);
static RUNS: Rule = Rule::code(
    "macro/runs",
    High,
    "the document carries a program that starts by itself and runs commands or fetches files",
    ADVICE,
);
static UNREADABLE: Rule = Rule::code(
    "macro/without-source",
    Medium,
    "the document carries a program whose source was taken out",
    ADVICE,
);
