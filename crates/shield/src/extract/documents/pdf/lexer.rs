//! From bytes to values, of files and of content streams alike.

use super::object::{Dict, Object};

/// Reads value for value. What is broken is skipped; nothing that stands there ends it before its end.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// Values that may still be made.
    room: u32,
}

/// Arrays and dictionaries in each other.
const MAX_DEPTH: u8 = 40;

/// Values of one array. What comes behind them stands by itself.
const MAX_LENGTH: usize = 50_000;

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, room: u32) -> Self {
        Self { bytes, at, room }
    }

    /// Values that may still be made.
    pub(super) fn room(&self) -> u32 {
        self.room
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(it) = self.peek() {
            match it {
                b'%' => {
                    let rest = self.rest();
                    let end = memchr::memchr2(b'\r', b'\n', rest);
                    self.at += end.unwrap_or(rest.len());
                }
                it if is_space(it) => self.at += 1,
                _ => return,
            }
        }
    }

    /// The next value; `None` at the end, and where there is no more room.
    pub(super) fn next(&mut self) -> Option<Object> {
        self.value(0)
    }

    fn value(&mut self, depth: u8) -> Option<Object> {
        self.skip_space();
        let first = self.peek()?;
        self.room = self.room.checked_sub(1)?;
        self.at += 1;
        match first {
            b'/' => Some(Object::Name(self.name().into())),
            b'(' => Some(Object::String(self.string().into())),
            b'<' if self.peek() == Some(b'<') => {
                self.at += 1;
                Some(self.dict(depth))
            }
            b'<' => Some(Object::String(self.hex().into())),
            b'[' => Some(self.array(depth)),
            b']' | b'{' | b'}' | b')' => Some(Object::Word([first].into())),
            b'>' => {
                self.at += usize::from(self.peek() == Some(b'>'));
                Some(Object::Word(b">>".as_slice().into()))
            }
            _ => {
                self.at -= 1;
                Some(self.word())
            }
        }
    }

    fn array(&mut self, depth: u8) -> Object {
        let mut values = Vec::new();
        while values.len() < MAX_LENGTH {
            match self.inner(depth) {
                None => break,
                Some(Object::Word(it)) if *it == *b"]" => break,
                Some(Object::Word(it)) => {
                    if *it == *b"R" {
                        reference(&mut values);
                    } else if is_end(&it) {
                        break;
                    }
                }
                Some(it) => values.push(it),
            }
        }
        Object::Array(values)
    }

    fn dict(&mut self, depth: u8) -> Object {
        let (mut dict, mut key, mut values) = (Dict::new(), None::<Box<str>>, Vec::new());
        let mut put = |key: &mut Option<Box<str>>, values: &mut Vec<Object>| {
            if let (Some(key), Some(value)) = (key.take(), values.pop()) {
                dict.entry(key).or_insert(value);
            }
            values.clear();
        };
        loop {
            match self.inner(depth) {
                None => break,
                Some(Object::Word(it)) => {
                    if *it == *b"R" {
                        reference(&mut values);
                    } else if *it == *b">>" || is_end(&it) {
                        break;
                    } else {
                        // `true` and `false`.
                        values.push(Object::Word(it));
                    }
                }
                // A name is a value where one is missing.
                Some(Object::Name(it)) if key.is_none() || !values.is_empty() => {
                    put(&mut key, &mut values);
                    key = Some(it);
                }
                Some(it) => values.push(it),
            }
        }
        put(&mut key, &mut values);
        Object::Dict(dict)
    }

    fn inner(&mut self, depth: u8) -> Option<Object> {
        if depth < MAX_DEPTH {
            return self.value(depth + 1);
        }
        // Deeper than anybody goes: as if it were flat.
        self.skip_space();
        self.peek()?;
        self.room = self.room.checked_sub(1)?;
        self.at += 1;
        Some(Object::Null)
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|it| !is_regular(*it))
            .unwrap_or(rest.len());
        self.at += end;
        let name = rest.get(..end).unwrap_or_default();
        if !name.contains(&b'#') {
            return String::from_utf8_lossy(name).into_owned();
        }
        let escaped: Vec<u8> = name
            .iter()
            .map(|it| if *it == b'#' { b'%' } else { *it })
            .collect();
        let name = super::super::uri::percent_decoded(&escaped);
        String::from_utf8_lossy(&name).into_owned()
    }

    fn string(&mut self) -> Vec<u8> {
        let (mut out, mut depth) = (Vec::new(), 1_u32);
        while let Some(it) = self.peek() {
            self.at += 1;
            match it {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'\\' => {
                    self.escape(&mut out);
                    continue;
                }
                _ => {}
            }
            out.push(it);
        }
        out
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let Some(it) = self.peek() else { return };
        self.at += 1;
        match it {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' | b'f' => out.push(b' '),
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(it - b'0');
                for _ in 0..2 {
                    let Some(it @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    code = code * 8 + u32::from(it - b'0');
                    self.at += 1;
                }
                out.extend(code.to_le_bytes().first());
            }
            it => out.push(it),
        }
    }

    fn hex(&mut self) -> Vec<u8> {
        let rest = self.rest();
        let end = rest.iter().position(|it| *it == b'>').unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        unhex(rest.get(..end).unwrap_or_default())
    }

    /// A number, or what stands there instead.
    fn word(&mut self) -> Object {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|it| !is_regular(*it))
            .unwrap_or(rest.len());
        // A byte of no class at all: none is left where it stands.
        let end = end.max(1).min(rest.len());
        self.at += end;
        let word = rest.get(..end).unwrap_or_default();
        let is_number = word
            .iter()
            .all(|it| it.is_ascii_digit() || b"+-.".contains(it));
        let number = str::from_utf8(word).ok().filter(|_| is_number);
        match number.and_then(|it| it.parse().ok()) {
            Some(it) => Object::Number(it),
            None if word == b"null" => Object::Null,
            None => Object::Word(word.into()),
        }
    }
}

/// Makes the last two values, a number and a generation, the reference that they are.
fn reference(values: &mut Vec<Object>) {
    values.pop();
    let number = values.pop().and_then(|it| it.integer());
    let number = number.and_then(|it| u32::try_from(it).ok());
    values.push(number.map_or(Object::Null, Object::Ref));
}

fn is_end(word: &[u8]) -> bool {
    matches!(word, b"endobj" | b"stream" | b"endstream" | b"obj")
}

/// The bytes of these hex digits, whatever stands between.
pub(in crate::extract::documents) fn unhex(digits: &[u8]) -> Vec<u8> {
    let digits = digits.iter().filter_map(|it| char::from(*it).to_digit(16));
    let (mut out, mut high) = (Vec::new(), None);
    for digit in digits {
        match high.take() {
            None => high = Some(digit),
            Some(high) => out.extend(u8::try_from(high * 16 + digit)),
        }
    }
    out.extend(high.and_then(|it| u8::try_from(it * 16).ok()));
    out
}

pub(super) fn is_space(it: u8) -> bool {
    matches!(it, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_regular(it: u8) -> bool {
    !is_space(it) && !b"()<>[]{}/%".contains(&it)
}
