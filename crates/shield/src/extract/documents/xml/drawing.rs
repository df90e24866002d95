//! SVG. Its text is read as a browser reads it; this is for what it does.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::{Part, Tag};
use crate::budget::Step;
use crate::extract::documents::uri;
use crate::rule::Rule;
use crate::walk::Walk;

/// A picture that is a program.
const SCRIPT: Rule = Rule {
    id: "documents/svg-script",
    layer: Layer::Code,
    level: ThreatLevel::Low,
    reason: "the drawing holds a script, which runs where it is opened as a page",
    advice: "show it as a picture, or open it where scripts do not run",
};

/// A picture that leads to a program.
const ADDRESS: Rule = Rule {
    id: "documents/svg-address",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "an address in the drawing is a script",
    advice: "show it as a picture, or open it where scripts do not run",
};

/// SVG.
#[derive(Default)]
pub(super) struct Drawing {
    is_script: bool,
}

impl Part for Drawing {
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        self.is_script = tag.name == "script";
        if self.is_script && tag.get("href").is_some() {
            walk.found(&SCRIPT, None);
        }
        for (name, value) in tag.all() {
            if name.starts_with("on") {
                walk.found(&SCRIPT, Some(&value));
            } else if uri::is_script(&value) {
                walk.found(&ADDRESS, Some(&value));
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Walk<'_>, _: &str) -> Step {
        self.is_script = false;
        Ok(())
    }

    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step {
        if self.is_script {
            walk.found(&SCRIPT, Some(text.trim()));
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Walk<'_>) -> Step {
        Ok(())
    }
}
