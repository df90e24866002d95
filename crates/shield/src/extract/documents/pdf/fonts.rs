//! From the codes of a font to text.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_16BE, WINDOWS_1252};

use super::file::File;
use super::lexer::Lexer;
use super::object::{Dict, Object};
use crate::budget::Step;
use crate::walk::Walk;

/// What the codes of a font stand for, and how wide they are.
pub(super) struct Font {
    /// By a table of the font; what is not in there stands for itself in `encoding`.
    map: HashMap<u32, String>,
    /// The same for many in a row: from, to, and what the first stands for.
    rows: Vec<(u32, u32, Box<[u8]>)>,
    encoding: &'static Encoding,
    /// Bytes of a code.
    pub(super) length: usize,
    widths: HashMap<u32, f32>,
    wide: Vec<(u32, u32, f32)>,
    usual_width: f32,
}

/// Codes of one font that are kept, and bytes of one.
const MAX_CODES: usize = 70_000;
const MAX_TEXT: usize = 64;

impl Default for Font {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            rows: Vec::new(),
            encoding: WINDOWS_1252,
            length: 1,
            widths: HashMap::new(),
            wide: Vec::new(),
            usual_width: 500.0,
        }
    }
}

impl Font {
    pub(super) fn of(walk: &Walk<'_>, file: &File<'_>, dict: &Dict) -> Step<Self> {
        let mut font = Self::default();
        let encoding = file.of(dict, "Encoding");
        if file.of(dict, "Subtype").name() == Some("Type0") {
            font.length = 2;
            font.usual_width = 1000.0;
            font.encoding = encoding.name().map_or(UTF_16BE, of_name);
            let below = file.of(dict, "DescendantFonts").values().first();
            if let Some(below) = below.and_then(|it| file.resolve(it).dict()) {
                font.wide_widths(file, below);
            }
        } else {
            font.differences(file, encoding);
            font.simple_widths(file, dict);
        }
        if let Some(Object::Ref(number)) = dict.get("ToUnicode")
            && let Some(held) = file.get(*number)
            && let Some(table) = file.stream(walk, held)?
        {
            font.read_table(&table);
        }
        Ok(font)
    }

    /// The text of a string that is shown, and how wide it is, in thousandths.
    pub(super) fn text<'a>(&'a self, string: &'a [u8]) -> (Cow<'a, str>, f32) {
        let codes = string.chunks(self.length);
        let width = codes.clone().map(|it| self.width(it)).sum();
        if self.map.is_empty() && self.rows.is_empty() {
            return (self.encoding.decode_without_bom_handling(string).0, width);
        }
        let mut text = String::new();
        for code in codes {
            let at = number(code);
            let row = self.rows.partition_point(|it| it.0 <= at).checked_sub(1);
            let row = row.and_then(|it| self.rows.get(it)).filter(|it| at <= it.1);
            match (self.map.get(&at), row) {
                (Some(it), _) => text.push_str(it),
                (None, Some((first, _, it))) => text.push_str(&advanced(it, at - first)),
                (None, None) => text.push_str(&self.encoding.decode_without_bom_handling(code).0),
            }
        }
        (text.into(), width)
    }

    fn width(&self, code: &[u8]) -> f32 {
        let at = number(code);
        let known = self.widths.get(&at).copied();
        known.unwrap_or_else(|| {
            let row = self.wide.partition_point(|it| it.0 <= at).checked_sub(1);
            let row = row.and_then(|it| self.wide.get(it)).filter(|it| at <= it.1);
            row.map_or(self.usual_width, |it| it.2)
        })
    }

    /// How many codes are kept of it.
    pub(super) fn codes(&self) -> usize {
        self.map.len() + self.rows.len() + self.widths.len() + self.wide.len()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    fn simple_widths(&mut self, file: &File<'_>, dict: &Dict) {
        let first = file.of(dict, "FirstChar").number().unwrap_or_default() as u32;
        let widths = file.of(dict, "Widths").values().iter().take(256);
        for (n, width) in (0..).zip(widths) {
            if let Some(width) = file.resolve(width).number() {
                self.widths.insert(first.saturating_add(n), width);
            }
        }
    }

    /// `[first [width width] first last width]`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    fn wide_widths(&mut self, file: &File<'_>, dict: &Dict) {
        if let Some(it) = file.of(dict, "DW").number() {
            self.usual_width = it;
        }
        let mut values = file
            .of(dict, "W")
            .values()
            .iter()
            .map(|it| file.resolve(it));
        while let (Some(first), Some(next)) = (values.next(), values.next()) {
            let first = first.number().unwrap_or_default() as u32;
            if let Object::Array(widths) = next {
                for (n, width) in (0..).zip(widths) {
                    self.put_width(first.saturating_add(n), width.number());
                }
            } else {
                let last = next.number().unwrap_or_default() as u32;
                let width = values.next().and_then(Object::number);
                if let Some(width) = width.filter(|_| self.wide.len() < MAX_CODES) {
                    self.wide.push((first, last, width));
                }
            }
        }
        self.wide.sort_by_key(|it| it.0);
    }

    fn put_width(&mut self, code: u32, width: Option<f32>) {
        if let Some(width) = width.filter(|_| self.widths.len() < MAX_CODES) {
            self.widths.insert(code, width);
        }
    }

    /// `[65 /quoteleft /uni0041]`: names of characters.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    fn differences(&mut self, file: &File<'_>, encoding: &Object) {
        match encoding {
            Object::Name(it) if &**it == "MacRomanEncoding" => {
                self.encoding = encoding_rs::MACINTOSH;
            }
            Object::Dict(dict) => {
                let mut code = 0_u32;
                for it in file.of(dict, "Differences").values().iter().take(1_000) {
                    match it {
                        Object::Number(it) => code = *it as u32,
                        Object::Name(name) => {
                            if let Some(it) = of_glyph(name) {
                                self.map.insert(code, it);
                            }
                            code = code.saturating_add(1);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// A `ToUnicode` table.
    fn read_table(&mut self, table: &[u8]) {
        let mut lexer = Lexer::new(table, 0, 400_000);
        let mut before = Vec::new();
        while let Some(it) = lexer.next() {
            match &it {
                Object::Word(word) => {
                    match &**word {
                        b"endcodespacerange" => {
                            let longest = before.iter().filter_map(Object::string).map(<[u8]>::len);
                            self.length = longest.max().unwrap_or(1).clamp(1, 4);
                        }
                        b"endbfchar" => {
                            for pair in before.chunks_exact(2) {
                                if let [Object::String(code), Object::String(text)] = pair {
                                    self.put(number(code), utf_16(text));
                                }
                            }
                        }
                        b"endbfrange" => self.put_ranges(&before),
                        _ => {}
                    }
                    before.clear();
                }
                _ => before.push(it),
            }
        }
    }

    fn put_ranges(&mut self, ranges: &[Object]) {
        for range in ranges.chunks_exact(3) {
            let [Object::String(first), Object::String(last), to] = range else {
                continue;
            };
            let (first, last) = (number(first), number(last));
            match to {
                Object::String(text) if self.rows.len() < MAX_CODES => {
                    let text = text.get(..MAX_TEXT).unwrap_or(text);
                    self.rows.push((first, last, text.into()));
                }
                Object::Array(texts) => {
                    for (code, text) in (first..=last).zip(texts) {
                        self.put(code, text.string().map(utf_16).unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        self.rows.sort_by_key(|it| it.0);
    }

    fn put(&mut self, code: u32, text: String) {
        if self.map.len() < MAX_CODES && text.len() <= MAX_TEXT {
            self.map.insert(code, text);
        }
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter()
        .fold(0, |number, it| number << 8 | u32::from(*it))
}

fn utf_16(text: &[u8]) -> String {
    let text = text.get(..MAX_TEXT).unwrap_or(text);
    UTF_16BE.decode_without_bom_handling(text).0.into_owned()
}

/// The text whose last character is so many further.
fn advanced(text: &[u8], by: u32) -> String {
    let mut text = utf_16(text);
    let last = text
        .pop()
        .and_then(|it| char::from_u32(u32::from(it).saturating_add(by)));
    text.extend(last);
    text
}

/// Of a table that comes with readers.
fn of_name(name: &str) -> &'static Encoding {
    let has = |what: &str| name.contains(what);
    if has("UCS2") || has("UTF16") || has("Identity") {
        UTF_16BE
    } else if has("RKSJ") {
        SHIFT_JIS
    } else if has("KSC") {
        EUC_KR
    } else if has("B5") || has("ETen") {
        BIG5
    } else if has("GB") {
        GBK
    } else {
        EUC_JP
    }
}

/// What a character of this name is.
fn of_glyph(name: &str) -> Option<String> {
    let base = name.split('.').next().unwrap_or_default();
    let digits = base.strip_prefix("uni").or_else(|| base.strip_prefix('u'));
    if let Some(it) =
        digits.and_then(|it| u32::from_str_radix(it.get(..4.max(it.len().min(6)))?, 16).ok())
    {
        return char::from_u32(it).map(String::from);
    }
    if base.chars().count() == 1 {
        return Some(base.to_owned());
    }
    let known = GLYPHS.iter().find(|it| it.0 == base)?;
    Some(known.1.to_owned())
}

/// Names of characters of English text that are not themselves; what is not here keeps its code.
const GLYPHS: &[(&str, &str)] = &[
    ("ampersand", "&"),
    ("asterisk", "*"),
    ("at", "@"),
    ("backslash", "\\"),
    ("bar", "|"),
    ("braceleft", "{"),
    ("braceright", "}"),
    ("bracketleft", "["),
    ("bracketright", "]"),
    ("bullet", "•"),
    ("colon", ":"),
    ("comma", ","),
    ("dollar", "$"),
    ("eight", "8"),
    ("emdash", "—"),
    ("endash", "–"),
    ("equal", "="),
    ("exclam", "!"),
    ("f_f", "ff"),
    ("f_f_i", "ffi"),
    ("f_i", "fi"),
    ("ff", "ff"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("fi", "fi"),
    ("five", "5"),
    ("fl", "fl"),
    ("four", "4"),
    ("greater", ">"),
    ("hyphen", "-"),
    ("less", "<"),
    ("nine", "9"),
    ("numbersign", "#"),
    ("one", "1"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("percent", "%"),
    ("period", "."),
    ("plus", "+"),
    ("question", "?"),
    ("quotedbl", "\""),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("quoteleft", "‘"),
    ("quoteright", "’"),
    ("quotesingle", "'"),
    ("semicolon", ";"),
    ("seven", "7"),
    ("six", "6"),
    ("slash", "/"),
    ("space", " "),
    ("three", "3"),
    ("two", "2"),
    ("underscore", "_"),
    ("zero", "0"),
];
