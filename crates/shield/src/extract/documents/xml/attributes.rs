//! Start tags, and what their attributes say.

use std::borrow::Cow;
use std::io::Cursor;

use quick_xml::escape::unescape_with;
use quick_xml::events::BytesStart;

use super::dialect::Dialect;
use super::doctype::Entities;
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::uri;
use crate::walk::Walk;

/// A start tag.
pub(in crate::extract::documents) struct Tag<'a> {
    /// Without its prefix.
    pub(in crate::extract::documents) name: Cow<'a, str>,
    element: &'a BytesStart<'a>,
    entities: &'a Entities,
}

impl<'a> Tag<'a> {
    pub(super) fn of(element: &'a BytesStart<'a>, entities: &'a Entities) -> Self {
        Self {
            name: String::from_utf8_lossy(element.local_name().into_inner()),
            element,
            entities,
        }
    }

    /// The value of the attribute of this name, whatever its prefix.
    pub(in crate::extract::documents) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.all()
            .find_map(|(it, value)| (it == name).then_some(value))
    }

    /// Whether this attribute is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        let is_off = |it: Cow<'_, str>| matches!(&*it, "0" | "false" | "off" | "none");
        self.get(name).is_some_and(|it| !is_off(it))
    }

    /// Its attributes: names without prefixes, and values as they are meant.
    pub(super) fn all(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        // To look for the same name twice takes the square of their number.
        let mut attributes = self.element.attributes();
        attributes.with_checks(false);
        attributes.flatten().map(|it| {
            let name = String::from_utf8_lossy(it.key.local_name().into_inner());
            let value = match it.value {
                Cow::Borrowed(it) => String::from_utf8_lossy(it),
                Cow::Owned(it) => String::from_utf8_lossy(&it).into_owned().into(),
            };
            (name, self.meant(value))
        })
    }

    fn meant(&self, value: Cow<'a, str>) -> Cow<'a, str> {
        if !value.contains('&') {
            return value;
        }
        let resolve = |name: &str| {
            quick_xml::escape::resolve_xml_entity(name).or_else(|| self.entities.get(name))
        };
        let meant = unescape_with(&value, resolve).map(Cow::into_owned);
        meant.map_or(value, Cow::Owned)
    }
}

/// What attributes say, of all elements together.
pub(super) struct Attributes(Flow);

impl Attributes {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self(Flow::at("attributes", dialect.of_attributes()))
    }

    pub(super) fn take(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        for (name, value) in tag.all() {
            if name.starts_with("xmlns") {
                continue;
            }
            if let Some(data) = uri::data(&value) {
                walk.look_into("data: address", &mut Cursor::new(data))?;
            } else if uri::is_worth_reading(&value) {
                walk.budget.expand(value.len() as u64 / 16)?;
                self.0.seen(&value);
                self.0.end_block(walk)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, walk: &mut Walk<'_>) -> Step {
        self.0.end(walk)
    }
}
