//! What of an office document only several of its parts say together: whether a style, a sheet or a cell
//! hides what another part holds.
//!
//! Each part by itself is looked at on the way through the archive; this looks once more at those in which
//! something is hidden.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::decode::{encoding_of, to_text};
use super::xml::{self, Dialect, Known};
use crate::budget::Step;
use crate::walk::{Input, Setting, Walk};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Looks at the parts of an office document that say how others are seen.
pub(in crate::extract) fn office(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    // One that is too long to be held, or that is broken, is looked at part for part only.
    let Some(bytes) = input.held else {
        return Ok(());
    };
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Ok(());
    };
    prose(walk, &mut archive)?;
    sheets(walk, &mut archive)?;
    open(walk, &mut archive)
}

fn prose(walk: &mut Walk<'_>, archive: &mut Archive<'_>) -> Step {
    let Some(styles) = part(walk, archive, "word/styles.xml")? else {
        return Ok(());
    };
    let known = Known {
        hidden_styles: xml::hidden_in_word(&styles),
        only_hidden: true,
        ..Known::default()
    };
    if known.hidden_styles.is_empty() {
        return Ok(());
    }
    for name in names(archive, "word/") {
        let is_text = ["document", "header", "footer", "footnotes", "endnotes"]
            .iter()
            .any(|it| {
                name.strip_prefix("word/")
                    .is_some_and(|name| name.starts_with(it))
            });
        if is_text {
            let dialect = Dialect::Prose(Setting::Visible);
            once_more(walk, archive, &name, dialect, &known)?;
        }
    }
    Ok(())
}

fn open(walk: &mut Walk<'_>, archive: &mut Archive<'_>) -> Step {
    if archive.index_for_name("content.xml").is_none() {
        return Ok(());
    }
    let Some(styles) = part(walk, archive, "styles.xml")? else {
        return Ok(());
    };
    let known = Known {
        hidden_styles: xml::hidden_in_open(&styles),
        only_hidden: true,
        ..Known::default()
    };
    if known.hidden_styles.is_empty() {
        return Ok(());
    }
    once_more(walk, archive, "content.xml", Dialect::Open, &known)
}

fn sheets(walk: &mut Walk<'_>, archive: &mut Archive<'_>) -> Step {
    let Some(workbook) = part(walk, archive, "xl/workbook.xml")? else {
        return Ok(());
    };
    let styles = part(walk, archive, "xl/styles.xml")?.unwrap_or_default();
    let hidden_styles = xml::hidden_cells(&styles);
    let hidden_sheets = hidden_sheets(walk, archive, &workbook)?;
    let mut known = Known {
        hidden_styles,
        only_hidden: true,
        ..Known::default()
    };
    for name in names(archive, "xl/worksheets/") {
        known.is_hidden = hidden_sheets.contains(&name);
        let Some(sheet) = part(walk, archive, &name)? else {
            continue;
        };
        let says_so = ["hidden=\"", "hidden='", "ht=\"0", "ht='0"];
        let is_of_interest = known.is_hidden
            || !known.hidden_styles.is_empty()
            || says_so.iter().any(|it| sheet.contains(it));
        if !is_of_interest {
            continue;
        }
        if known.strings.is_empty() {
            let strings = part(walk, archive, "xl/sharedStrings.xml")?;
            known.strings = shared(&strings.unwrap_or_default());
        }
        walk.inside(&name, |walk| {
            xml::read(walk, &sheet, Dialect::Sheet, &known)
        })?;
    }
    Ok(())
}

/// Names of the parts of sheets that are not shown.
fn hidden_sheets(walk: &Walk<'_>, archive: &mut Archive<'_>, workbook: &str) -> Step<Vec<String>> {
    let mut ids = Vec::new();
    xml::each_tag(workbook, |tag| {
        let is_hidden = tag.get("state").is_some_and(|it| it != "visible");
        if tag.name == "sheet" && is_hidden && ids.len() < MAX_PARTS {
            ids.extend(tag.get("id").map(String::from));
        }
    });
    let mut names = Vec::new();
    let rels = part(walk, archive, "xl/_rels/workbook.xml.rels")?.unwrap_or_default();
    xml::each_tag(&rels, |tag| {
        let is_hidden = tag
            .get("Id")
            .is_some_and(|it| ids.iter().any(|id| *id == it));
        if is_hidden && let Some(target) = tag.get("Target") {
            names.push(match target.strip_prefix('/') {
                Some(name) => name.to_owned(),
                None => format!("xl/{target}"),
            });
        }
    });
    Ok(names)
}

/// The texts that cells say the numbers of.
fn shared(strings: &str) -> Vec<String> {
    let mut all = Vec::<String>::new();
    xml::each_text(strings, |tag, text| match tag {
        Some("si") => all.push(String::new()),
        _ => {
            if let Some(last) = all.last_mut() {
                last.push_str(text);
            }
        }
    });
    all
}

fn once_more(
    walk: &mut Walk<'_>,
    archive: &mut Archive<'_>,
    name: &str,
    dialect: Dialect,
    known: &Known,
) -> Step {
    let Some(text) = part(walk, archive, name)? else {
        return Ok(());
    };
    walk.inside(name, |walk| xml::read(walk, &text, dialect, known))
}

/// Parts of a document that are looked at once more.
const MAX_PARTS: usize = 500;

/// How long one may be.
const MAX_PART: u64 = 16 << 20;

fn names(archive: &Archive<'_>, folder: &str) -> Vec<String> {
    let names = archive.file_names().flatten();
    let names = names.filter(|it| it.starts_with(folder) && it.ends_with(".xml"));
    names.map(String::from).take(MAX_PARTS).collect()
}

/// A part of the document as text, if it is there and not too long.
fn part(walk: &Walk<'_>, archive: &mut Archive<'_>, name: &str) -> Step<Option<String>> {
    let Ok(mut file) = archive.by_name(name) else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < MAX_PART {
        let before = bytes.len();
        // Whatever is wrong with it is said on the way through the archive.
        let read = file.by_ref().take(1 << 16).read_to_end(&mut bytes);
        walk.budget.expand((bytes.len() - before) as u64)?;
        if read.is_err() || bytes.len() == before {
            break;
        }
    }
    Ok(Some(to_text(&bytes, encoding_of(&bytes)).into_owned()))
}
