//! XML: documents of offices, drawings, feeds, and whatever else is in elements.
//!
//! Which it is says its first element. What is known of it decides which text is one and which is not
//! seen; text that nothing is known of is judged as well. Entities are counted before they are put in.

mod attributes;
mod dialect;
mod doctype;
mod drawing;
mod fields;
mod formulas;
mod open;
mod plain;
mod prose;
mod relationships;
mod sheet;
mod styles;
#[cfg(test)]
mod tests;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use self::attributes::Attributes;
pub(super) use self::attributes::Tag;
pub(super) use self::dialect::{Dialect, Known};
use self::doctype::Entities;
pub(super) use self::fields::judge as field;
pub(super) use self::relationships::{runs, template};
pub(super) use self::styles::{hidden_cells, hidden_in_open, hidden_in_word};
use super::flow::Flow;
use super::{decode, html};
use crate::budget::Step;
use crate::extract::UNREADABLE;
use crate::walk::{Input, Setting, Walk};

/// What takes the elements of a document in its own way.
pub(super) trait Part {
    /// Before what is in an element; what has no content ends right after it.
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step;

    /// Behind it. Only its name without a prefix.
    fn end(&mut self, walk: &mut Walk<'_>, name: &str) -> Step;

    /// All between two tags.
    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step;

    /// Behind all.
    fn finish(self: Box<Self>, walk: &mut Walk<'_>) -> Step;
}

/// Takes XML apart.
pub(in crate::extract) fn xml(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    // A long one comes in pieces, of which only the first says what it is.
    let mut dialect = None;
    decode::text_of(walk, input, |walk, text| {
        let dialect = *dialect.get_or_insert_with(|| Dialect::of(text));
        read(walk, text, dialect, &Known::default())
    })
}

/// Takes a text apart, of which this is known from elsewhere.
pub(super) fn read(walk: &mut Walk<'_>, text: &str, dialect: Dialect, known: &Known) -> Step {
    if dialect == Dialect::Drawing {
        // Whoever draws it reads it as a browser does.
        html::read(walk, text, Setting::Visible, 0)?;
    }
    let mut events = Events {
        part: dialect.part(known),
        attributes: Attributes::new(dialect),
        comments: Flow::at("comment", Setting::Hidden),
        entities: Entities::default(),
        pending: String::new(),
    };
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    config.expand_empty_elements = true;
    loop {
        let at = reader.buffer_position();
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => events.take(walk, event)?,
            Err(_) => {
                walk.found(&UNREADABLE, None);
                let rest = usize::try_from(at).ok().and_then(|at| text.get(at..));
                html::read(walk, rest.unwrap_or(text), Setting::Visible, 0)?;
                break;
            }
        }
    }
    events.finish(walk)
}

/// Hands on each start tag, for what is not text.
pub(super) fn each_tag(text: &str, mut take: impl FnMut(&Tag<'_>)) {
    let entities = Entities::default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(it) | Event::Empty(it)) => take(&Tag::of(&it, &entities)),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Hands on the name of each start tag, and each text.
pub(super) fn each_text(text: &str, mut take: impl FnMut(Option<&str>, &str)) {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(it) | Event::Empty(it)) => {
                take(Some(&lossy(it.local_name().as_ref())), "");
            }
            Ok(Event::Text(it)) => take(None, &lossy(&it)),
            Ok(Event::CData(it)) => take(None, &lossy(&it)),
            Ok(Event::GeneralRef(it)) => {
                if let Ok(Some(it)) = it.resolve_char_ref() {
                    take(None, it.encode_utf8(&mut [0; 4]));
                } else if let Some(it) = quick_xml::escape::resolve_xml_entity(&lossy(&it)) {
                    take(None, it);
                }
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// What comes, on its way to the part.
struct Events {
    part: Box<dyn Part>,
    attributes: Attributes,
    comments: Flow,
    entities: Entities,
    /// Text since the last tag.
    pending: String,
}

impl Events {
    fn take(&mut self, walk: &mut Walk<'_>, event: Event<'_>) -> Step {
        match event {
            Event::Text(it) => self.pending.push_str(&lossy(&it)),
            Event::CData(it) => self.pending.push_str(&lossy(&it)),
            Event::GeneralRef(it) => return self.reference(walk, &it),
            Event::Start(it) | Event::Empty(it) => {
                self.flush(walk)?;
                let tag = Tag::of(&it, &self.entities);
                self.attributes.take(walk, &tag)?;
                self.part.start(walk, &tag)?;
            }
            Event::End(it) => {
                self.flush(walk)?;
                self.part.end(walk, &lossy(it.local_name().as_ref()))?;
            }
            Event::Comment(it) => {
                self.comments.seen(&lossy(&it));
                self.comments.end_block(walk)?;
            }
            Event::PI(it) => {
                self.comments.seen(&lossy(&it));
                self.comments.end_block(walk)?;
            }
            Event::DocType(it) => {
                let text = lossy(&it);
                self.entities.declare(walk, &text);
                return walk.text_in("doctype", &text, Setting::Hidden);
            }
            Event::Decl(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn reference(&mut self, walk: &Walk<'_>, it: &BytesRef<'_>) -> Step {
        if let Ok(Some(it)) = it.resolve_char_ref() {
            self.pending.push(it);
            return Ok(());
        }
        let name = lossy(it);
        if let Some(it) = quick_xml::escape::resolve_xml_entity(&name) {
            self.pending.push_str(it);
        } else if let Some(it) = self.entities.get(&name) {
            walk.budget.expand(it.len() as u64)?;
            self.pending.push_str(it);
        } else {
            self.pending.push('&');
            self.pending.push_str(&name);
            self.pending.push(';');
        }
        Ok(())
    }

    fn flush(&mut self, walk: &mut Walk<'_>) -> Step {
        if self.pending.is_empty() {
            return Ok(());
        }
        let step = self.part.text(walk, &self.pending);
        self.pending.clear();
        step
    }

    fn finish(mut self, walk: &mut Walk<'_>) -> Step {
        self.flush(walk)?;
        self.part.finish(walk)?;
        self.attributes.finish(walk)?;
        self.comments.end(walk)
    }
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
