//! Byte for byte through the groups.

use std::collections::HashMap;
use std::io::Cursor;

use agentdrop_protocol::report::{Layer, ThreatLevel};
use encoding_rs::{Encoding, WINDOWS_1252};

use super::charset;
use super::group::{Destination, Group};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::html::{Colour, WHITE};
use crate::extract::documents::pdf::unhex;
use crate::extract::documents::xml;
use crate::rule::Rule;
use crate::walk::{Setting, Walk};

/// An object that is opened with the document.
const UPDATES: Rule = Rule {
    id: "documents/object-updates",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "an object in the document is run as soon as it is opened, which exploits use",
    advice: "do not open it in an office program; read its text only",
};

/// Byte for byte through the groups.
pub(super) struct Reader<'r, 'w> {
    walk: &'r mut Walk<'w>,
    bytes: &'r [u8],
    at: usize,
    group: Group,
    groups: Vec<Group>,
    /// How many more groups are open that were not kept.
    beyond: u64,
    /// Whether a group has only begun, and then whether `\*` stands there.
    is_first: bool,
    is_ignorable: bool,
    page: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    font: i32,
    colours: Vec<Colour>,
    mixed: [u8; 3],
    /// Bytes of text in the encoding that holds.
    pending: Vec<u8>,
    surrogate: Option<u16>,
    body: Flow,
    info: Flow,
    unseen: Flow,
    field: String,
    hex: Vec<u8>,
    is_updated: bool,
}

/// Groups in each other, and entries of tables.
const MAX_GROUPS: usize = 1_000;
const MAX_ENTRIES: usize = 10_000;

/// Bytes that stand for one character.
const MAX_FALLBACK: usize = 16;

impl<'r, 'w> Reader<'r, 'w> {
    pub(super) fn new(walk: &'r mut Walk<'w>, bytes: &'r [u8]) -> Self {
        Self {
            walk,
            bytes,
            at: 0,
            group: Group::default(),
            groups: Vec::new(),
            beyond: 0,
            is_first: false,
            is_ignorable: false,
            page: WINDOWS_1252,
            fonts: HashMap::new(),
            font: 0,
            colours: Vec::new(),
            mixed: [0; 3],
            pending: Vec::new(),
            surrogate: None,
            body: Flow::new(Setting::Visible),
            info: Flow::at("document information", Setting::Metadata),
            unseen: Flow::at("not shown", Setting::Hidden),
            field: String::new(),
            hex: Vec::new(),
            is_updated: false,
        }
    }

    pub(super) fn run(mut self) -> Step {
        while let Some(it) = self.next() {
            match it {
                b'{' => {
                    self.flush()?;
                    self.open();
                    continue;
                }
                b'}' => {
                    self.flush()?;
                    self.close()?;
                }
                b'\\' => {
                    self.control()?;
                    continue;
                }
                b'\r' | b'\n' => continue,
                it => self.pending.push(it),
            }
            self.is_first = false;
            if self.pending.len() > 1 << 16 {
                self.flush()?;
            }
        }
        self.flush()?;
        self.end_destination()?;
        self.body.end(self.walk)?;
        self.info.end(self.walk)?;
        self.unseen.end(self.walk)
    }

    fn next(&mut self) -> Option<u8> {
        let it = self.bytes.get(self.at).copied();
        self.at += 1;
        it
    }

    fn open(&mut self) {
        (self.is_first, self.is_ignorable) = (true, false);
        if self.groups.len() < MAX_GROUPS {
            self.groups.push(self.group);
        } else {
            self.beyond += 1;
        }
    }

    fn close(&mut self) -> Step {
        if self.beyond > 0 {
            self.beyond -= 1;
            return Ok(());
        }
        let Some(outer) = self.groups.pop() else {
            return Ok(());
        };
        if outer.destination != self.group.destination {
            self.end_destination()?;
        }
        self.group = outer;
        Ok(())
    }

    /// Judges what was kept for what ends here.
    fn end_destination(&mut self) -> Step {
        match self.group.destination {
            Destination::Field => {
                let code = std::mem::take(&mut self.field);
                xml::field(self.walk, &code)
            }
            Destination::Template => {
                let target = std::mem::take(&mut self.field);
                xml::template(self.walk, &target);
                Ok(())
            }
            Destination::Object => {
                let bytes = unhex(&std::mem::take(&mut self.hex));
                // Before it stands what sort of object it is, of whatever length.
                let start = memchr::memmem::find(&bytes, b"\xD0\xCF\x11\xE0");
                let bytes = bytes.get(start.unwrap_or_default()..).unwrap_or_default();
                self.walk.look_into("object", &mut Cursor::new(bytes))
            }
            Destination::Picture => {
                let bytes = unhex(&std::mem::take(&mut self.hex));
                self.walk.look_into("picture", &mut Cursor::new(bytes))
            }
            Destination::ObjectClass => {
                let class = std::mem::take(&mut self.field);
                let class = class.trim().to_ascii_lowercase();
                if self.is_updated || class.starts_with("htmlfile") {
                    self.walk.found(&UPDATES, Some(&class));
                }
                Ok(())
            }
            Destination::Info | Destination::Unseen => {
                self.info.separate('\n');
                self.unseen.separate('\n');
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn control(&mut self) -> Step {
        let Some(first) = self.next() else {
            return Ok(());
        };
        if !first.is_ascii_alphabetic() {
            return self.symbol(first);
        }
        let rest = self.bytes.get(self.at - 1..).unwrap_or_default();
        let letters = rest
            .iter()
            .take_while(|it| it.is_ascii_alphabetic())
            .count();
        let behind = rest.get(letters..).unwrap_or_default();
        let is_minus = behind.first() == Some(&b'-');
        let digits = behind.get(usize::from(is_minus)..).unwrap_or_default();
        let digits = digits.iter().take_while(|it| it.is_ascii_digit()).count();
        let length = if digits == 0 {
            0
        } else {
            digits + usize::from(is_minus)
        };
        let number = behind
            .get(..length)
            .and_then(|it| str::from_utf8(it).ok()?.parse().ok());
        let is_spaced = behind.get(length) == Some(&b' ');
        self.at += letters - 1 + length + usize::from(is_spaced);
        // The longest word that there is has some thirty letters.
        let word = rest.get(..letters.min(40)).unwrap_or_default();
        let word = String::from_utf8_lossy(word).into_owned();
        self.word(&word, number)
    }

    fn symbol(&mut self, it: u8) -> Step {
        match it {
            b'\'' => {
                let digits = self.bytes.get(self.at..self.at + 2).unwrap_or_default();
                self.at += 2;
                self.pending.extend(unhex(digits).first());
            }
            b'*' => {
                self.is_ignorable = true;
                return Ok(());
            }
            b'~' => self.pending.push(b' '),
            b'_' => self.pending.push(b'-'),
            b'\r' | b'\n' => return self.separate('\n'),
            b'\\' | b'{' | b'}' => self.pending.push(it),
            _ => {}
        }
        self.is_first = false;
        Ok(())
    }

    fn word(&mut self, word: &str, number: Option<i32>) -> Step {
        self.flush_unless(word)?;
        let is_first = std::mem::take(&mut self.is_first);
        let is_ignorable = std::mem::take(&mut self.is_ignorable);
        if is_first {
            if let Some(it) = Destination::of(word) {
                self.group.destination = it;
                return Ok(());
            }
            if is_ignorable && self.group.destination == Destination::Body {
                // What only some programs know.
                self.group.destination = Destination::Unseen;
            }
        }
        let value = number.unwrap_or(1);
        let index = usize::try_from(value).unwrap_or_default();
        match word {
            "par" | "line" | "sect" | "page" | "row" | "column" => return self.separate('\n'),
            "cell" | "nestcell" | "tab" => return self.separate(' '),
            "u" => self.character(value),
            "uc" => self.group.fallback = index.min(MAX_FALLBACK),
            "v" | "deleted" => self.group.is_hidden = value != 0,
            "plain" => {
                let Group {
                    destination,
                    fallback,
                    ..
                } = self.group;
                self.group = Group {
                    destination,
                    fallback,
                    ..Group::default()
                };
            }
            "fs" => self.group.size = value,
            "cf" => self.group.colour = index,
            "cb" | "highlight" | "chcbpat" => self.group.background = index,
            "ansicpg" => self.page = charset::of_page(value),
            "mac" => self.page = charset::of_page(10_000),
            "f" => {
                self.font = value;
                self.group.encoding = self.fonts.get(&value).copied();
            }
            "fcharset" if self.fonts.len() < MAX_ENTRIES => {
                self.fonts
                    .extend(charset::of_font(value).map(|it| (self.font, it)));
            }
            "red" | "green" | "blue" => {
                let at = ["red", "green", "blue"].iter().position(|it| *it == word);
                if let Some(it) = at.and_then(|it| self.mixed.get_mut(it)) {
                    *it = u8::try_from(value).unwrap_or(u8::MAX);
                }
            }
            "objupdate" => self.is_updated = true,
            "bin" => self.at = self.at.saturating_add(index.min(self.bytes.len())),
            "emdash" | "endash" => self.push("-"),
            "lquote" | "rquote" => self.push("'"),
            "ldblquote" | "rdblquote" => self.push("\""),
            _ => {}
        }
        Ok(())
    }

    /// A character by its number, with others behind it for whoever does not know it.
    fn character(&mut self, number: i32) {
        let unit = number.to_le_bytes();
        let unit = u16::from_le_bytes([unit[0], unit[1]]);
        let units = self.surrogate.take().into_iter().chain([unit]);
        let units: Vec<u16> = units.collect();
        if units.len() == 1 && (0xD800..0xDC00).contains(&unit) {
            self.surrogate = Some(unit);
        } else {
            self.push(&String::from_utf16_lossy(&units));
        }
        for _ in 0..self.group.fallback {
            match self.bytes.get(self.at..) {
                Some([b'\\', b'\'', ..]) => self.at += 4,
                Some([b'{' | b'}' | b'\\', ..] | []) | None => break,
                Some(_) => self.at += 1,
            }
        }
    }

    fn separate(&mut self, by: char) -> Step {
        self.flush()?;
        match self.group.destination {
            Destination::Body => self.body.separate(by),
            Destination::Info => self.info.separate(by),
            _ => self.unseen.separate(by),
        }
        self.body.judge_full(self.walk)
    }

    /// Bytes of one character may have control words of no meaning between them.
    fn flush_unless(&mut self, word: &str) -> Step {
        if matches!(word, "hich" | "loch" | "dbch" | "af") {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Step {
        if self.pending.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.pending);
        match self.group.destination {
            Destination::Object | Destination::Picture => self.hex.extend_from_slice(&bytes),
            Destination::Colours => {
                for _ in bytes.iter().filter(|it| **it == b';') {
                    let colour = Colour::Rgb(std::mem::take(&mut self.mixed));
                    // The first is whatever the reader has.
                    let colour = if self.colours.is_empty() {
                        Colour::Other
                    } else {
                        colour
                    };
                    if self.colours.len() < MAX_ENTRIES {
                        self.colours.push(colour);
                    }
                }
            }
            _ => {
                let encoding = self.group.encoding.unwrap_or(self.page);
                let text = encoding.decode_without_bom_handling(&bytes).0;
                self.push(&text);
                return self.judge_full();
            }
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        let is_hidden = self.group.is_hidden || self.group.size <= 2 || self.is_lost();
        match self.group.destination {
            Destination::Body => self.body.push(text, is_hidden),
            // Names of fonts and styles too, for what somebody writes there.
            Destination::Info | Destination::Fonts | Destination::Table => self.info.seen(text),
            Destination::Field | Destination::Template | Destination::ObjectClass => {
                self.field.push_str(text);
            }
            Destination::Unseen => self.unseen.seen(text),
            Destination::Colours | Destination::Object | Destination::Picture => {}
        }
    }

    fn judge_full(&mut self) -> Step {
        self.body.judge_full(self.walk)?;
        self.info.judge_full(self.walk)?;
        self.unseen.judge_full(self.walk)
    }

    fn is_lost(&self) -> bool {
        let of = |index: usize| self.colours.get(index).copied();
        let background = of(self.group.background).filter(|it| *it != Colour::Other);
        let colour = of(self.group.colour).filter(|_| self.group.colour > 0);
        colour.is_some_and(|it| it.is_lost_on(background.unwrap_or(WHITE)))
    }
}
