//! Text in the order in which it is read.

use crate::budget::Step;
use crate::walk::{Setting, Walk};

/// Text in the order in which it is read: as a program has it, with everything; and where something of it
/// is hidden, what is seen and what is hidden each by itself. So a sentence is one however it is put
/// together, of words that are seen, of those that are not, or of both.
pub(super) struct Flow {
    segment: String,
    setting: Setting,
    all: String,
    /// What is seen, once something was hidden.
    seen: Option<String>,
    hidden: String,
    /// Between the hidden piece that was last and the next one, something else ended a word.
    is_gap: bool,
}

/// Bytes of text after which they are judged.
const FULL: usize = 1 << 18;

/// And of how many of them the next piece is told, so that no sentence is cut.
const AGAIN: usize = 1 << 10;

impl Flow {
    /// What stands right here.
    pub(super) fn new(setting: Setting) -> Self {
        Self::at("", setting)
    }

    /// What stands one step further in.
    pub(super) fn at(segment: &str, setting: Setting) -> Self {
        Self {
            segment: segment.to_owned(),
            setting,
            all: String::new(),
            seen: None,
            hidden: String::new(),
            is_gap: false,
        }
    }

    /// Goes on, within a word perhaps.
    pub(super) fn seen(&mut self, text: &str) {
        self.all.push_str(text);
        if let Some(seen) = &mut self.seen {
            seen.push_str(text);
            self.is_gap |= text.contains(char::is_whitespace);
        }
    }

    /// Goes on with what nobody sees.
    pub(super) fn hidden(&mut self, text: &str) {
        if self.seen.is_none() {
            if text.trim().is_empty() {
                return self.seen(text);
            }
            self.seen = Some(self.all.clone());
        }
        self.all.push_str(text);
        if std::mem::take(&mut self.is_gap) && !self.hidden.is_empty() {
            self.hidden.push(' ');
        }
        self.hidden.push_str(text);
    }

    /// Goes on with one of both.
    pub(super) fn push(&mut self, text: &str, is_hidden: bool) {
        if is_hidden {
            self.hidden(text);
        } else {
            self.seen(text);
        }
    }

    /// Ends a word, and perhaps a line.
    pub(super) fn separate(&mut self, by: char) {
        for text in [Some(&mut self.all), self.seen.as_mut()]
            .into_iter()
            .flatten()
        {
            if !text.is_empty() && !text.ends_with(char::is_whitespace) {
                text.push(by);
            }
        }
        self.is_gap = true;
    }

    /// Ends a block: no sentence goes on behind it, so that what there is may be judged.
    pub(super) fn end_block(&mut self, walk: &mut Walk<'_>) -> Step {
        self.separate('\n');
        self.judge_full(walk)
    }

    /// Judges what there is once it is much.
    pub(super) fn judge_full(&mut self, walk: &mut Walk<'_>) -> Step {
        if self.all.len() < FULL {
            return Ok(());
        }
        self.judge(walk)?;
        let is_hidden = self.seen.is_some();
        keep_end(&mut self.all);
        self.seen = None;
        if is_hidden {
            keep_end(&mut self.hidden);
        }
        Ok(())
    }

    /// Judges what there is, to the end.
    pub(super) fn end(mut self, walk: &mut Walk<'_>) -> Step {
        self.judge(walk)
    }

    fn judge(&mut self, walk: &mut Walk<'_>) -> Step {
        if self.segment.is_empty() {
            return self.judge_here(walk);
        }
        let segment = std::mem::take(&mut self.segment);
        let step = walk.inside(&segment, |walk| self.judge_here(walk));
        self.segment = segment;
        step
    }

    fn judge_here(&self, walk: &mut Walk<'_>) -> Step {
        if !self.all.trim().is_empty() {
            walk.text(&self.all, self.setting)?;
        }
        let Some(seen) = &self.seen else {
            return Ok(());
        };
        if !seen.trim().is_empty() {
            walk.text(seen, self.setting)?;
        }
        walk.text_in("hidden text", &self.hidden, Setting::Hidden)
    }
}

/// Leaves the last bytes of it.
fn keep_end(text: &mut String) {
    let mut from = text.len().saturating_sub(AGAIN);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.drain(..from);
}
