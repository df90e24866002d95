//! Headers, and the words in them that are encoded.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::parts::unquoted;
use crate::extract::documents::{decode, uri};

/// The headers of a part.
pub(super) struct Headers(Vec<(String, String)>);

/// How a body is encoded.
pub(super) enum Encoding {
    Base64,
    None,
    Quoted,
    Uu,
}

/// A value with parameters: `text/plain; charset=utf-8`.
#[derive(Default)]
pub(super) struct Value {
    pub(super) kind: String,
    parameters: BTreeMap<String, String>,
}

/// Headers of one part.
const MAX_HEADERS: usize = 2_000;

impl Headers {
    /// Those at the beginning, and what is behind them.
    pub(super) fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let (mut headers, mut rest) = (Vec::<(String, Vec<u8>)>::new(), bytes);
        while let Some((line, behind)) = line(rest) {
            let is_more = line.first().is_some_and(|it| matches!(it, b' ' | b'\t'));
            let name = line
                .iter()
                .position(|it| *it == b':')
                .map(|it| line.split_at(it));
            match (headers.last_mut(), name) {
                _ if line.is_empty() => {
                    rest = behind;
                    break;
                }
                (Some(last), _) if is_more => last.1.extend_from_slice(line),
                (_, Some((name, value))) if is_name(name) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    headers.push((name, value.get(1..).unwrap_or_default().to_vec()));
                }
                // Of the first line of a mailbox; else no headers are here.
                (None, _) if line.starts_with(b"From ") => {}
                _ => break,
            }
            rest = behind;
            if headers.len() >= MAX_HEADERS {
                break;
            }
        }
        let headers = headers.into_iter().map(|(name, value)| {
            let value = decode::to_text(&value, decode::encoding_of(&value));
            (name, unworded(value.trim()))
        });
        (Self(headers.collect()), rest)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|it| it.0.eq_ignore_ascii_case(name).then_some(it.1))
    }

    pub(super) fn kind(&self) -> Value {
        self.get("content-type").map(Value::of).unwrap_or_default()
    }

    pub(super) fn encoding(&self) -> Encoding {
        let encoding = self.get("content-transfer-encoding").unwrap_or_default();
        match encoding.to_ascii_lowercase().trim() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::Quoted,
            "x-uuencode" | "uuencode" | "x-uue" => Encoding::Uu,
            _ => Encoding::None,
        }
    }

    /// As what it would be kept.
    pub(super) fn file_name(&self) -> Option<String> {
        let disposition = self.get("content-disposition").map(Value::of);
        let name = disposition.as_ref().and_then(|it| it.get("filename"));
        name.or_else(|| self.kind().get("name"))
    }
}

impl Value {
    fn of(text: &str) -> Self {
        let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let mut parameters = BTreeMap::new();
        while let Some((name, behind)) = rest.split_once('=') {
            let name = name.trim_matches(|it: char| it == ';' || it.is_whitespace());
            let behind = behind.trim_start();
            let (value, behind) = match behind.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => behind.split_once(';').unwrap_or((behind, "")),
            };
            parameters
                .entry(name.to_ascii_lowercase())
                .or_insert_with(|| value.trim().to_owned());
            rest = behind;
        }
        Self {
            kind: kind.trim().to_ascii_lowercase(),
            parameters,
        }
    }

    /// A parameter, put together of its parts where it has some:
    /// `name*0*=utf-8''a; name*1=b`.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        const MAX_PARTS: usize = 100;
        if let Some(it) = self.parameters.get(name) {
            return Some(it.clone());
        }
        let (mut whole, mut is_coded) = (String::new(), false);
        if let Some(it) = self.parameters.get(&format!("{name}*")) {
            (whole, is_coded) = (it.clone(), true);
        }
        for n in 0..MAX_PARTS {
            let plain = self.parameters.get(&format!("{name}*{n}"));
            let coded = self.parameters.get(&format!("{name}*{n}*"));
            let Some(part) = plain.or(coded) else { break };
            is_coded |= coded.is_some();
            whole.push_str(part);
        }
        if whole.is_empty() {
            return None;
        }
        if !is_coded {
            return Some(whole);
        }
        let mut parts = whole.splitn(3, '\'');
        let (charset, text) = match (parts.next(), parts.next(), parts.next()) {
            (Some(charset), Some(_), Some(text)) => (charset, text),
            _ => ("", whole.as_str()),
        };
        let bytes = uri::percent_decoded(text.as_bytes());
        Some(decode::to_text(&bytes, decode::labelled(charset, &bytes)).into_owned())
    }
}

fn is_name(name: &[u8]) -> bool {
    let is_printable = |it: &u8| (33..127).contains(it);
    (1..=80).contains(&name.len()) && name.iter().all(is_printable)
}

/// A line without its end, and what is behind it.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = bytes.get(..end)?;
    let behind = bytes.get(end + 1..).unwrap_or_default();
    Some((line.strip_suffix(b"\r").unwrap_or(line), behind))
}

/// With its encoded words, such as `=?utf-8?q?a?=`, as they are meant.
fn unworded(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("=?") {
        let mut parts = behind.splitn(3, '?');
        let (charset, how, coded) = (parts.next(), parts.next(), parts.next());
        let coded = coded.and_then(|it| it.split_once("?="));
        let (Some(charset), Some(how), Some((word, behind))) = (charset, how, coded) else {
            out.push_str(before);
            out.push_str("=?");
            rest = behind;
            continue;
        };
        // Space between two of them is none of the text.
        if !before.trim().is_empty() || out.is_empty() {
            out.push_str(before);
        }
        let bytes = if how.eq_ignore_ascii_case("b") {
            Cow::from(uri::base64(word.as_bytes()).unwrap_or_default())
        } else {
            Cow::from(unquoted(word.replace('_', " ").as_bytes()))
        };
        let charset = charset.split('*').next().unwrap_or_default();
        out.push_str(&decode::to_text(&bytes, decode::labelled(charset, &bytes)));
        rest = behind;
    }
    out.push_str(rest);
    out
}
