//! Texts of a PDF that are not on its pages, by what they are about.

use std::collections::BTreeMap;

use super::file::File;
use super::object::{Dict, Object, text_of};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::{html, uri};
use crate::walk::{Setting, Walk};

/// Texts that are not on pages.
#[derive(Default)]
pub(super) struct Strings(BTreeMap<&'static str, Flow>);

impl Strings {
    /// Those of one dictionary.
    pub(super) fn take(
        &mut self,
        walk: &mut Walk<'_>,
        file: &File<'_>,
        dict: &Dict,
        is_info: bool,
    ) -> Step {
        for (name, value) in dict {
            // What is referred to and has no dictionary around it would be met without its name.
            for value in file.resolve(value).values().iter().take(MAX_VALUES) {
                let Object::String(text) = file.resolve(value) else {
                    continue;
                };
                let text = text_of(text);
                let (segment, setting) = match &**name {
                    // Judged as a script.
                    "JS" => continue,
                    _ if is_info => ("document information", Setting::Metadata),
                    "Title" | "Lang" => ("titles", Setting::Metadata),
                    "V" | "DV" | "Opt" => ("form", Setting::Visible),
                    "RC" | "RV" => {
                        walk.inside("form", |walk| html::read(walk, &text, Setting::Visible, 1))?;
                        continue;
                    }
                    "Contents" | "Subj" => ("notes", Setting::Hidden),
                    "Alt" | "ActualText" | "E" => ("text for readers", Setting::Hidden),
                    "URI" => ("addresses", Setting::Hidden),
                    _ => ("other texts", Setting::Hidden),
                };
                if !uri::is_worth_reading(&text) && setting != Setting::Metadata || !is_text(&text)
                {
                    continue;
                }
                let flow = self.0.entry(segment);
                let flow = flow.or_insert_with(|| Flow::at(segment, setting));
                flow.seen(&text);
                flow.end_block(walk)?;
            }
        }
        Ok(())
    }

    pub(super) fn end(self, walk: &mut Walk<'_>) -> Step {
        self.0.into_values().try_for_each(|it| it.end(walk))
    }
}

/// Values of one array.
const MAX_VALUES: usize = 10_000;

/// Not a key, a hash, or a table.
fn is_text(text: &str) -> bool {
    let odd = text
        .chars()
        .filter(|it| it.is_control() && !it.is_whitespace())
        .count();
    odd * 20 <= text.len()
}
