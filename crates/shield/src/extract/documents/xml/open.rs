//! `OpenDocument`: text, sheets and slides
//! ([ODF 1.3](https://docs.oasis-open.org/office/OpenDocument/v1.3/)).
//!
//! What is not seen is so by a style, which stands before what has it.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::relationships::runs;
use super::{Known, Part, Tag, formulas};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::html::{Colour, WHITE};
use crate::rule::Rule;
use crate::walk::{Setting, Walk};

/// It runs something when something happens.
const EVENT: Rule = Rule {
    id: "documents/event-runs",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "the document runs a macro when something happens, such as that it is opened",
    advice: "do not open it in an office program; read its text only",
};

/// `OpenDocument`.
pub(super) struct Open {
    flow: Flow,
    known: Known,
    /// The style that is being told.
    style: String,
    /// Whether each open element is hidden.
    elements: Vec<bool>,
    /// How many more elements are open that were not kept.
    beyond: u64,
    is_in_paragraph: bool,
}

/// Styles, and elements in each other, that are kept.
const MAX_STYLES: usize = 20_000;
const MAX_OPEN: usize = 1_000;

impl Open {
    pub(super) fn new(known: Known) -> Self {
        Self {
            flow: Flow::new(Setting::Visible),
            known,
            style: String::new(),
            elements: Vec::new(),
            beyond: 0,
            is_in_paragraph: false,
        }
    }

    fn is_hidden(&self) -> bool {
        self.elements.last().is_some_and(|it| *it)
    }

    fn property(&mut self, tag: &Tag<'_>) {
        let styles = &mut self.known.hidden_styles;
        if hides(tag) && styles.len() < MAX_STYLES {
            styles.insert(self.style.clone());
        }
    }

    /// Whether what is in it is not seen.
    fn hides(&self, tag: &Tag<'_>) -> bool {
        let is_hidden_style = tag.all().any(|(name, value)| {
            name == "style-name" && self.known.hidden_styles.contains(&*value)
        });
        is_hidden_style
            || tag.get("visibility").is_some_and(|it| it != "visible")
            || matches!(
                &*tag.name,
                "hidden-text"
                    | "hidden-paragraph"
                    | "tracked-changes"
                    | "annotation"
                    | "notes"
                    | "desc"
            )
    }
}

impl Part for Open {
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        match &*tag.name {
            "style" => {
                self.style = tag.get("name").unwrap_or_default().into_owned();
                let parent = tag.get("parent-style-name").unwrap_or_default();
                let styles = &mut self.known.hidden_styles;
                if styles.contains(&*parent) && styles.len() < MAX_STYLES {
                    styles.insert(self.style.clone());
                }
            }
            "text-properties"
            | "table-properties"
            | "drawing-page-properties"
            | "table-row-properties"
            | "table-column-properties" => self.property(tag),
            "p" | "h" => {
                self.flow.end_block(walk)?;
                self.is_in_paragraph = true;
            }
            "s" | "tab" | "line-break" => self.flow.separate(' '),
            "event-listener" => walk.found(&EVENT, tag.get("href").as_deref()),
            "hidden-text" | "hidden-paragraph" => {
                if let Some(text) = tag.get("string-value") {
                    self.flow.hidden(&text);
                }
            }
            _ => {}
        }
        if let Some(formula) = tag.get("formula") {
            formulas::judge(walk, &formula);
        }
        if let Some(address) = tag.get("href").filter(|it| runs(it)) {
            walk.found(&EVENT, Some(&address));
        }
        let is_hidden = self.is_hidden() || self.hides(tag);
        if self.elements.len() < MAX_OPEN {
            self.elements.push(is_hidden);
        } else {
            self.beyond += 1;
        }
        Ok(())
    }

    fn end(&mut self, walk: &mut Walk<'_>, name: &str) -> Step {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else {
            self.elements.pop();
        }
        if matches!(name, "p" | "h") {
            self.is_in_paragraph = false;
            return self.flow.end_block(walk);
        }
        Ok(())
    }

    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step {
        if !self.is_in_paragraph {
            if text.trim().is_empty() {
                return Ok(());
            }
            self.flow.separate('\n');
        }
        let is_hidden = self.is_hidden();
        if is_hidden || !self.known.only_hidden {
            self.flow.push(text, is_hidden);
        }
        self.flow.judge_full(walk)
    }

    fn finish(self: Box<Self>, walk: &mut Walk<'_>) -> Step {
        self.flow.end(walk)
    }
}

/// Whether these properties of a style hide what has it.
pub(super) fn hides(tag: &Tag<'_>) -> bool {
    let has = |name, what: &[&str]| tag.get(name).is_some_and(|it| what.contains(&&*it));
    let colour = tag.get("color").map(|it| Colour::of(&it));
    let behind = tag.get("background-color").map(|it| Colour::of(&it));
    let behind = behind.filter(|it| *it != Colour::Clear).unwrap_or(WHITE);
    let is_tiny = tag.get("font-size").is_some_and(|it| {
        let points = it.strip_suffix("pt").and_then(|it| it.parse::<f32>().ok());
        points.is_some_and(|it| it <= 1.0)
    });
    has("display", &["none", "false"])
        || has("visibility", &["hidden", "collapse"])
        || is_tiny
        || colour.is_some_and(|it| it.is_lost_on(behind))
}
