//! Malformed requests, made from a seed.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::super::form::{BOUNDARY, FormBody};
use super::super::{JSON, with_raw};
use crate::operations::Operation;

/// Bytes to send.
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    /// Whether it is hardly HTTP, so that it takes a connection of its own.
    pub(super) is_framing: bool,
}

/// An operation, and what a good call of it has.
pub(super) struct Target {
    pub(super) operation: Operation,
    key: String,
    body: Option<Value>,
    /// The names of its body's fields.
    fields: Vec<String>,
    /// Names in braces of its path, with what stands there.
    parameters: Vec<(String, String)>,
    queries: Vec<String>,
}

impl Target {
    pub(super) fn new(
        operation: Operation,
        key: String,
        body: Option<Value>,
        things: &[(&'static str, String)],
    ) -> Self {
        let fields = operation.fields(JSON).unwrap_or_default();
        let named = things
            .iter()
            .map(|(name, it)| (format!("{{{name}}}"), it.clone()));
        let parameters = named.filter(|(name, _)| operation.path.contains(name));
        Self {
            key,
            body,
            fields: fields.into_iter().map(|it| it.name).collect(),
            parameters: parameters.collect(),
            queries: operation.parameters("query"),
            operation,
        }
    }

    fn takes_form(&self) -> bool {
        self.operation.said["requestBody"]["content"]["multipart/form-data"].is_object()
    }

    /// Whether nothing but its path says what it does: then a good path does it.
    fn is_bare_change(&self) -> bool {
        self.operation.method != "GET" && self.body.is_none() && !self.takes_form()
    }
}

/// What is wrong with an input.
#[derive(Clone, Copy)]
enum Place {
    Body,
    Caller,
    Framing,
    Header,
    Path,
    Query,
}

/// Makes one input; the same from the same seed (`SplitMix64`).
pub(super) struct Maker(u64);

impl Maker {
    pub(super) fn new(seed: u64, operation: &str, n: u64) -> Self {
        // Its keys are fixed, so it says the same each time.
        let mut hasher = DefaultHasher::new();
        (seed, operation, n).hash(&mut hasher);
        Self(hasher.finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    pub(super) fn input(&mut self, target: &Target) -> Input {
        let mut places = vec![Place::Caller, Place::Framing];
        if !target.parameters.is_empty() {
            places.extend([Place::Path; 3]);
        }
        if !target.is_bare_change() {
            places.extend([Place::Header, Place::Query]);
        }
        if target.body.is_some() || target.takes_form() {
            places.extend([Place::Body; 8]);
        }
        let place = places[self.below(places.len())];
        self.request(target, place)
    }

    fn request(&mut self, target: &Target, place: Place) -> Input {
        let is_framing = matches!(place, Place::Framing);
        // Broken frames alone do not keep a bare change from being made.
        let elsewhere = is_framing && target.is_bare_change();
        let mut path = self.path(target, matches!(place, Place::Path) || elsewhere);
        if matches!(place, Place::Query) {
            path.push_str(&self.query(target));
        }
        let (content_type, body) = self.body(target, matches!(place, Place::Body));
        let mut head =
            format!("{} {path} HTTP/1.1\r\nHost: x\r\n", target.operation.method).into_bytes();
        if matches!(place, Place::Caller) || (elsewhere && target.parameters.is_empty()) {
            head.extend(self.caller(&target.key));
        } else {
            head.extend(format!("Authorization: Bearer {}\r\n", target.key).bytes());
        }
        if matches!(place, Place::Header) {
            head.extend(self.header());
        }
        if let Some(content_type) = content_type {
            head.extend(format!("Content-Type: {content_type}\r\n").bytes());
        }
        let bytes = if is_framing {
            self.framed(head, &body)
        } else {
            head.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            [head, body].concat()
        };
        Input { bytes, is_framing }
    }

    fn path(&mut self, target: &Target, is_bad: bool) -> String {
        let mut path = target.operation.path.clone();
        let bad = if is_bad && !target.parameters.is_empty() {
            Some(self.below(target.parameters.len()))
        } else {
            None
        };
        for (n, (name, good)) in target.parameters.iter().enumerate() {
            let value = if bad == Some(n) {
                self.no_id(good)
            } else {
                good.clone()
            };
            path = path.replace(name, &value);
        }
        path
    }

    /// What is no id, in a path.
    fn no_id(&mut self, good: &str) -> String {
        match self.below(4) {
            0 => format!("{good}%00{}", encoded(&self.nasty())),
            1 => {
                // One character less is the id of nothing.
                let (at, mut less) = (self.below(good.len()), good.to_owned());
                less.remove(at);
                format!("{less}%00")
            }
            _ => format!("{}%ff", encoded(&self.nasty())),
        }
    }

    fn query(&mut self, target: &Target) -> String {
        let mut query = "?".to_owned();
        for _ in 0..=self.below(3) {
            let known = target.queries.get(self.below(target.queries.len().max(1)));
            let name = known.cloned().unwrap_or_else(|| encoded(&self.nasty()));
            let value = match self.below(5) {
                0 => "%zz".to_owned(),
                1 => "9".repeat(400),
                _ => encoded(&self.nasty()),
            };
            query.extend([&*name, "=", &*value, "&"]);
        }
        query
    }

    fn caller(&mut self, key: &str) -> Vec<u8> {
        let name = "Authorization: ";
        let value = match self.below(7) {
            0 => Vec::new(),
            1 => format!("Bearer {key}\r\n{name}Bearer {key}").into_bytes(),
            2 => format!("Basic {key}").into_bytes(),
            3 => {
                let (mut typo, at) = (key.to_owned(), self.below(key.len()));
                typo.remove(at);
                format!("Bearer {typo}").into_bytes()
            }
            4 => format!("Bearer {key} {key}").into_bytes(),
            _ => [b"Bearer ".to_vec(), in_header(&self.nasty())].concat(),
        };
        [name.as_bytes(), &value, b"\r\n"].concat()
    }

    fn header(&mut self) -> Vec<u8> {
        let name = self.one(&[
            "Accept",
            "Accept-Encoding",
            "Content-Encoding",
            "Content-Type",
            "Cookie",
            "Expect",
            "Forwarded",
            "If-Match",
            "If-None-Match",
            "If-Range",
            "Idempotency-Key",
            "Origin",
            "Range",
            "Upgrade",
            "X-AgentDrop-Agent",
            "X-Forwarded-For",
            "X-HTTP-Method-Override",
            "X-Request-Id",
        ]);
        let value = in_header(&self.nasty());
        [name.as_bytes(), b": ", &value, b"\r\n"].concat()
    }

    fn body(&mut self, target: &Target, is_bad: bool) -> (Option<String>, Vec<u8>) {
        if target.takes_form() {
            let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
            return (Some(content_type), self.form(is_bad));
        }
        let Some(good) = &target.body else {
            return (None, Vec::new());
        };
        let json = Some(JSON.to_owned());
        if !is_bad {
            return (json, serde_json::to_vec(good).unwrap());
        }
        let field = target.fields.get(self.below(target.fields.len().max(1)));
        let field = field.map_or("unknown", |it| it);
        let mut body = with_raw(good, field, &self.value());
        match self.below(8) {
            0 => body.truncate(self.below(body.len())),
            1 => {
                let (at, bit) = (self.below(body.len()), self.below(8));
                body[at] ^= 1 << bit;
            }
            2 => body.splice(0..0, self.nasty()).for_each(drop),
            3 => body.extend(self.nasty()),
            4 => {
                // Both spellings of one key, of which each reader could take another one.
                body.pop();
                body.extend(format!(",\"{field}\":").bytes());
                body.extend(self.value());
                body.push(b'}');
            }
            5 => body = self.value(),
            _ => {}
        }
        (json, body)
    }

    /// A value in JSON, or nearly.
    fn value(&mut self) -> Vec<u8> {
        match self.below(64) {
            0 => [b"\"", &vec![b'x'; 1_048_576][..], b"\""].concat(),
            1 => "[".repeat(10_000).into_bytes(),
            2 => format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
            3 => format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)).into_bytes(),
            4..=23 => [b"\"", &self.nasty()[..], b"\""].concat(),
            24..=33 => {
                let escape = self.one(&[
                    r"\u0000",
                    r"\ud800",
                    r"\udc00\ud800",
                    r"\x41",
                    r"\u12",
                    r"\u202e",
                    r"\u000d\u000a",
                    r"\",
                ]);
                format!("\"a{escape}b\"").into_bytes()
            }
            34..=43 => self
                .one(&[
                    "-0",
                    "-1",
                    "01",
                    ".5",
                    "+1",
                    "1.",
                    "1e999",
                    "-1e999",
                    "0x10",
                    "NaN",
                    "-Infinity",
                    "9223372036854775808",
                    "18446744073709551616",
                    "1.0000000000000000000000001",
                ])
                .as_bytes()
                .to_vec(),
            44 => "9".repeat(5_000).into_bytes(),
            45..=54 => self
                .one(&[
                    "null",
                    "true",
                    "nul",
                    "[]",
                    "{}",
                    "[null]",
                    "{\"a\":{}}",
                    "[[],{}]",
                    "''",
                    "//",
                    "",
                ])
                .as_bytes()
                .to_vec(),
            _ => {
                let (name, value) = (self.nasty(), self.nasty());
                [&b"{\""[..], &name, b"\":[\"", &value, b"\"]}"].concat()
            }
        }
    }

    /// The form that files come in, whole or broken.
    fn form(&mut self, is_bad: bool) -> Vec<u8> {
        let mut form = FormBody::new();
        form.text("sender", b"alice").text("recipient", b"bob");
        if is_bad {
            let field = self.one(&[
                "message",
                "metadata",
                "encryption_ivs",
                "max_downloads",
                "mode",
                "sender",
            ]);
            let value = match self.below(3) {
                0 => self.value(),
                _ => self.nasty(),
            };
            form.text(field, &value);
        }
        form.file("a.txt", b"0123456789");
        let mut body = form.finish();
        if !is_bad {
            return body;
        }
        for _ in 0..self.below(3) {
            let (at, length) = (self.below(body.len()), self.below(40));
            let end = body.len().min(at + length);
            match self.below(5) {
                0 => body.truncate(at.max(1)),
                1 => body[at] ^= 1 << self.below(8),
                2 => drop(body.drain(at..end)),
                3 => {
                    let again = body[at..end].to_vec();
                    body.splice(at..at, again).for_each(drop);
                }
                _ => body.splice(at..at, self.nasty()).for_each(drop),
            }
            if body.is_empty() {
                break;
            }
        }
        body
    }

    /// A request whose length is said wrongly, twice, or in pieces that are none.
    fn framed(&mut self, mut head: Vec<u8>, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let (fields, body) = match self.below(10) {
            0 => (
                format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
                body.to_vec(),
            ),
            1 => (
                "Transfer-Encoding: chunked".to_owned(),
                [&b"zz\r\n"[..], body].concat(),
            ),
            2 => (
                "Transfer-Encoding: chunked".to_owned(),
                [&b"ffffffffffffffff1\r\n"[..], body].concat(),
            ),
            3 => (
                "Transfer-Encoding: chunked".to_owned(),
                format!("{:x}\r\n", length + 9).into_bytes(),
            ),
            4 => (
                "Transfer-Encoding: chunked, chunked".to_owned(),
                body.to_vec(),
            ),
            5 => (format!("Content-Length: {}", length + 100), body.to_vec()),
            6 => (
                format!("Content-Length: {length}\r\nContent-Length: {}", length + 1),
                body.to_vec(),
            ),
            7 => (
                self.one(&[
                    "Content-Length: -1",
                    "Content-Length: 1e3",
                    "Content-Length: +1",
                    "Content-Length: 99999999999999999999",
                ])
                .to_owned(),
                body.to_vec(),
            ),
            8 => {
                let at = self.below(head.len());
                head.splice(at..at, self.nasty()).for_each(drop);
                (format!("Content-Length: {length}"), body.to_vec())
            }
            _ => {
                head.truncate(self.below(head.len()));
                return head;
            }
        };
        [&head[..], fields.as_bytes(), b"\r\n\r\n", &body].concat()
    }

    /// Bytes that somebody once forgot.
    fn nasty(&mut self) -> Vec<u8> {
        let fixed: [&[u8]; 24] = [
            b"",
            b"\0",
            b"a\0b",
            b"\r\nX-Injected: 1",
            b"\n",
            b"\x07\x1b[2J",
            b"\xff\xfe",
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            "\u{202e}\u{2066}".as_bytes(),
            "\u{feff}\u{200b}".as_bytes(),
            "\u{1f4a9}".as_bytes(),
            b"../../../../etc/passwd",
            b"' OR 1=1 --",
            b"{agent}",
            b"<script>alert(1)</script>",
            b"%00%ff%zz",
            b"\\u0000\\ud800",
            b"-1",
            b"null",
            b"\"}],{",
        ];
        match self.below(8) {
            0 => (0..=self.below(64))
                .map(|_| self.next().to_le_bytes()[0])
                .collect(),
            1 => vec![b'a'; self.below(5_000)],
            _ => self.one(&fixed).to_vec(),
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        write!(text, "%{byte:02x}").unwrap();
    }
    text
}

/// Bytes as a field of a head can have them.
fn in_header(bytes: &[u8]) -> Vec<u8> {
    let kept = bytes.iter().copied();
    kept.filter(|it| *it == b'\t' || (*it >= b' ' && *it != 0x7f))
        .collect()
}
