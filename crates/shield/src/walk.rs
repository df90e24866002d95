//! One scan: from the input inwards, within one budget.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use agentdrop_protocol::report::{Finding, ThreatLevel};

use crate::budget::{Budget, Step, Stop};
use crate::excerpt::escaped;
use crate::findings::Findings;
use crate::kind::{HEAD, Kind};
use crate::place::Place;
use crate::rule::Rule;
use crate::rules::RuleSet;
use crate::{detect, extract, text};

/// What can be read from any place on.
pub(crate) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// Something to look at, whole.
pub(crate) struct Input<'a> {
    /// As the sender calls it; empty where it has no name. Without folders.
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) length: u64,
    /// Its bytes, unless they are too many to be held. What only reads whole inputs does without.
    pub(crate) held: Option<&'a [u8]>,
    /// Its bytes, to be read from any place on.
    pub(crate) source: &'a mut dyn Source,
}

/// A piece of an input on its way past; long ones come in several that overlap.
pub(crate) struct Window<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    /// Where in the input it begins.
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) is_last: bool,
}

impl Window<'_> {
    /// How many lines end in it before the next one begins.
    pub(crate) fn new_lines(&self) -> u64 {
        let new = self.bytes.len() - if self.is_last { 0 } else { OVERLAP };
        let new = self.bytes.get(..new).unwrap_or_default();
        memchr::memchr_iter(b'\n', new).count() as u64
    }
}

/// Where a text stands: an instruction in a place that people do not read weighs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Setting {
    /// Whoever opens the file reads it.
    Visible,
    /// Whoever opens the file does not see it, but whoever reads the text does: comments, white on
    /// white, hidden sheets, what is off the page.
    Hidden,
    /// About the file and not in it: titles, EXIF, document properties, comments of archives.
    Metadata,
    /// The name of a file.
    Name,
    /// What the sender wrote beside the files.
    Message,
    /// Source text of a program or a script.
    Code,
}

/// One scan: what it may still cost, where it is, and what it found.
pub(crate) struct Walk<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) budget: Budget,
    findings: Findings,
    place: Place,
    depth: u8,
    held: u64,
    /// Whether it is looked for keys and passwords, which is for those who send.
    pub(crate) looks_for_secrets: bool,
    is_stopped: bool,
    /// The text detector's notes: what the surest rule and the model said.
    pub(crate) scores: text::Scores,
    /// Whether nothing came from the sender before: what is hidden weighs more.
    pub(crate) is_first_contact: bool,
    /// What a model is made from, where one is made.
    #[cfg(feature = "training")]
    pub(crate) learned: Option<Vec<crate::training::Window>>,
    /// Every text that was judged, with its place, for tests of what finds texts.
    #[cfg(test)]
    pub(crate) heard: Vec<(String, Setting, String)>,
}

/// Bytes of one window, and how many of them the next one has too.
const WINDOW: usize = 1 << 20;
const OVERLAP: usize = 4 << 10;

/// Of what is taken apart on its way past, no more is held.
const EARLY: u64 = 1 << 20;

impl<'a> Walk<'a> {
    pub(crate) fn new(rules: &'a RuleSet, budget: Budget) -> Self {
        Self {
            findings: Findings::new(budget.limits().findings),
            rules,
            budget,
            place: Place::default(),
            depth: 0,
            held: 0,
            looks_for_secrets: false,
            is_stopped: false,
            scores: text::Scores::default(),
            is_first_contact: false,
            #[cfg(feature = "training")]
            learned: None,
            #[cfg(test)]
            heard: Vec::new(),
        }
    }

    /// Looks at something further in: a file of an archive, a stream of a document, what a layer of
    /// compression held. Reads all of it, whatever a header said about its length, and counts what it
    /// reads.
    pub(crate) fn look_into(&mut self, name: &str, from: &mut dyn Read) -> Step {
        self.budget.entry()?;
        if self.depth >= self.budget.limits().depth {
            self.found(&extract::TOO_DEEP, None);
            return Ok(());
        }
        self.depth += 1;
        let looked = self.inside(name, |walk| {
            let looked = walk.look_within(name, from);
            looked.inspect_err(|why| walk.stopped(*why))
        });
        self.depth -= 1;
        looked
    }

    fn look_within(&mut self, name: &str, from: &mut dyn Read) -> Step {
        let most = self.budget.limits().held.saturating_sub(self.held);
        // What it is has to be known, however much is held.
        let most = most.max(HEAD as u64);
        let mut bytes = Vec::new();
        let mut is_whole = self.fill(&mut bytes, most.min(EARLY), from)?;
        let kind = Kind::of(&bytes[..HEAD.min(bytes.len())]);
        let through = extract::through(kind);
        if !is_whole && !extract::early(kind) {
            let room = most - bytes.len() as u64;
            is_whole = self.fill(&mut bytes, room, from)?;
        }
        let length = bytes.len() as u64;
        self.held += length;
        let taken = Rc::new(Cell::new(length));
        let mut source = Cursor::new(bytes.as_slice());
        let looked = match through {
            _ if is_whole => {
                let _layer = self.budget.layer(&taken);
                self.look_at(name, Some(&bytes), length, &mut source)
            }
            Some(through) => {
                let looked = self.look_whole(name, kind, length, &mut source);
                let mut all = Cursor::new(bytes.as_slice()).chain(from);
                looked.and_then(|()| through(self, name, &mut all))
            }
            None => {
                if let Some(rule) = extract::too_long(kind) {
                    self.found(rule, None);
                }
                self.pass(name, kind, &mut source.chain(from), true)
            }
        };
        self.held -= length;
        looked
    }

    /// What can be said of the beginning of something too long to be held.
    fn look_whole(&mut self, name: &str, kind: Kind, length: u64, source: &mut dyn Source) -> Step {
        let mut input = Input {
            name,
            kind,
            length,
            held: None,
            source,
        };
        for detect in detect::WHOLE {
            input.source.seek(SeekFrom::Start(0)).ok();
            detect(self, &mut input)?;
        }
        Ok(())
    }

    /// Looks at an input: what it is, what it holds, what it says.
    pub(crate) fn look_at(
        &mut self,
        name: &str,
        held: Option<&[u8]>,
        length: u64,
        source: &mut dyn Source,
    ) -> Step {
        let mut head = Vec::new();
        if self
            .read(source.take(HEAD as u64).read_to_end(&mut head))
            .is_none()
        {
            return Ok(());
        }
        let kind = Kind::of(&head);
        let mut input = Input {
            name,
            kind,
            length,
            held,
            source,
        };
        for extract in extract::all(kind).iter().chain(extract::BEHIND) {
            input.source.seek(SeekFrom::Start(0)).ok();
            extract(self, &mut input)?;
        }
        for detect in detect::WHOLE {
            input.source.seek(SeekFrom::Start(0)).ok();
            detect(self, &mut input)?;
        }
        if let Some(bytes) = held {
            return self.pass_held(name, kind, bytes);
        }
        input.source.seek(SeekFrom::Start(0)).ok();
        self.pass(name, kind, input.source, false)
    }

    /// The same as [`Self::pass`], where nothing has to be read.
    fn pass_held(&mut self, name: &str, kind: Kind, held: &[u8]) -> Step {
        let mut passing = text::Passing::new(kind);
        let mut offset = 0;
        loop {
            let rest = &held[offset..];
            let window = Window {
                kind,
                name,
                offset: offset as u64,
                bytes: &rest[..rest.len().min(WINDOW)],
                is_last: rest.len() <= WINDOW,
            };
            self.look_through(&window, &mut passing)?;
            if window.is_last {
                return Ok(());
            }
            offset += WINDOW - OVERLAP;
        }
    }

    fn look_through(&mut self, window: &Window<'_>, passing: &mut text::Passing) -> Step {
        self.budget.work(window.bytes.len() as u64)?;
        for detect in detect::PASSING {
            detect(self, window)?;
        }
        passing.take(self, window)
    }

    /// Looks at what comes, window for window.
    fn pass(&mut self, name: &str, kind: Kind, from: &mut dyn Read, is_new: bool) -> Step {
        let (mut bytes, mut offset) = (Vec::with_capacity(WINDOW), 0);
        let mut passing = text::Passing::new(kind);
        loop {
            let before = bytes.len();
            let room = (WINDOW - before) as u64;
            self.read(from.take(room).read_to_end(&mut bytes));
            let new = (bytes.len() - before) as u64;
            let is_last = bytes.len() < WINDOW;
            if is_new {
                self.budget.expand(new)?;
            }
            let window = Window {
                kind,
                name,
                offset,
                bytes: &bytes,
                is_last,
            };
            self.look_through(&window, &mut passing)?;
            if is_last {
                return Ok(());
            }
            let gone = bytes.len() - OVERLAP;
            bytes.drain(..gone);
            offset += gone as u64;
        }
    }

    /// Judges a text that was found here.
    pub(crate) fn text(&mut self, text: &str, setting: Setting) -> Step {
        self.text_from(1, text, setting)
    }

    /// The same, where the text begins with this line of something longer.
    pub(crate) fn text_from(&mut self, line: u64, text: &str, setting: Setting) -> Step {
        self.budget.work(text.len() as u64)?;
        #[cfg(test)]
        self.heard.push((self.place(), setting, text.to_owned()));
        text::look(self, text, setting, line)
    }

    /// Judges a text that was found one step further in.
    pub(crate) fn text_in(&mut self, segment: &str, text: &str, setting: Setting) -> Step {
        self.inside(segment, |walk| walk.text(text, setting))
    }

    /// Goes one step further in, which findings then say.
    pub(crate) fn inside<T>(&mut self, segment: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(segment);
        let looked = look(self);
        self.place.pop();
        looked
    }

    /// Notes what a rule about bytes or structure found here; the excerpt is escaped and cut.
    pub(crate) fn found(&mut self, rule: &Rule, excerpt: Option<&str>) {
        self.found_at(rule, rule.level, None, excerpt);
    }

    /// The same, at this line and of this level.
    pub(crate) fn found_at(
        &mut self,
        rule: &Rule,
        level: ThreatLevel,
        line: Option<u64>,
        excerpt: Option<&str>,
    ) {
        let place = self.place();
        self.add(Finding {
            threat_level: level,
            line,
            excerpt: excerpt.map(|it| escaped(it, MAX_EXCERPT)),
            ..rule.at(&place)
        });
    }

    /// Notes a finding whose excerpt is escaped already.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.add(finding);
    }

    /// Notes why the scan ends before everything was looked at, and where, the first time.
    pub(crate) fn stopped(&mut self, why: Stop) {
        if !self.is_stopped {
            self.is_stopped = true;
            self.found(extract::limit(why), None);
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> String {
        self.place.to_string()
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    /// Reads until `room` is full: whether that was all.
    fn fill(&mut self, bytes: &mut Vec<u8>, room: u64, from: &mut dyn Read) -> Step<bool> {
        let mut left = room;
        loop {
            let before = bytes.len();
            let read = from.take(left.min(1 << 16)).read_to_end(bytes);
            self.read(read);
            let new = (bytes.len() - before) as u64;
            self.budget.expand(new)?;
            left -= new;
            if new == 0 {
                // Where there is no room, there may be more.
                return Ok(left > 0);
            }
        }
    }

    /// What could be read. What cannot is noted: it may be readable for somebody else.
    pub(crate) fn read<T>(&mut self, read: io::Result<T>) -> Option<T> {
        // Decoders can but fail where the scan has to end.
        if read.is_err() && self.budget.stopped().is_none() {
            self.found(&extract::UNREADABLE, None);
        }
        read.ok()
    }
}

/// Characters of an excerpt.
pub(crate) const MAX_EXCERPT: usize = 160;
