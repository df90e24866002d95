//! The objects of a PDF, wherever they are.
//!
//! The table at its end, which says where they are, is not read: a broken or lying one hides nothing.

use std::collections::{HashMap, HashSet};

use super::filters;
use super::key::Key;
use super::lexer::{Lexer, is_space};
use super::object::{Dict, Object};
use crate::budget::Step;
use crate::walk::Walk;

/// The objects of a PDF.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    objects: HashMap<u32, Held>,
    /// Those that another of the same number came after.
    pub(super) replaced: Vec<Held>,
    pub(super) trailer: Dict,
    key: Option<Key>,
}

/// An object.
#[derive(Clone)]
pub(super) struct Held {
    number: u32,
    pub(super) object: Object,
    /// Where its stream is in the file.
    pub(super) stream: Option<(usize, usize)>,
}

/// Dictionaries at the end, one each time that it was saved, and the bytes of one.
const MAX_TRAILERS: usize = 500;
const MAX_TRAILER: usize = 1 << 16;

/// Objects of which the end is looked for as far as the end of the file.
const MAX_ENDLESS: u32 = 8;

/// Objects that are looked at, and values in all of them.
const MAX_OBJECTS: usize = 200_000;
const MAX_VALUES: u32 = 1_200_000;

impl<'a> File<'a> {
    pub(super) fn read(walk: &Walk<'_>, bytes: &'a [u8]) -> Step<Self> {
        let mut file = Self {
            bytes,
            objects: HashMap::new(),
            replaced: Vec::new(),
            trailer: Dict::new(),
            key: None,
        };
        let room = file.read_plain();
        file.unlock(walk)?;
        file.read_packed(walk, room)?;
        Ok(file)
    }

    /// Whether there were more objects than are looked at.
    pub(super) fn is_cut(&self) -> bool {
        self.objects.len() + self.replaced.len() >= MAX_OBJECTS
    }

    /// Whether nobody reads it who has no password.
    pub(super) fn is_locked(&self) -> bool {
        self.trailer.contains_key("Encrypt") && self.key.is_none()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Held> {
        self.objects.get(&number)
    }

    /// In the order of their numbers.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.objects.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// What it is, or what it refers to.
    pub(super) fn resolve<'o>(&'o self, object: &'o Object) -> &'o Object {
        let mut object = object;
        // A reference leads to a value, and to another reference only in files that are made for it.
        for _ in 0..8 {
            let Object::Ref(number) = object else {
                return object;
            };
            match self.objects.get(number) {
                Some(it) => object = &it.object,
                None => return &Object::Null,
            }
        }
        &Object::Null
    }

    /// The value of a name, resolved.
    pub(super) fn of<'o>(&'o self, dict: &'o Dict, name: &str) -> &'o Object {
        dict.get(name).map_or(&Object::Null, |it| self.resolve(it))
    }

    /// A stream as it is meant; `None` where it is none, or a picture.
    pub(super) fn stream(&self, walk: &Walk<'_>, held: &Held) -> Step<Option<Vec<u8>>> {
        let (Some((from, to)), Some(dict)) = (held.stream, held.object.dict()) else {
            return Ok(None);
        };
        // Filters and their parameters may be elsewhere.
        let mut how = Dict::new();
        for name in ["Filter", "DecodeParms", "F", "DP"] {
            if let Some(it) = dict.get(name) {
                let values = self.resolve(it).values().iter().take(filters::MAX_FILTERS);
                let values = values.map(|it| self.resolve(it).clone()).collect();
                how.insert(name.into(), Object::Array(values));
            }
        }
        let raw = self.bytes.get(from..to).unwrap_or_default();
        walk.budget.work(raw.len() as u64)?;
        let Some(key) = self.key.as_ref().filter(|_| !is_of(held, "XRef")) else {
            return filters::decoded(walk, &how, raw);
        };
        filters::decoded(walk, &how, &key.opened_stream(held.number, raw))
    }

    /// Every `1 0 obj` in the file.
    fn read_plain(&mut self) -> u32 {
        let (mut at, mut room, mut endless, mut end) = (0, MAX_VALUES, 0, None);
        while let Some(found) = find(self.bytes, b"obj", at) {
            at = found + 3;
            if let Some(number) = number_before(self.bytes, found) {
                let mut lexer = Lexer::new(self.bytes, at, room);
                let mut object = None;
                if endless < MAX_ENDLESS {
                    object = lexer.next();
                }
                // A string without an end would hide all objects behind it, which readers find by the
                // table.
                if object.is_none() || lexer.rest().is_empty() {
                    endless += u32::from(object.is_some());
                    // Looked for once, however many there are before it.
                    let next = end.filter(|it| *it >= at);
                    let next = next.or_else(|| find(self.bytes, b"endobj", at));
                    let next = next.unwrap_or(self.bytes.len());
                    end = Some(next);
                    let before = self.bytes.get(..next).unwrap_or_default();
                    let mut short = Lexer::new(before, at, room);
                    object = short.next();
                    lexer = Lexer::new(self.bytes, short.at, short.room());
                }
                let object = object.unwrap_or(Object::Null);
                room = lexer.room();
                let stream = self.stream_behind(&mut lexer, &object);
                // What stands in a stream is no object of the file.
                at = stream.map_or(lexer.at, |it| it.1).max(at);
                self.hold(Held {
                    number,
                    object,
                    stream,
                });
            }
            if room == 0 || self.is_cut() {
                break;
            }
        }
        self.read_trailers();
        room
    }

    /// What the last of them says counts, where they differ.
    fn read_trailers(&mut self) {
        let last = memchr::memmem::rfind_iter(self.bytes, b"trailer").take(MAX_TRAILERS);
        for found in last {
            let from = found + 7;
            let bytes = self.bytes.get(from..).unwrap_or_default();
            let bytes = bytes.get(..MAX_TRAILER).unwrap_or(bytes);
            if let Some(Object::Dict(it)) = Lexer::new(bytes, 0, 10_000).next() {
                for (name, value) in it {
                    self.trailer.entry(name).or_insert(value);
                }
            }
        }
    }

    fn stream_behind(&self, lexer: &mut Lexer<'_>, object: &Object) -> Option<(usize, usize)> {
        lexer.skip_space();
        let rest = lexer.rest().strip_prefix(b"stream")?;
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let from = self.bytes.len() - rest.len();
        // As long as it says if its end is there, else as far as the end is.
        let length = object.dict()?.get("Length").and_then(Object::integer);
        let said = length.and_then(|it| from.checked_add(usize::try_from(it).ok()?));
        let is_end = |at: &usize| {
            let behind = self.bytes.get(*at..).unwrap_or_default();
            // Only as far as writers of files leave space: whoever leaves more may do so often.
            let behind = behind.get(..16).unwrap_or(behind);
            behind.trim_ascii_start().starts_with(b"endstream")
        };
        let end = || find(self.bytes, b"endstream", from).unwrap_or(self.bytes.len());
        Some((from, said.filter(is_end).unwrap_or_else(end)))
    }

    /// Reads with no password, where that is enough.
    fn unlock(&mut self, walk: &Walk<'_>) -> Step {
        for number in self.numbers() {
            if let Some(held) = self.objects.get(&number).filter(|it| is_of(it, "XRef"))
                && let Some(dict) = held.object.dict()
            {
                self.trailer.extend(dict.clone());
            }
        }
        let Some(how) = self.trailer.get("Encrypt") else {
            return Ok(());
        };
        let own = match how {
            Object::Ref(number) => Some(*number),
            _ => None,
        };
        let Some(how) = self.resolve(how).dict() else {
            return Ok(());
        };
        let id = self.of(&self.trailer, "ID").values().first();
        let id = id
            .and_then(|it| self.resolve(it).string())
            .unwrap_or_default();
        walk.budget.work(1 << 16)?;
        self.key = Key::of(self, how, id);
        let Some(key) = &self.key else { return Ok(()) };
        let objects = self.objects.values_mut().chain(&mut self.replaced);
        for held in objects.filter(|it| own != Some(it.number)) {
            unlock_strings(key, held.number, &mut held.object);
        }
        Ok(())
    }

    /// Objects in streams, which are packed.
    fn read_packed(&mut self, walk: &Walk<'_>, mut room: u32) -> Step {
        for number in self.numbers() {
            let Some(held) = self.objects.get(&number) else {
                continue;
            };
            if !is_of(held, "ObjStm") || self.is_locked() {
                continue;
            }
            let held = held.clone();
            let Some(bytes) = self.stream(walk, &held)? else {
                continue;
            };
            let first = held.object.dict().and_then(|it| it.get("First")?.integer());
            let first = first
                .and_then(|it| usize::try_from(it).ok())
                .unwrap_or_default();
            let mut head = Lexer::new(bytes.get(..first).unwrap_or_default(), 0, room);
            while let (Some(number), Some(at)) = (head.next(), head.next()) {
                let number = number.integer().and_then(|it| u32::try_from(it).ok());
                let at = at
                    .integer()
                    .and_then(|it| first.checked_add(usize::try_from(it).ok()?));
                let (Some(number), Some(at)) = (number, at) else {
                    continue;
                };
                let mut lexer = Lexer::new(&bytes, at, room);
                if let Some(object) = lexer.next() {
                    let stream = None;
                    self.hold(Held {
                        number,
                        object,
                        stream,
                    });
                }
                room = lexer.room().min(head.room());
                if room == 0 || self.is_cut() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn hold(&mut self, held: Held) {
        if let Some(before) = self.objects.insert(held.number, held) {
            self.replaced.push(before);
        }
    }

    /// Pages as they are read: as the tree says, and then those that it does not have.
    pub(super) fn pages(&self) -> Vec<Page<'_>> {
        let (mut pages, mut seen) = (Vec::new(), HashSet::new());
        let root = self.of(&self.trailer, "Root").dict();
        let top = root.and_then(|it| it.get("Pages"));
        let mut open: Vec<_> = top.map(|it| (it, Above::default())).into_iter().collect();
        while let Some((node, mut above)) = open.pop() {
            let Object::Ref(number) = node else { continue };
            let Some(dict) = self.resolve(node).dict().filter(|_| seen.insert(*number)) else {
                continue;
            };
            above.resources = dict.get("Resources").or(above.resources);
            above.area = dict.get("MediaBox").or(above.area);
            let kids = self.of(dict, "Kids").values();
            if kids.is_empty() {
                pages.push(Page { dict, above });
            }
            open.extend(kids.iter().rev().map(|it| (it, above)));
        }
        for number in self.numbers() {
            let dict = self.objects.get(&number).and_then(|it| it.object.dict());
            if let Some(dict) = dict
                && dict.get("Type").and_then(Object::name) == Some("Page")
                && seen.insert(number)
            {
                let above = Above {
                    resources: dict.get("Resources"),
                    area: dict.get("MediaBox"),
                };
                pages.push(Page { dict, above });
            }
        }
        pages
    }
}

/// A page, and what those above it in the tree say of it.
pub(super) struct Page<'o> {
    pub(super) dict: &'o Dict,
    pub(super) above: Above<'o>,
}

/// What is said of all pages below.
#[derive(Clone, Copy, Default)]
pub(super) struct Above<'o> {
    pub(super) resources: Option<&'o Object>,
    pub(super) area: Option<&'o Object>,
}

fn is_of(held: &Held, kind: &str) -> bool {
    held.object.dict().and_then(|it| it.get("Type")?.name()) == Some(kind)
}

/// The lexer makes them no deeper than may be followed.
fn unlock_strings(key: &Key, number: u32, object: &mut Object) {
    match object {
        Object::String(it) => *it = key.opened_string(number, it).into(),
        Object::Array(values) => {
            for it in values {
                unlock_strings(key, number, it);
            }
        }
        Object::Dict(dict) => {
            for it in dict.values_mut() {
                unlock_strings(key, number, it);
            }
        }
        _ => {}
    }
}

/// Where it is next.
fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memmem::find(rest, what).map(|it| it + from)
}

/// The number of the object whose `obj` stands there: `12 0 obj`.
fn number_before(bytes: &[u8], at: usize) -> Option<u32> {
    const LONGEST: usize = 24;
    let before = bytes.get(at.saturating_sub(LONGEST)..at)?;
    let is_of_number = |it: &u8| it.is_ascii_digit() || is_space(*it);
    let from = before
        .iter()
        .rposition(|it| !is_of_number(it))
        .map_or(0, |it| it + 1);
    let words: Vec<&[u8]> = before
        .get(from..)?
        .split(|it| is_space(*it))
        .filter(|it| !it.is_empty())
        .collect();
    let [.., number, _generation] = words.as_slice() else {
        return None;
    };
    str::from_utf8(number).ok()?.parse().ok()
}
