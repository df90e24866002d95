//! What a document declares before its first element: entities, which may stand for much, or for what is
//! elsewhere.

use std::collections::HashMap;

use agentdrop_protocol::report::{Layer, ThreatLevel};

use crate::rule::Rule;
use crate::walk::Walk;

/// Entities stand for so much that it is a bomb.
const BOMB: Rule = Rule {
    id: "resource-limit/entities",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "entities stand for each other until very much comes of very little",
    advice: "do not open it with what puts entities in",
};

/// An entity stands for a file of whoever reads it.
const LOCAL: Rule = Rule {
    id: "documents/external-entity",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "an entity stands for a file or a command on the machine of whoever reads it",
    advice: "do not open it with what puts external entities in",
};

/// An entity stands for something on the net.
const REMOTE: Rule = Rule {
    id: "documents/remote-entity",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "an entity stands for something that is fetched from the net when it is read",
    advice: "do not open it with what puts external entities in",
};

/// What was declared: what entities stand for, put in as far as it is little.
#[derive(Default)]
pub(super) struct Entities {
    /// As they are written; the first declaration of each holds.
    written: HashMap<String, String>,
    meant: HashMap<String, String>,
}

/// How much is put in for one.
const MAX_TEXT: u64 = 4 << 10;

/// Of how much it is a bomb.
const MAX_LENGTH: u64 = 1 << 20;

/// Entities that are kept.
const MAX_ENTITIES: usize = 4_000;

/// How deep they may stand for each other.
const MAX_DEPTH: u8 = 40;

impl Entities {
    /// What this name stands for, as far as it is known.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.meant.get(name).map(String::as_str)
    }

    /// Reads the declarations of a document type.
    pub(super) fn declare(&mut self, walk: &mut Walk<'_>, doctype: &str) {
        let mut rest = doctype;
        while let Some((_, behind)) = rest.split_once("<!ENTITY") {
            rest = behind;
            let mut words = Words(behind);
            let Some(mut name) = words.next() else { break };
            let is_parameter = name == "%";
            if is_parameter {
                name = words.next().unwrap_or_default();
            }
            let first = words.next().unwrap_or_default();
            let address = match first {
                "SYSTEM" => words.next(),
                "PUBLIC" => words.nth(1),
                _ => None,
            };
            if let Some(address) = address {
                judge_address(walk, address, is_parameter);
            } else if self.written.len() < MAX_ENTITIES {
                let entry = self.written.entry(name.to_owned());
                entry.or_insert_with(|| first.to_owned());
            }
        }
        // In whatever order they are declared.
        let (mut lengths, mut meant) = (HashMap::new(), HashMap::new());
        for name in self.written.keys() {
            let length = self.length(name, 0, &mut lengths);
            if length > MAX_LENGTH {
                walk.found(&BOMB, Some(name));
            } else if length <= MAX_TEXT {
                let mut text = String::new();
                self.put_in(name, &mut text);
                meant.insert(name.clone(), text);
            }
        }
        self.meant = meant;
    }

    /// Bytes that come of it in the end, and one for each entity in it; very many where it stands for
    /// itself.
    fn length<'a>(&'a self, name: &'a str, depth: u8, known: &mut HashMap<&'a str, u64>) -> u64 {
        if let Some(length) = known.get(name) {
            return *length;
        }
        if depth > MAX_DEPTH {
            return u64::MAX;
        }
        let Some(written) = self.written.get(name) else {
            return 4;
        };
        let length = parts(written).fold(0_u64, |length, (name, behind)| {
            let inside = name.map_or(0, |it| self.length(it, depth + 1, known));
            length
                .saturating_add(inside)
                .saturating_add(1 + behind.len() as u64)
        });
        known.insert(name, length);
        length
    }

    /// Only for what is short, and so not deep.
    fn put_in(&self, name: &str, text: &mut String) {
        let Some(written) = self.written.get(name) else {
            text.extend(character(name));
            return;
        };
        for (name, behind) in parts(written) {
            if let Some(name) = name {
                self.put_in(name, text);
            }
            text.push_str(behind);
        }
    }
}

/// The entities of a value, each with the text behind it; the text before the first has none.
fn parts(value: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut is_first = true;
    value.split(['&', '%']).map(move |part| {
        if std::mem::take(&mut is_first) {
            return (None, part);
        }
        match part.split_once(';') {
            Some((name, behind)) => (Some(name), behind),
            None => (None, part),
        }
    })
}

/// The character of `#65` or `#x41`.
fn character(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    char::from_u32(number.ok()?)
}

fn judge_address(walk: &mut Walk<'_>, address: &str, is_parameter: bool) {
    let lower = address.trim().to_ascii_lowercase();
    let starts = |what: &[&str]| what.iter().any(|it| lower.starts_with(it));
    let is_local = starts(&[
        "file:", "/", "\\\\", "php:", "expect:", "jar:", "gopher:", "dict:", "ldap:", "netdoc:",
    ]);
    if is_local && !(is_parameter && lower.contains(".dtd")) {
        walk.found(&LOCAL, Some(address));
    } else if starts(&["http:", "https:", "ftp:"]) && !lower.contains("//www.w3.org/") {
        walk.found(&REMOTE, Some(address));
    }
}

/// Names, and what stands in quotes.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next()?;
        if quote == '>' {
            return None;
        }
        let (word, rest) = match quote {
            '"' | '\'' => text.get(1..)?.split_once(quote)?,
            _ => {
                let is_end = |it: char| it.is_whitespace() || it == '>';
                text.split_at(text.find(is_end).unwrap_or(text.len()))
            }
        };
        self.0 = rest;
        Some(word)
    }
}
