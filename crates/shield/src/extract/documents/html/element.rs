//! Which elements are open, and whether what stands in them is seen.

use super::style::{Colour, Style, WHITE};
use super::tags;

/// An open element.
struct Element {
    /// Where its name begins in all of them.
    name: usize,
    /// It, or one around it, hides all that is in it.
    hides: bool,
    colour: Colour,
    background: Colour,
}

/// The open elements, the outermost first.
#[derive(Default)]
pub(super) struct Elements {
    open: Vec<Element>,
    names: String,
    /// How many more are open that were not kept.
    beyond: u64,
}

/// Elements that are kept open in each other.
const MAX_OPEN: usize = 256;

impl Elements {
    pub(super) fn name(&self) -> &str {
        let from = self.open.last().map_or(0, |it| it.name);
        self.names.get(from..).unwrap_or_default()
    }

    /// Whether nobody sees what stands here.
    pub(super) fn is_hidden(&self) -> bool {
        let is_hidden = |it: &Element| it.hides || it.colour.is_lost_on(it.background);
        self.open.last().is_some_and(is_hidden)
    }

    /// Goes into an element.
    pub(super) fn open(&mut self, name: &str, style: Style) {
        while self.beyond == 0 && tags::is_ended_by(self.name(), name) {
            self.close_from(self.open.len() - 1);
        }
        if self.open.len() == MAX_OPEN {
            self.beyond += 1;
            return;
        }
        let (colour, background, hides) = match self.open.last() {
            Some(it) => (it.colour, it.background, it.hides),
            None => (Colour::Rgb([0; 3]), WHITE, false),
        };
        let background = match style.background {
            None | Some(Colour::Clear) => background,
            Some(it) => it,
        };
        self.open.push(Element {
            name: self.names.len(),
            hides: hides || style.hides,
            colour: style.colour.unwrap_or(colour),
            background,
        });
        self.names.push_str(name);
    }

    /// Goes out of the innermost element of that name, if there is one.
    pub(super) fn close(&mut self, name: &str) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let mut end = self.names.len();
        let is_it = |it: &Element| {
            let its = self.names.get(it.name..end);
            end = it.name;
            its == Some(name)
        };
        if let Some(at) = self.open.iter().rev().position(is_it) {
            self.close_from(self.open.len() - 1 - at);
        }
    }

    fn close_from(&mut self, at: usize) {
        if let Some(first) = self.open.get(at) {
            self.names.truncate(first.name);
        }
        self.open.truncate(at);
    }
}
