//! What was written so that it does not read as what it is: encoded, escaped, shifted, spaced, unseen.
//!
//! A finder goes over a text once and hands on what comes out of it, with the place where it stood. Only
//! what comes out as words is judged, and then searched for further layers.

mod apart;
mod escapes;
mod letters;
mod morse;
mod numbers;
mod runs;
mod scripts;
mod unseen;

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::fold::Folded;
use super::words::{Hit, Words};
use crate::budget::Step;
use crate::rule::Rule;

/// Something that came out of a layer.
#[derive(Debug)]
pub(super) struct Found {
    /// What the layer is called.
    pub(super) name: &'static str,
    /// Where it stood.
    pub(super) at: At,
    /// Whether nobody reads it as it stood. What is escaped for a good reason is read as it is.
    pub(super) is_hidden: bool,
    pub(super) what: What,
    /// What is wrong with it whatever came out.
    pub(super) rule: Option<&'static Rule>,
}

impl Found {
    /// A text that nobody read as it stood.
    fn hidden(name: &'static str, at: At, text: String) -> Self {
        Self {
            name,
            at,
            is_hidden: true,
            what: What::Text(text),
            rule: None,
        }
    }
}

/// Text of characters that are not seen.
static UNSEEN: Rule = Rule {
    id: "hidden/unseen-characters",
    layer: Layer::TextExtraction,
    level: ThreatLevel::Medium,
    reason: "it holds a text of characters that nobody sees and a machine reads",
    advice: "ask the sender what it is for; delete the characters that are not seen",
};

/// Text that is shown in another order than it is read.
static TURNED: Rule = Rule {
    id: "hidden/turned-direction",
    layer: Layer::TextExtraction,
    level: ThreatLevel::Low,
    reason: "a part of it is shown in another order than a machine reads it",
    advice: "read it in an editor that shows such characters",
};

/// Where something stood.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Text(usize),
    Folded(usize),
}

/// What came out.
#[derive(Debug)]
pub(super) enum What {
    Text(String),
    /// A file of a kind that is told by its beginning.
    File(Vec<u8>),
}

/// Takes what came out of a layer.
pub(super) type Take<'a> = dyn FnMut(Found) -> Step + 'a;

/// Hands on whatever comes out of a text.
pub(super) fn search(
    words: &Words,
    hits: &[Hit],
    text: &str,
    folded: &Folded,
    take: &mut Take<'_>,
) -> Step {
    runs::search(text, take)?;
    escapes::search(text, take)?;
    numbers::search(text, take)?;
    morse::search(text, take)?;
    apart::search(text, take)?;
    letters::search(words, hits, folded, take)?;
    if !text.is_ascii() {
        if folded.has_unseen {
            unseen::search(text, take)?;
        }
        if folded.has_lookalikes {
            scripts::search(folded, take)?;
        }
    }
    Ok(())
}

/// Bytes as a text, if they are one and not just any bytes.
fn words(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    if let Ok(text) = str::from_utf8(bytes)
        && is_words(text)
    {
        return Some(text.to_owned());
    }
    // The way of Windows, which its shell takes encoded.
    let (twos, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let text = String::from_utf16(
        &twos
            .iter()
            .map(|it| u16::from_le_bytes(*it))
            .collect::<Vec<_>>(),
    );
    text.ok().filter(|it| it.is_ascii() && is_words(it))
}

/// The same of what chance hardly makes, so that it may well be encoded once more.
fn words_or_code(bytes: &[u8]) -> Option<String> {
    let is_shown = |it: &u8| matches!(it, b'\t' | b'\r' | b'\n' | 0x20..=0x7E);
    if bytes.len() >= 16 && bytes.iter().all(is_shown) {
        return String::from_utf8(bytes.to_vec()).ok();
    }
    words(bytes)
}

/// Whether a text reads as one.
fn is_words(text: &str) -> bool {
    let (mut letters, mut other, mut all) = (0_usize, 0_usize, 0_usize);
    for it in text.chars() {
        all += 1;
        if it.is_alphabetic() || it == ' ' {
            letters += 1;
        } else if it.is_control() && !it.is_whitespace() || it == char::REPLACEMENT_CHARACTER {
            other += 1;
        }
    }
    all >= 6 && letters * 10 >= all * 6 && other * 50 <= all
}
