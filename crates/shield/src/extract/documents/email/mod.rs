//! Mail: headers, and parts in each other, each in its own encoding
//! ([MIME](https://www.rfc-editor.org/rfc/rfc2045)).
//!
//! What stands before the first part and behind the last is read too: no program shows it, and every
//! program has it.

mod headers;
mod parts;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use self::headers::{Encoding, Headers};
use super::flow::Flow;
use super::{decode, html};
use crate::budget::Step;
use crate::extract::TOO_LONG;
use crate::walk::{Input, Setting, Walk};

/// Parts in each other.
const MAX_DEPTH: u8 = 10;

/// Takes mail apart, one or many in one file.
pub(in crate::extract) fn email(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let Some(bytes) = input.held else {
        walk.found(&TOO_LONG, None);
        // As it is written, at least.
        return decode::text_of(walk, input, |walk, text| walk.text(text, Setting::Visible));
    };
    let mails = parts::mails(bytes);
    if let [mail] = mails.as_slice() {
        return read(walk, mail, 0);
    }
    for (n, mail) in mails.into_iter().enumerate() {
        walk.budget.entry()?;
        walk.inside(&format!("mail {}", n + 1), |walk| read(walk, mail, 0))?;
    }
    Ok(())
}

/// A part, with its headers.
fn read(walk: &mut Walk<'_>, bytes: &[u8], depth: u8) -> Step {
    let (headers, body) = Headers::read(bytes);
    let mut flow = Flow::at("headers", Setting::Metadata);
    for (name, value) in headers.iter() {
        flow.seen(name);
        flow.seen(": ");
        flow.seen(value);
        flow.end_block(walk)?;
    }
    flow.end(walk)?;
    let kind = headers.kind();
    if kind.kind.starts_with("multipart/") && depth < MAX_DEPTH {
        let Some(boundary) = kind.get("boundary") else {
            let body = body_of(walk, &headers, body)?;
            return text(walk, &body, "");
        };
        return several(walk, body, &boundary, depth);
    }
    let is_coded = !matches!(headers.encoding(), Encoding::None);
    let body = body_of(walk, &headers, body)?;
    let name = headers.file_name();
    if let Some(name) = &name {
        walk.text(name, Setting::Name)?;
    }
    let charset = kind.get("charset").unwrap_or_default();
    let is_text = matches!(
        kind.kind.as_str(),
        "" | "text/plain" | "text/enriched" | "text/html"
    );
    if is_coded && is_text && name.is_none() {
        // It may be something else than it says.
        walk.look_into("body", &mut Cursor::new(&body))?;
    }
    match (kind.kind.as_str(), name) {
        ("message/rfc822" | "message/global", _) if depth < MAX_DEPTH => {
            walk.inside("message", |walk| read(walk, &body, depth + 1))
        }
        ("text/html", None) => {
            let text = decode::to_text(&body, decode::labelled(&charset, &body));
            html::read(walk, &text, Setting::Visible, 0)
        }
        ("" | "text/plain" | "text/enriched", None) => text(walk, &body, &charset),
        (kind, name) => {
            let name = name.unwrap_or_else(|| kind.to_owned());
            walk.look_into(&name, &mut Cursor::new(body))
        }
    }
}

fn several(walk: &mut Walk<'_>, body: &[u8], boundary: &str, depth: u8) -> Step {
    let (parts, between) = parts::split(body, boundary.as_bytes());
    if parts.is_empty() {
        return text(walk, body, "");
    }
    for (n, part) in parts.into_iter().enumerate() {
        walk.budget.entry()?;
        walk.inside(&format!("part {}", n + 1), |walk| {
            read(walk, part, depth + 1)
        })?;
    }
    for between in between.into_iter().filter(|it| !it.trim_ascii().is_empty()) {
        let text = decode::to_text(between, decode::encoding_of(between));
        walk.text_in("between parts", &text, Setting::Hidden)?;
    }
    Ok(())
}

fn text(walk: &mut Walk<'_>, bytes: &[u8], charset: &str) -> Step {
    let text = decode::to_text(bytes, decode::labelled(charset, bytes));
    // What many programs show as a page whatever it says.
    if html::has_tags(&text) && text.contains("</") {
        html::read(walk, &text, Setting::Visible, 0)?;
    }
    walk.text(&text, Setting::Visible)
}

/// A body as it is meant.
fn body_of(walk: &Walk<'_>, headers: &Headers, body: &[u8]) -> Step<Vec<u8>> {
    let body = match headers.encoding() {
        Encoding::Base64 => super::uri::base64(body).unwrap_or_default(),
        Encoding::Quoted => parts::unquoted(body),
        Encoding::None => body.to_vec(),
        Encoding::Uu => parts::from_uu(body),
    };
    walk.budget.expand(body.len() as u64)?;
    Ok(body)
}
