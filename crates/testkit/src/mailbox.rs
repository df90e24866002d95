//! The mails that a server has put into its outbox, as their readers see them.

use std::fs;
use std::path::Path;

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its header lines, unfolded.
    pub headers: Vec<String>,
    /// What it says, as text.
    pub text: String,
    /// What it says, as HTML.
    pub html: String,
}

impl Mail {
    /// Reads a mail of two parts, text and HTML, in quoted-printable (RFC 2045 §6.7) or as they are.
    pub fn parse(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").expect("a mail has a head");
        let headers = head.replace("\r\n ", " ");
        let headers: Vec<_> = headers.lines().map(str::to_owned).collect();
        let (_, boundary) = head.split_once("boundary=\"").expect("it has parts");
        let boundary = format!("--{}", boundary.split('"').next().unwrap_or_default());
        let mut parts = body.split(&boundary).skip(1);
        let mut part = || {
            let part = parts.next().expect("a mail has two parts");
            let (head, text) = part.split_once("\r\n\r\n").expect("a part has a head");
            if head.contains("quoted-printable") {
                decoded(text)
            } else {
                text.to_owned()
            }
        };
        Self {
            headers,
            text: part(),
            html: part(),
        }
    }

    /// The value of a header line.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter_map(|it| it.strip_prefix(name));
        let value = values.next().and_then(|it| it.strip_prefix(": "));
        value.unwrap_or_default()
    }

    /// The token in its link.
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("?token=").expect("it has a link");
        rest.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

/// The mails in an outbox, oldest first.
pub fn mails_in(outbox: &Path) -> Vec<Mail> {
    let mut paths: Vec<_> = fs::read_dir(outbox)
        .expect("there is an outbox")
        .map(|it| it.expect("it can be read").path())
        .filter(|it| it.extension().is_some_and(|it| it == "eml"))
        .collect();
    paths.sort();
    let read = |path| fs::read_to_string(path).expect("a mail is text");
    paths.iter().map(|it| Mail::parse(&read(it))).collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut pieces = text.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two digits follow"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("a mail is text")
}
