//! Elements that nothing is known of.

use super::{Part, Tag};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::html;
use crate::walk::{Setting, Walk};

/// Elements that nothing is known of. Two tags with nothing between end a text, as in
/// `<to>you</to><from>me</from>`; one within a text does not, as in `a w<em>or</em>d`.
pub(super) struct Plain {
    flow: Flow,
    setting: Setting,
    is_behind_tag: bool,
}

impl Plain {
    pub(super) fn new(setting: Setting) -> Self {
        Self {
            flow: Flow::new(setting),
            setting,
            is_behind_tag: false,
        }
    }

    fn tag(&mut self, walk: &mut Walk<'_>) -> Step {
        if std::mem::replace(&mut self.is_behind_tag, true) {
            return self.flow.end_block(walk);
        }
        Ok(())
    }
}

impl Part for Plain {
    fn start(&mut self, walk: &mut Walk<'_>, _: &Tag<'_>) -> Step {
        self.tag(walk)
    }

    fn end(&mut self, walk: &mut Walk<'_>, _: &str) -> Step {
        self.tag(walk)
    }

    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step {
        self.is_behind_tag = false;
        if html::has_tags(text) {
            // What feeds hold is pages.
            walk.inside("text with tags", |walk| {
                html::read(walk, text, self.setting, 1)
            })?;
        }
        self.flow.seen(text);
        self.flow.judge_full(walk)
    }

    fn finish(self: Box<Self>, walk: &mut Walk<'_>) -> Step {
        self.flow.end(walk)
    }
}
