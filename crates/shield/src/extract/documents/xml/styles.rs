//! Which styles of a document hide what has them.

use std::collections::HashSet;

use super::each_tag;
use super::open::hides;
use crate::extract::documents::html::{Colour, WHITE};

/// Names that are kept.
const MAX_NAMES: usize = 20_000;

/// Of the styles of a document of word processing.
pub(in crate::extract::documents) fn hidden_in_word(styles: &str) -> HashSet<String> {
    let (mut hidden, mut current) = (HashSet::new(), None);
    each_tag(styles, |tag| {
        let value = tag.get("val").unwrap_or_default();
        let number = value.parse::<i64>();
        let is_hidden = match &*tag.name {
            "style" => {
                // Those of tables colour their heads, which have a colour behind them.
                let is_of_text = tag.get("type").is_none_or(|it| it != "table");
                current = tag.get("styleId").filter(|_| is_of_text).map(String::from);
                false
            }
            "basedOn" => hidden.contains(&*value),
            "vanish" | "webHidden" | "specVanish" => value.is_empty() || tag.is_on("val"),
            "sz" | "w" => number.is_ok_and(|it| it <= 2),
            "color" => Colour::of(&format!("#{value}")).is_lost_on(WHITE),
            _ => false,
        };
        if let (true, Some(name)) = (is_hidden && hidden.len() < MAX_NAMES, &current) {
            hidden.insert(name.clone());
        }
    });
    hidden
}

/// Of the styles of an `OpenDocument`.
pub(in crate::extract::documents) fn hidden_in_open(styles: &str) -> HashSet<String> {
    let (mut hidden, mut current) = (HashSet::new(), String::new());
    each_tag(styles, |tag| {
        if tag.name == "style" {
            current = tag.get("name").unwrap_or_default().into_owned();
        } else if tag.name.ends_with("-properties") && hides(tag) && hidden.len() < MAX_NAMES {
            hidden.insert(current.clone());
        }
    });
    hidden
}

/// The numbers of formats of cells in which nothing is seen.
pub(in crate::extract::documents) fn hidden_cells(styles: &str) -> HashSet<String> {
    let (mut fonts, mut fills, mut section) = (Vec::new(), Vec::new(), String::new());
    let (mut hidden, mut formats, mut cell) = (HashSet::new(), HashSet::new(), 0_usize);
    each_tag(styles, |tag| match &*tag.name {
        "fonts" | "fills" | "borders" | "cellStyleXfs" | "cellXfs" | "cellStyles" | "dxfs" => {
            tag.name.as_ref().clone_into(&mut section);
        }
        "numFmt" => {
            let code = tag.get("formatCode").unwrap_or_default();
            if code.trim() == ";;;" {
                formats.insert(tag.get("numFmtId").unwrap_or_default().into_owned());
            }
        }
        "font" if section == "fonts" && fonts.len() < MAX_NAMES => fonts.push(false),
        "fill" if section == "fills" && fills.len() < MAX_NAMES => fills.push(false),
        "sz" if section == "fonts" => {
            let size = tag.get("val").and_then(|it| it.parse::<f32>().ok());
            if let Some(font) = fonts.last_mut() {
                *font |= size.is_some_and(|it| it <= 1.0);
            }
        }
        "color" if section == "fonts" => {
            if let Some(font) = fonts.last_mut() {
                *font |= is_white(tag);
            }
        }
        // Something is behind it that is not white.
        "fgColor" | "stop" if section == "fills" => {
            if let Some(fill) = fills.last_mut() {
                *fill |= !is_white(tag);
            }
        }
        "xf" if section == "cellXfs" => {
            let at = |name| tag.get(name).and_then(|it| it.parse::<usize>().ok());
            let font = at("fontId").and_then(|it| fonts.get(it)).copied();
            let fill = at("fillId").and_then(|it| fills.get(it)).copied();
            let is_lost = font.unwrap_or_default() && !fill.unwrap_or_default();
            let format = tag.get("numFmtId").unwrap_or_default();
            if (is_lost || formats.contains(&*format)) && hidden.len() < MAX_NAMES {
                hidden.insert(cell.to_string());
            }
            cell += 1;
        }
        _ => {}
    });
    hidden
}

fn is_white(tag: &super::Tag<'_>) -> bool {
    let is_white = |it: &str| {
        let digits = it.get(2..).filter(|_| it.len() == 8).unwrap_or(it);
        Colour::of(&format!("#{digits}")).is_lost_on(WHITE)
    };
    tag.get("rgb").is_some_and(|it| is_white(&it)) || tag.get("theme").is_some_and(|it| it == "0")
}
