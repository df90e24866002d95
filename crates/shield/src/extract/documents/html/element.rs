//! Which elements are open, and whether what stands in them is seen.

use super::style::{Colour, Style, WHITE};
use super::tags;

/// An open element.
struct Element {
    name: String,
    /// It, or one around it, hides all that is in it.
    hides: bool,
    colour: Colour,
    background: Colour,
}

/// The open elements, the outermost first.
#[derive(Default)]
pub(super) struct Elements {
    open: Vec<Element>,
    /// How many more are open that were not kept.
    beyond: u64,
}

/// Elements that are kept open in each other.
const MAX_OPEN: usize = 256;

impl Elements {
    pub(super) fn name(&self) -> &str {
        self.open.last().map_or("", |it| &it.name)
    }

    /// Whether nobody sees what stands here.
    pub(super) fn is_hidden(&self) -> bool {
        let is_hidden = |it: &Element| it.hides || it.colour.is_lost_on(it.background);
        self.open.last().is_some_and(is_hidden)
    }

    /// Goes into an element.
    pub(super) fn open(&mut self, name: &str, style: Style) {
        while let Some(last) = self.open.last()
            && self.beyond == 0
            && tags::is_ended_by(&last.name, name)
        {
            self.open.pop();
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
            name: name.to_owned(),
            hides: hides || style.hides,
            colour: style.colour.unwrap_or(colour),
            background,
        });
    }

    /// Goes out of the innermost element of that name, if there is one.
    pub(super) fn close(&mut self, name: &str) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else if let Some(at) = self.open.iter().rposition(|it| it.name == name) {
            self.open.truncate(at);
        }
    }
}
