//! One page on its way past, token for token.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Cursor;

use html5gum::emitters::callback::CallbackEvent;

use super::element::Elements;
use super::style::{Colour, Sheet, Style};
use super::{MAX_DEPTH, has_tags, read, tags};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::uri;
use crate::walk::{Setting, Walk};

/// One page on its way past.
pub(super) struct Page<'p, 'w> {
    walk: &'p mut Walk<'w>,
    depth: u8,
    is_hidden: bool,
    elements: Elements,
    sheet: Sheet,
    text: Flow,
    scripts: Flow,
    /// Type of the script that is open.
    script: String,
    /// Scripts that do not run: JSON, templates.
    data: Flow,
    styles: Flow,
    comments: Flow,
    doctype: Flow,
    names: Flow,
    attributes: BTreeMap<&'static str, Flow>,
    tag: Tag,
    /// The attribute whose value comes next.
    attribute: String,
}

/// A tag, until it ends.
#[derive(Default)]
struct Tag {
    name: String,
    style: Style,
    kind: String,
    /// Its attributes without values: `<ignore all that was said>` is a text too.
    bare: String,
    before_last: usize,
}

impl Tag {
    fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.style = Style::default();
        self.kind.clear();
        self.bare.clear();
        self.before_last = 0;
    }
}

impl<'p, 'w> Page<'p, 'w> {
    pub(super) fn new(walk: &'p mut Walk<'w>, setting: Setting, depth: u8) -> Self {
        Self {
            walk,
            depth,
            is_hidden: setting == Setting::Hidden,
            elements: Elements::default(),
            sheet: Sheet::default(),
            text: Flow::new(setting),
            scripts: Flow::at("script", Setting::Code),
            script: String::new(),
            data: Flow::at("script data", Setting::Hidden),
            styles: Flow::at("style", Setting::Code),
            comments: Flow::at("comment", Setting::Hidden),
            doctype: Flow::at("doctype", Setting::Metadata),
            names: Flow::at("tags", Setting::Hidden),
            attributes: BTreeMap::new(),
            tag: Tag::default(),
            attribute: String::new(),
        }
    }

    pub(super) fn take(&mut self, event: &CallbackEvent<'_>) -> Step {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag.begin(&lossy(name));
                Ok(())
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute.clear();
                self.attribute.push_str(&lossy(name));
                self.tag.style.hides |= self.attribute == "hidden";
                self.tag.before_last = self.tag.bare.len();
                self.tag.bare.push(' ');
                self.tag.bare.push_str(&self.attribute);
                Ok(())
            }
            CallbackEvent::AttributeValue { value } => {
                let name = std::mem::take(&mut self.attribute);
                self.tag.bare.truncate(self.tag.before_last);
                let step = self.attribute(&name, &lossy(value));
                self.attribute = name;
                step
            }
            CallbackEvent::CloseStartTag { self_closing } => self.open(*self_closing),
            CallbackEvent::EndTag { name } => {
                let name = lossy(name);
                self.elements.close(&name);
                self.end_block(&name)
            }
            CallbackEvent::String { value } => self.text(&lossy(value)),
            CallbackEvent::Comment { value } => self.comment(&lossy(value)),
            CallbackEvent::Doctype {
                name,
                public_identifier,
                system_identifier,
                ..
            } => {
                let parts = [Some(*name), *public_identifier, *system_identifier];
                for part in parts.into_iter().flatten() {
                    self.doctype.seen(&lossy(part));
                    self.doctype.separate('\n');
                }
                Ok(())
            }
            CallbackEvent::Error(_) => Ok(()),
        }
    }

    /// Judges all that was kept, and what came of it that is no token: a tag that does not end.
    pub(super) fn end(self, rest: &str) -> Step {
        let walk = self.walk;
        self.text.end(walk)?;
        self.comments.end(walk)?;
        self.doctype.end(walk)?;
        self.names.end(walk)?;
        for flow in self.attributes.into_values() {
            flow.end(walk)?;
        }
        self.data.end(walk)?;
        self.scripts.end(walk)?;
        self.styles.end(walk)?;
        if uri::is_worth_reading(rest) {
            walk.text_in("tag without an end", rest, Setting::Hidden)?;
        }
        Ok(())
    }

    fn open(&mut self, is_empty: bool) -> Step {
        let tag = std::mem::take(&mut self.tag);
        let step = self.open_tag(&tag, is_empty);
        // Its buffers are used again.
        self.tag = tag;
        step
    }

    fn open_tag(&mut self, tag: &Tag, is_empty: bool) -> Step {
        let (name, mut style) = (tag.name.as_str(), tag.style);
        self.end_block(name)?;
        if tag.bare.split_whitespace().nth(1).is_some() {
            self.names.seen(name);
            self.names.seen(&tag.bare);
            self.names.end_block(self.walk)?;
        }
        if name == "script" {
            tag.kind.clone_into(&mut self.script);
        }
        if !self.sheet.is_empty() {
            style = self.sheet.of_tag(name).and(style);
        }
        style.hides |= tags::is_hidden(name);
        // In HTML the slash says nothing, in SVG that the end is here.
        let is_ended = is_empty && !matches!(name, "div" | "p" | "script" | "span" | "style");
        if !tags::is_void(name) && !is_ended {
            self.elements.open(name, style);
        }
        Ok(())
    }

    fn end_block(&mut self, tag: &str) -> Step {
        if tags::is_inline(tag) {
            return Ok(());
        }
        self.text.end_block(self.walk)
    }

    fn text(&mut self, text: &str) -> Step {
        let is_hidden = !self.is_hidden && self.elements.is_hidden();
        let flow = match self.elements.name() {
            "style" => {
                self.sheet.add(text);
                &mut self.styles
            }
            "script" if is_program(&self.script) => &mut self.scripts,
            "script" => &mut self.data,
            // To a tokenizer this is one text.
            name @ ("iframe" | "noembed" | "noframe" | "noscript") if has_tags(text) => {
                let name = name.to_owned();
                return self.nested(&name, text);
            }
            _ => {
                self.text.push(text, is_hidden);
                return self.text.judge_full(self.walk);
            }
        };
        flow.seen(text);
        flow.end_block(self.walk)
    }

    fn comment(&mut self, text: &str) -> Step {
        // Without an end of one there is no tag in it.
        if text.contains('>') && has_tags(text) {
            return self.nested("comment", text);
        }
        self.comments.seen(text);
        self.comments.end_block(self.walk)
    }

    fn attribute(&mut self, name: &str, value: &str) -> Step {
        match name {
            "style" => self.tag.style = self.tag.style.and(Style::of(value)),
            "class" => self.classes(value),
            "id" => {
                self.tag.style = self.sheet.of_id(value).and(self.tag.style);
            }
            "color" | "fill" => self.tag.style.colour = Some(Colour::of(value)),
            "bgcolor" => self.tag.style.background = Some(Colour::of(value)),
            "display" | "font-size" | "opacity" | "fill-opacity" | "visibility" => {
                let name = name.trim_start_matches("fill-");
                let style = Style::of(&format!("{name}:{value}"));
                self.tag.style = self.tag.style.and(style);
            }
            "type" => value.trim().clone_into(&mut self.tag.kind),
            "srcdoc" => return self.nested("srcdoc", value),
            _ if name.starts_with("on") || uri::is_script(value) => {
                self.scripts.seen(value);
                return self.scripts.end_block(self.walk);
            }
            _ => {}
        }
        if let Some(data) = uri::data(value) {
            return self.walk.look_into("data: address", &mut Cursor::new(data));
        }
        if !uri::is_worth_reading(value) {
            return Ok(());
        }
        let known = tags::NAMED.iter().find(|it| **it == name);
        let flow = self.attributes.entry(known.copied().unwrap_or_default());
        let flow = flow.or_insert_with_key(|name| match *name {
            "" => Flow::at("attributes", Setting::Hidden),
            "content" => Flow::at("attribute content", Setting::Metadata),
            _ => Flow::at(&format!("attribute {name}"), Setting::Hidden),
        });
        flow.seen(value);
        flow.end_block(self.walk)
    }

    fn classes(&mut self, value: &str) {
        for class in value.split_ascii_whitespace().take(MAX_CLASSES) {
            self.tag.style.hides |= matches!(
                class,
                "d-none" | "hidden" | "screen-reader-text" | "sr-only" | "visually-hidden"
            );
            if !self.sheet.is_empty() {
                self.tag.style = self.sheet.of_class(class).and(self.tag.style);
            }
        }
    }

    /// What is HTML itself, where nobody sees it.
    fn nested(&mut self, segment: &str, text: &str) -> Step {
        let depth = self.depth + 1;
        self.walk.inside(segment, |walk| {
            if depth > MAX_DEPTH {
                return walk.text(text, Setting::Hidden);
            }
            read(walk, text, Setting::Hidden, depth)
        })
    }
}

/// Of one element.
const MAX_CLASSES: usize = 100;

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Whether a script of this type runs.
fn is_program(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind.is_empty() || kind == "module" || kind.contains("script")
}
