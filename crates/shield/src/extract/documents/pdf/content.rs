//! What a page shows: text by its operators, and whether it is seen.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::file::File;
use super::fonts::Font;
use super::lexer::Lexer;
use super::matrix::{Matrix, is_in};
use super::object::{Dict, Object, text_of};
use crate::budget::Step;
use crate::extract::documents::flow::Flow;
use crate::walk::{Setting, Walk};

/// What a page shows.
pub(super) struct Content<'c, 'f> {
    pub(super) file: &'c File<'f>,
    /// Fonts by the number of their object, of all pages.
    pub(super) fonts: &'c mut HashMap<u32, Rc<Font>>,
    /// Streams that were read, by the number of their object.
    pub(super) read: &'c mut HashSet<u32>,
    /// Layers that are not shown.
    pub(super) off: &'c BTreeSet<u32>,
    pub(super) flow: Flow,
    pub(super) area: [[f32; 2]; 2],
    state: State,
    kept: Vec<State>,
    /// What was painted that is not white, and on which white is seen.
    painted: Vec<[[f32; 2]; 2]>,
    path: Vec<[[f32; 2]; 2]>,
    /// Whether each marked content is on a layer that is not shown.
    marked: Vec<bool>,
    pen: Pen,
}

#[derive(Clone, Default)]
struct State {
    to_page: Matrix,
    font: Rc<Font>,
    size: f32,
    leading: f32,
    spacing: f32,
    is_drawn: bool,
    is_white: bool,
    is_clear: bool,
}

/// Where text goes on.
#[derive(Default)]
struct Pen {
    line: Matrix,
    text: Matrix,
    /// Where the last text ended, on the page.
    end: Option<[f32; 2]>,
}

/// Of states, of marked contents, and of what was painted.
const MAX_KEPT: usize = 2_000;

/// Forms in each other.
const MAX_DEPTH: u8 = 8;

impl<'c, 'f> Content<'c, 'f> {
    pub(super) fn new(
        file: &'c File<'f>,
        fonts: &'c mut HashMap<u32, Rc<Font>>,
        read: &'c mut HashSet<u32>,
        off: &'c BTreeSet<u32>,
        area: [[f32; 2]; 2],
    ) -> Self {
        Self {
            file,
            fonts,
            read,
            off,
            flow: Flow::new(Setting::Visible),
            area,
            state: State {
                size: 1.0,
                is_drawn: true,
                ..State::default()
            },
            kept: Vec::new(),
            painted: Vec::new(),
            path: Vec::new(),
            marked: Vec::new(),
            pen: Pen::default(),
        }
    }

    /// Follows a stream of operators.
    pub(super) fn run(
        &mut self,
        walk: &mut Walk<'_>,
        bytes: &[u8],
        resources: Option<&Object>,
        depth: u8,
    ) -> Step {
        const MAX_OPERANDS: usize = 64;
        let mut lexer = Lexer::new(bytes, 0, u32::MAX);
        let mut operands = Vec::new();
        let resources = resources.and_then(|it| self.file.resolve(it).dict());
        while let Some(it) = lexer.next() {
            match it {
                Object::Word(word) if *word == *b"BI" => {
                    // A picture in the text ends with a word of its own.
                    let rest = lexer.rest();
                    let end = memchr::memmem::find(rest, b"EI").map(|it| it + 2);
                    lexer.at += end.unwrap_or(rest.len());
                    operands.clear();
                }
                Object::Word(word) => {
                    self.operator(walk, &word, &operands, resources, depth)?;
                    operands.clear();
                }
                it if operands.len() < MAX_OPERANDS => operands.push(it),
                // More than any operator takes; a reader shows some of it perhaps.
                it => self.show(walk, it.string())?,
            }
        }
        Ok(())
    }

    fn operator(
        &mut self,
        walk: &mut Walk<'_>,
        word: &[u8],
        operands: &[Object],
        resources: Option<&Dict>,
        depth: u8,
    ) -> Step {
        let numbers: Vec<f32> = operands.iter().filter_map(Object::number).collect();
        let last = numbers.last().copied().unwrap_or_default();
        let string = operands.last().and_then(Object::string);
        match word {
            b"q" if self.kept.len() < MAX_KEPT => self.kept.push(self.state.clone()),
            b"Q" => {
                if let Some(it) = self.kept.pop() {
                    self.state = it;
                }
            }
            b"cm" => self.state.to_page = Matrix::of(&numbers).then(self.state.to_page),
            b"BT" => (self.pen.line, self.pen.text) = (Matrix::default(), Matrix::default()),
            b"Tf" => {
                self.state.size = last;
                if let Some(name) = operands.first().and_then(Object::name) {
                    self.state.font = self.font(walk, resources, name)?;
                }
            }
            b"TL" => self.state.leading = last,
            b"Tc" => self.state.spacing = last,
            b"Tr" => self.state.is_drawn = !matches!(last, 3.0 | 7.0),
            b"Td" | b"TD" => {
                let [.., x, y] = numbers.as_slice() else {
                    return Ok(());
                };
                if word == b"TD" {
                    self.state.leading = -y;
                }
                self.go_to(Matrix::moved(*x, *y).then(self.pen.line));
            }
            b"Tm" => self.go_to(Matrix::of(&numbers)),
            b"T*" => self.next_line(),
            b"Tj" => return self.show(walk, string),
            b"'" | b"\"" => {
                self.next_line();
                return self.show(walk, string);
            }
            b"TJ" => return operands.iter().try_for_each(|it| self.show_all(walk, it)),
            b"g" | b"rg" | b"sc" | b"scn" | b"k" => {
                let is_paper = if word == b"k" || numbers.len() == 4 {
                    numbers.iter().all(|it| *it <= 0.05)
                } else {
                    numbers.iter().all(|it| *it >= 0.95)
                };
                self.state.is_white = is_paper && !numbers.is_empty();
            }
            b"re" => {
                if let [.., x, y, width, height] = numbers.as_slice()
                    && self.path.len() < MAX_KEPT
                {
                    let to_page = self.state.to_page;
                    self.path.push(to_page.corners([*x, *y], [*width, *height]));
                }
            }
            b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" => {
                let path = std::mem::take(&mut self.path);
                if !self.state.is_white && self.painted.len() < MAX_KEPT {
                    self.painted.extend(path);
                }
            }
            b"n" | b"S" | b"s" => self.path.clear(),
            b"gs" => self.graphics(operands, resources),
            b"BMC" | b"BDC" => return self.mark(walk, operands, resources),
            b"EMC" => drop(self.marked.pop()),
            b"Do" => return self.put(walk, operands, resources, depth),
            _ => {}
        }
        Ok(())
    }

    /// From the beginning of the next line on.
    fn next_line(&mut self) {
        self.go_to(Matrix::moved(0.0, -self.state.leading).then(self.pen.line));
    }

    fn go_to(&mut self, line: Matrix) {
        (self.pen.line, self.pen.text) = (line, line);
    }

    fn show_all(&mut self, walk: &mut Walk<'_>, all: &Object) -> Step {
        for it in all.values() {
            match it {
                Object::String(it) => self.show(walk, Some(it))?,
                Object::Number(_) => {
                    let by = -it.number().unwrap_or_default() / 1000.0 * self.state.size;
                    self.pen.text = Matrix::moved(by, 0.0).then(self.pen.text);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn show(&mut self, walk: &mut Walk<'_>, string: Option<&[u8]>) -> Step {
        let Some(string) = string else { return Ok(()) };
        let font = Rc::clone(&self.state.font);
        let (text, width) = font.text(string);
        // A table may make much of one byte.
        walk.budget.expand(text.len() as u64)?;
        let place = self.pen.text.then(self.state.to_page);
        let height = self.state.size.abs() * place.height();
        self.separate(place.at(), height);
        let is_on_paper = !self.painted.iter().any(|it| is_in(place.at(), *it));
        let is_hidden = !self.state.is_drawn
            || self.state.is_clear
            || self.state.is_white && is_on_paper
            || height <= 1.0
            || !is_in(place.at(), self.area)
            || self.marked.iter().any(|it| *it);
        self.flow.push(&text, is_hidden);
        #[expect(clippy::cast_precision_loss, reason = "it is where text ends, about")]
        let spacing = self.state.spacing * (string.len() / font.length) as f32;
        let by = width / 1000.0 * self.state.size + spacing;
        self.pen.text = Matrix::moved(by, 0.0).then(self.pen.text);
        self.pen.end = Some(self.pen.text.then(self.state.to_page).at());
        self.flow.judge_full(walk)
    }

    /// Ends a word or a line where there is room between the last text and this.
    fn separate(&mut self, at: [f32; 2], height: f32) {
        let Some(end) = self.pen.end else { return };
        let [right, up] = [at[0] - end[0], at[1] - end[1]];
        if up.abs() > height * 0.6 {
            self.flow.separate('\n');
        } else if right > height * 0.16 || right < -height {
            self.flow.separate(' ');
        }
    }

    fn graphics(&mut self, operands: &[Object], resources: Option<&Dict>) {
        let state = self.resource(resources, "ExtGState", operands.first());
        if let Some(alpha) = state.and_then(|it| self.file.of(it, "ca").number()) {
            self.state.is_clear = alpha <= 0.05;
        }
    }

    /// What is marked may be on a layer, and may say what it is read as.
    fn mark(&mut self, walk: &mut Walk<'_>, operands: &[Object], resources: Option<&Dict>) -> Step {
        let mut is_off = false;
        if let [Object::Name(tag), properties] = operands {
            if let Object::Name(name) = properties
                && let Some(all) = resources.and_then(|it| self.file.of(it, "Properties").dict())
                && let Some(Object::Ref(layer)) = all.get(name)
            {
                is_off = &**tag == "OC" && self.off.contains(layer);
            }
            let text = properties.dict().and_then(|it| it.get("ActualText"));
            if let Some(text) = text.and_then(Object::string) {
                walk.text_in("text for readers", &text_of(text), Setting::Hidden)?;
            }
        }
        if self.marked.len() < MAX_KEPT {
            self.marked.push(is_off);
        }
        Ok(())
    }

    /// A picture, or a form with text of its own.
    fn put(
        &mut self,
        walk: &mut Walk<'_>,
        operands: &[Object],
        resources: Option<&Dict>,
        depth: u8,
    ) -> Step {
        let (Some(name), Some(resources)) = (operands.first().and_then(Object::name), resources)
        else {
            return Ok(());
        };
        let all = self.file.of(resources, "XObject").dict();
        let Some(Object::Ref(number)) = all.and_then(|it| it.get(name)) else {
            return Ok(());
        };
        let Some(dict) = self.file.get(*number).and_then(|it| it.object.dict()) else {
            return Ok(());
        };
        if self.file.of(dict, "Subtype").name() == Some("Image") {
            if self.painted.len() < MAX_KEPT {
                let to_page = self.state.to_page;
                self.painted.push(to_page.corners([0.0; 2], [1.0; 2]));
            }
            return Ok(());
        }
        self.form(walk, *number, dict.get("Resources"), resources, depth)
    }

    /// Follows a form, once in a document.
    pub(super) fn form(
        &mut self,
        walk: &mut Walk<'_>,
        number: u32,
        own: Option<&Object>,
        around: &Dict,
        depth: u8,
    ) -> Step {
        let file = self.file;
        let Some(held) = file.get(number) else {
            return Ok(());
        };
        if depth >= MAX_DEPTH || !self.read.insert(number) {
            return Ok(());
        }
        let Some(bytes) = file.stream(walk, held)? else {
            return Ok(());
        };
        let kept = (self.state.clone(), self.kept.len(), self.marked.len());
        let matrix = held.object.dict().map(|it| file.of(it, "Matrix").values());
        let matrix: Vec<f32> = matrix
            .unwrap_or_default()
            .iter()
            .filter_map(Object::number)
            .collect();
        self.state.to_page = Matrix::of(&matrix).then(self.state.to_page);
        match own {
            Some(_) => self.run(walk, &bytes, own, depth + 1)?,
            None => self.run(walk, &bytes, Some(&Object::Dict(around.clone())), depth + 1)?,
        }
        self.state = kept.0;
        self.kept.truncate(kept.1);
        self.marked.truncate(kept.2);
        Ok(())
    }

    fn font(&mut self, walk: &Walk<'_>, resources: Option<&Dict>, name: &str) -> Step<Rc<Font>> {
        let file = self.file;
        let all = resources.and_then(|it| file.of(it, "Font").dict());
        let Some(font) = all.and_then(|it| it.get(name)) else {
            return Ok(Rc::default());
        };
        let number = match font {
            Object::Ref(number) => Some(*number),
            _ => None,
        };
        if let Some(known) = number.and_then(|it| self.fonts.get(&it)) {
            return Ok(Rc::clone(known));
        }
        let Some(dict) = file.resolve(font).dict() else {
            return Ok(Rc::default());
        };
        walk.budget.work(1 << 12)?;
        let font = Rc::new(Font::of(walk, file, dict)?);
        if let Some(number) = number {
            let codes: usize = self.fonts.values().map(|it| it.codes()).sum();
            if codes > MAX_CODES || self.fonts.len() > MAX_FONTS {
                self.fonts.clear();
            }
            self.fonts.insert(number, Rc::clone(&font));
        }
        Ok(font)
    }

    fn resource<'o>(
        &'o self,
        resources: Option<&'o Dict>,
        kind: &str,
        name: Option<&Object>,
    ) -> Option<&'o Dict> {
        let all = self.file.of(resources?, kind).dict()?;
        self.file.of(all, name?.name()?).dict()
    }
}

/// Fonts, and codes of all of them, that are kept.
const MAX_FONTS: usize = 200;
const MAX_CODES: usize = 500_000;
