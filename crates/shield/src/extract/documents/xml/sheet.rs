//! Spreadsheets of Office: shared strings, sheets, their comments, and what connects them.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::formulas::{self, PROGRAMS};
use super::{Known, Part, Tag};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::rule::Rule;
use crate::walk::{Setting, Walk};

/// Formulas that are a program.
const MACRO_SHEET: Rule = Rule {
    id: "documents/macro-sheet",
    layer: Layer::Code,
    level: ThreatLevel::Medium,
    reason: "a sheet of the workbook is a program, in the old language of macros",
    advice: "do not open it in an office program; read its values only",
};

/// Spreadsheets.
pub(super) struct Sheet {
    flow: Flow,
    formula: String,
    known: Known,
    /// Columns that are not shown, from one to one.
    columns: Vec<[u32; 2]>,
    is_row_hidden: bool,
    is_cell_hidden: bool,
    /// What the value of the cell is.
    kind: String,
    element: String,
    is_comment: bool,
}

/// Columns that are kept.
const MAX_COLUMNS: usize = 1_000;

impl Sheet {
    pub(super) fn new(known: Known) -> Self {
        Self {
            flow: Flow::new(Setting::Visible),
            formula: String::new(),
            known,
            columns: Vec::new(),
            is_row_hidden: false,
            is_cell_hidden: false,
            kind: String::new(),
            element: String::new(),
            is_comment: false,
        }
    }

    fn cell(&mut self, tag: &Tag<'_>) {
        let column = tag.get("r").map_or(0, |it| column(&it));
        self.kind = tag.get("t").unwrap_or_default().into_owned();
        self.is_cell_hidden = self.known.is_hidden
            || self.is_row_hidden
            || self
                .columns
                .iter()
                .any(|it| (it[0]..=it[1]).contains(&column))
            || tag
                .get("s")
                .is_some_and(|it| self.known.hidden_styles.contains(&*it));
    }
}

impl Part for Sheet {
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        tag.name.as_ref().clone_into(&mut self.element);
        match &*tag.name {
            "comments" => self.is_comment = true,
            "macrosheet" => walk.found(&MACRO_SHEET, None),
            "sheet" if tag.get("state").is_some_and(|it| it != "visible") => {
                let name = tag.get("name").unwrap_or_default();
                walk.text_in("name of a hidden sheet", &name, Setting::Hidden)?;
            }
            "col" if tag.is_on("hidden") && self.columns.len() < MAX_COLUMNS => {
                let ends = ["min", "max"].map(|it| tag.get(it)?.parse().ok());
                if let [Some(min), Some(max)] = ends {
                    self.columns.push([min, max]);
                }
            }
            "row" => {
                let is_flat = tag.get("ht").and_then(|it| it.parse::<f32>().ok());
                self.is_row_hidden = tag.is_on("hidden") || is_flat.is_some_and(|it| it < 1.0);
            }
            "c" => self.cell(tag),
            "ddeLink" => {
                let parts = ["ddeService", "ddeTopic"].map(|it| tag.get(it).unwrap_or_default());
                let service = parts[0].to_ascii_lowercase();
                let service = service.trim_end_matches(".exe");
                if PROGRAMS.contains(&service) {
                    walk.found(&formulas::RUNS, Some(&parts.join("|")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, walk: &mut Walk<'_>, name: &str) -> Step {
        self.element.clear();
        match name {
            "f" | "definedName" => {
                let formula = std::mem::take(&mut self.formula);
                formulas::judge(walk, &formula);
                Ok(())
            }
            "c" | "si" | "comment" | "is" => self.flow.end_block(walk),
            _ => Ok(()),
        }
    }

    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step {
        let is_hidden = self.is_comment || self.is_cell_hidden;
        let text = match self.element.as_str() {
            "f" | "definedName" => {
                self.formula.push_str(text);
                text
            }
            // A number, or that of a text.
            "v" if self.kind == "s" => {
                let number = text.trim().parse::<usize>().ok();
                let Some(text) = number.and_then(|it| self.known.strings.get(it)) else {
                    return Ok(());
                };
                // Texts may be long and the cells many.
                walk.budget.expand(text.len() as u64)?;
                text.as_str()
            }
            "v" if !matches!(self.kind.as_str(), "str" | "inlineStr" | "d") => return Ok(()),
            "t" => text,
            _ if text.trim().is_empty() => return Ok(()),
            _ => {
                self.flow.separate('\n');
                text
            }
        };
        if is_hidden || !self.known.only_hidden {
            self.flow.push(text, is_hidden);
        }
        self.flow.judge_full(walk)
    }

    fn finish(self: Box<Self>, walk: &mut Walk<'_>) -> Step {
        self.flow.end(walk)
    }
}

/// The number of the column in `AB12`.
fn column(cell: &str) -> u32 {
    let letters = cell.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    letters.fold(0, |column, it| {
        column * 26 + u32::from(it.to_ascii_uppercase() - b'A') + 1
    })
}
