//! Word processing and slides of Office: `WordprocessingML` and `PresentationML`, and the drawings in both
//! ([ECMA-376](https://ecma-international.org/publications-and-standards/standards/ecma-376/)).
//!
//! Text is in runs, runs in paragraphs. A run says itself, or by its style, whether it is seen.

use super::{Known, Part, Tag, fields};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::extract::documents::html::{Colour, WHITE};
use crate::walk::{Setting, Walk};

/// Word processing and slides.
pub(super) struct Prose {
    flow: Flow,
    known: Known,
    runs: Vec<Run>,
    /// Shapes and cells, of which some are off the page or have a colour of their own.
    boxes: Vec<Area>,
    paragraph: Run,
    is_in_paragraph_properties: bool,
    is_in_run_properties: bool,
    /// What a field says that it does, while it does.
    field: Option<String>,
    element: String,
}

/// What holds text: a run, or a paragraph.
#[derive(Clone, Copy, Default)]
struct Run {
    hides: bool,
    colour: Option<Colour>,
    background: Option<Colour>,
}

/// What holds paragraphs: a shape, or a cell.
#[derive(Clone, Copy, Default)]
struct Area {
    hides: bool,
    fill: Option<Colour>,
    at: [i64; 2],
}

/// Of runs and of shapes in each other.
const MAX_OPEN: usize = 256;

/// Beyond it is no slide; the largest has 51,206,400 units.
const FAR: i64 = 51_206_400;

impl Prose {
    pub(super) fn new(setting: Setting, known: Known) -> Self {
        Self {
            flow: Flow::new(setting),
            known,
            runs: Vec::new(),
            boxes: Vec::new(),
            paragraph: Run::default(),
            is_in_paragraph_properties: false,
            is_in_run_properties: false,
            field: None,
            element: String::new(),
        }
    }

    /// What of a run decides whether it is seen.
    fn property(&mut self, tag: &Tag<'_>) {
        let Some(run) = self.runs.last_mut() else {
            return;
        };
        let value = tag.get("val").unwrap_or_default();
        let number = value.parse::<i64>();
        match &*tag.name {
            "vanish" | "webHidden" | "specVanish" => {
                run.hides |= value.is_empty() || tag.is_on("val");
            }
            // In half points, and in hundredths.
            "sz" => run.hides |= number.is_ok_and(|it| it <= 2),
            "w" => run.hides |= number.is_ok_and(|it| it <= 2),
            "color" => run.colour = Some(colour(&value)),
            "srgbClr" | "sysClr" => {
                run.colour = Some(colour(&tag.get("lastClr").unwrap_or(value)));
            }
            "schemeClr" if value == "bg1" || value == "lt1" => run.colour = Some(WHITE),
            "alpha" => run.hides |= number.is_ok_and(|it| it <= 5_000),
            "shd" => run.background = tag.get("fill").map(|it| colour(&it)),
            "highlight" => run.background = Some(Colour::Other),
            "rStyle" => run.hides |= self.known.hidden_styles.contains(&*value),
            "rPr" => run.hides |= size(tag).is_some_and(|it| it <= 100),
            _ => {}
        }
    }

    fn is_hidden(&self) -> bool {
        let run = self.runs.last().copied().unwrap_or_default();
        let area = self.boxes.last().copied().unwrap_or_default();
        let behind = run.background.or(self.paragraph.background).or(area.fill);
        self.known.is_hidden
            || run.hides
            || self.paragraph.hides
            || self.boxes.iter().any(|it| it.hides)
            || run
                .colour
                .is_some_and(|it| it.is_lost_on(behind.unwrap_or(WHITE)))
    }

    fn area(&mut self, tag: &Tag<'_>) {
        let Some(area) = self.boxes.last_mut() else {
            return;
        };
        let number = |name| tag.get(name).and_then(|it| it.parse::<i64>().ok());
        match &*tag.name {
            "cNvPr" | "docPr" => area.hides |= tag.is_on("hidden"),
            "off" => area.at = ["x", "y"].map(|it| number(it).unwrap_or_default()),
            "ext" => {
                let size = ["cx", "cy"].map(number);
                area.hides |= area.at.iter().zip(size).any(|(at, size)| {
                    *at >= FAR || size.is_some_and(|it| at.saturating_add(it) <= 0 && *at < 0)
                });
            }
            "srgbClr" | "shd" => {
                let value = tag.get("fill").or_else(|| tag.get("val"));
                area.fill = area.fill.or_else(|| Some(colour(&value?)));
            }
            "schemeClr" | "gradFill" | "blipFill" => {
                area.fill = area.fill.or(Some(Colour::Other));
            }
            _ => {}
        }
    }

    fn end_field(&mut self, walk: &mut Walk<'_>) -> Step {
        match self.field.take() {
            Some(code) => fields::judge(walk, &code),
            None => Ok(()),
        }
    }
}

impl Part for Prose {
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        tag.name.as_ref().clone_into(&mut self.element);
        match &*tag.name {
            "r" | "fld" if self.runs.len() < MAX_OPEN => self.runs.push(Run::default()),
            "sp" | "tc" | "pic" | "cxnSp" | "graphicFrame" if self.boxes.len() < MAX_OPEN => {
                self.boxes.push(Area::default());
            }
            "p" => {
                self.flow.end_block(walk)?;
                self.paragraph = Run::default();
            }
            "pPr" => self.is_in_paragraph_properties = true,
            "pStyle" => {
                let name = tag.get("val").unwrap_or_default();
                self.paragraph.hides |= self.known.hidden_styles.contains(&*name);
            }
            "shd" if self.is_in_paragraph_properties => {
                self.paragraph.background = tag.get("fill").map(|it| colour(&it));
            }
            "br" | "cr" | "tab" | "ptab" => self.flow.separate(' '),
            "fldChar" => match tag.get("fldCharType").as_deref() {
                Some("begin") => self.field = Some(String::new()),
                _ => return self.end_field(walk),
            },
            "fldSimple" => {
                fields::judge(walk, &tag.get("instr").unwrap_or_default())?;
            }
            "rPr" | "defRPr" | "endParaRPr" if !self.is_in_paragraph_properties => {
                self.is_in_run_properties = true;
                self.property(tag);
            }
            _ if self.is_in_run_properties => self.property(tag),
            _ => self.area(tag),
        }
        Ok(())
    }

    fn end(&mut self, walk: &mut Walk<'_>, name: &str) -> Step {
        self.element.clear();
        match name {
            "r" | "fld" => drop(self.runs.pop()),
            "sp" | "tc" | "pic" | "cxnSp" | "graphicFrame" => drop(self.boxes.pop()),
            "p" | "tr" => return self.flow.end_block(walk),
            "pPr" => self.is_in_paragraph_properties = false,
            "rPr" | "defRPr" | "endParaRPr" => self.is_in_run_properties = false,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, walk: &mut Walk<'_>, text: &str) -> Step {
        match self.element.as_str() {
            "instrText" | "delInstrText" => {
                self.field.get_or_insert_default().push_str(text);
                return Ok(());
            }
            // Between elements is nothing but what makes them readable.
            "t" | "delText" => {}
            _ if text.trim().is_empty() => return Ok(()),
            _ => self.flow.separate(' '),
        }
        let is_hidden = self.element == "delText" || self.is_hidden();
        if is_hidden || !self.known.only_hidden {
            self.flow.push(text, is_hidden);
        }
        self.flow.judge_full(walk)
    }

    fn finish(mut self: Box<Self>, walk: &mut Walk<'_>) -> Step {
        self.end_field(walk)?;
        self.flow.end(walk)
    }
}

fn colour(value: &str) -> Colour {
    Colour::of(&format!("#{value}"))
}

/// Of text, in hundredths of a point.
fn size(tag: &Tag<'_>) -> Option<i64> {
    tag.get("sz")?.parse().ok()
}
