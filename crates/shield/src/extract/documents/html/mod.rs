//! HTML: what is seen, what is not, and what stands in comments, attributes and scripts.
//!
//! Tokens are those of the [standard](https://html.spec.whatwg.org/#tokenization). There is no tree: an
//! element is hidden if itself or one that is open around it is, by its name, its attributes, its style or
//! by a rule of a sheet before it.

mod element;
mod page;
mod style;
mod tags;
#[cfg(test)]
mod tests;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use self::page::Page;
pub(super) use self::style::{Colour, WHITE};
use super::decode;
use crate::budget::Step;
use crate::walk::{Input, Setting, Walk};

/// Takes HTML apart.
pub(in crate::extract) fn html(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    decode::text_of(walk, input, |walk, text| {
        read(walk, text, Setting::Visible, 0)
    })
}

/// HTML that stands in comments and attributes of HTML, and so on.
const MAX_DEPTH: u8 = 3;

/// Takes a text with tags apart, all of which is seen or not.
pub(super) fn read(walk: &mut Walk<'_>, text: &str, setting: Setting, depth: u8) -> Step {
    let mut page = Page::new(walk, setting, depth);
    let mut end = 0;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
        if !matches!(event, CallbackEvent::Error(_)) {
            end = span.end;
        }
        page.take(&event).err()
    });
    emitter.naively_switch_states(true);
    if let Some(Ok(stop)) = Tokenizer::new_with_emitter(text, emitter).next() {
        return Err(stop);
    }
    page.end(text.get(end..).unwrap_or_default())
}

/// Whether there are tags in it, or what looks like one.
pub(super) fn has_tags(text: &str) -> bool {
    let mut bytes = text.bytes().zip(text.bytes().skip(1));
    bytes.any(|(it, next)| it == b'<' && (next.is_ascii_alphabetic() || b"/!?".contains(&next)))
}
