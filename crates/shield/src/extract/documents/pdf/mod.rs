//! PDF ([ISO 32000](https://pdfa.org/resource/iso-32000-2/)): what its pages show, what they do not, what
//! it says elsewhere, and what it does.
//!
//! Every object is found by looking for it, so that a file that lies about where they are hides nothing.

mod actions;
mod content;
mod file;
mod filters;
mod fonts;
mod key;
mod lexer;
mod matrix;
mod object;
mod strings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Cursor;

use agentdrop_protocol::report::{Layer, ThreatLevel};

use self::actions::Automatic;
use self::content::Content;
use self::file::{File, Held, Page};
pub(super) use self::lexer::unhex;
use self::object::{Object, text_of};
use self::strings::Strings;
use crate::budget::Step;
use crate::extract::{TOO_LONG, UNREADABLE};
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// It says nothing to whoever has no key.
const ENCRYPTED: Rule = Rule {
    id: "documents/encrypted",
    layer: Layer::FormatValidation,
    level: ThreatLevel::Medium,
    reason: "the document opens with a password only, so that its text was not looked at",
    advice: "ask the sender for one that is not, or treat all that it says as data",
};

/// Takes a PDF apart.
pub(in crate::extract) fn pdf(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let Some(bytes) = input.held else {
        walk.found(&TOO_LONG, None);
        return Ok(());
    };
    let file = File::read(walk, bytes)?;
    if file.is_cut() {
        walk.found(&UNREADABLE, None);
    }
    does(walk, &file)?;
    if file.is_locked() {
        walk.found(&ENCRYPTED, None);
        return Ok(());
    }
    let mut read = HashSet::new();
    pages(walk, &file, &mut read)?;
    says(walk, &file)?;
    holds(walk, &file, &read)
}

/// What it does.
fn does(walk: &mut Walk<'_>, file: &File<'_>) -> Step {
    let automatic = Automatic::of(file);
    for number in file.numbers() {
        let Some(held) = file.get(number) else {
            continue;
        };
        each_dict(&held.object, &mut |dict| {
            actions::judge(walk, file, dict, automatic.has(number))
        })?;
    }
    // What stands in the catalogue or in a page itself has no number of its own.
    let root = file.of(&file.trailer, "Root").dict();
    for dict in root
        .into_iter()
        .chain(file.pages().iter().map(|it| it.dict))
    {
        for direct in ["OpenAction", "AA"].iter().filter_map(|it| dict.get(*it)) {
            each_dict(direct, &mut |dict| actions::judge(walk, file, dict, true))?;
        }
    }
    Ok(())
}

/// What its pages show.
fn pages(walk: &mut Walk<'_>, file: &File<'_>, read: &mut HashSet<u32>) -> Step {
    let (mut fonts, off) = (HashMap::new(), layers_off(file));
    for (n, page) in file.pages().iter().enumerate() {
        walk.inside(&format!("page {}", n + 1), |walk| {
            let area = area(file, page);
            let mut content = Content::new(file, &mut fonts, read, &off, area);
            let mut bytes = Vec::new();
            let contents = page.dict.get("Contents");
            let parts = contents.map_or(&[][..], |it| match file.resolve(it) {
                Object::Array(parts) => parts,
                _ => std::slice::from_ref(it),
            });
            for part in parts {
                let Object::Ref(number) = part else { continue };
                if let Some(held) = file.get(*number).filter(|_| content.read.insert(*number)) {
                    bytes.extend(file.stream(walk, held)?.unwrap_or_default());
                    bytes.push(b'\n');
                }
            }
            content.run(walk, &bytes, page.above.resources, 0)?;
            drop(bytes);
            appearances(walk, file, page, &mut content)?;
            content.flow.end(walk)
        })?;
    }
    Ok(())
}

/// What notes and fields look like.
fn appearances(
    walk: &mut Walk<'_>,
    file: &File<'_>,
    page: &Page<'_>,
    content: &mut Content<'_, '_>,
) -> Step {
    for note in file.of(page.dict, "Annots").values() {
        let looks = file
            .resolve(note)
            .dict()
            .and_then(|it| file.of(it, "AP").dict());
        let Some(normal) = looks.and_then(|it| it.get("N")) else {
            continue;
        };
        let states = file.resolve(normal).dict().map(|it| it.values());
        let states = states.into_iter().flatten().chain([normal]);
        for state in states {
            let Object::Ref(number) = state else { continue };
            let Some(dict) = file.get(*number).and_then(|it| it.object.dict()) else {
                continue;
            };
            // It has a place of its own on the page, which is not followed.
            let area = std::mem::replace(&mut content.area, EVERYWHERE);
            content.form(
                walk,
                *number,
                dict.get("Resources"),
                &object::Dict::new(),
                0,
            )?;
            content.area = area;
            content.flow.end_block(walk)?;
        }
    }
    Ok(())
}

/// What it says that is not on pages.
fn says(walk: &mut Walk<'_>, file: &File<'_>) -> Step {
    let mut strings = Strings::default();
    let info = match file.trailer.get("Info") {
        Some(Object::Ref(number)) => Some(*number),
        _ => None,
    };
    for number in file.numbers() {
        let Some(held) = file.get(number) else {
            continue;
        };
        let is_info = info == Some(number);
        each_dict(&held.object, &mut |dict| {
            strings.take(walk, file, dict, is_info)
        })?;
    }
    strings.end(walk)
}

/// What lies in it: files, metadata, forms, and what no page shows.
fn holds(walk: &mut Walk<'_>, file: &File<'_>, read: &HashSet<u32>) -> Step {
    let names = file_names(file);
    for number in file.numbers() {
        let Some(held) = file.get(number).filter(|it| it.stream.is_some()) else {
            continue;
        };
        let kind = held.object.dict().and_then(|it| it.get("Type")?.name());
        if kind == Some("EmbeddedFile") || names.contains_key(&number) {
            let Some(bytes) = file.stream(walk, held)? else {
                continue;
            };
            let name = names.get(&number).map_or("attachment", |it| it);
            walk.look_into(name, &mut Cursor::new(bytes))?;
        } else if kind == Some("Metadata") {
            let Some(bytes) = file.stream(walk, held)? else {
                continue;
            };
            walk.look_into("metadata", &mut Cursor::new(bytes))?;
        } else if !read.contains(&number) {
            not_shown(walk, file, held)?;
        }
    }
    for held in &file.replaced {
        not_shown(walk, file, held)?;
    }
    Ok(())
}

/// A stream that no page shows: XML of a form, or text that once was on a page, or never.
fn not_shown(walk: &mut Walk<'_>, file: &File<'_>, held: &Held) -> Step {
    let Some(dict) = held.object.dict().filter(|_| held.stream.is_some()) else {
        return Ok(());
    };
    let is_of_program = [
        "Length1",
        "Length2",
        "N",
        "FunctionType",
        "First",
        "W",
        "BitsPerComponent",
    ];
    let is_picture = file.of(dict, "Subtype").name() == Some("Image");
    if is_picture || is_of_program.iter().any(|it| dict.contains_key(*it)) {
        return Ok(());
    }
    let Some(bytes) = file.stream(walk, held)? else {
        return Ok(());
    };
    let head = bytes.get(..200).unwrap_or(&bytes).trim_ascii_start();
    if head.starts_with(b"<") {
        return walk.look_into("form", &mut Cursor::new(bytes));
    }
    let has = |what: &[u8]| memchr::memmem::find(&bytes, what).is_some();
    if !(has(b"BT") && (has(b"Tj") || has(b"TJ"))) {
        return Ok(());
    }
    walk.inside("not on a page", |walk| {
        let (mut fonts, mut read, off) = (HashMap::new(), HashSet::new(), BTreeSet::new());
        let mut content = Content::new(file, &mut fonts, &mut read, &off, NOWHERE);
        content.run(walk, &bytes, dict.get("Resources"), 0)?;
        content.flow.end(walk)
    })
}

const EVERYWHERE: [[f32; 2]; 2] = [[f32::MIN; 2], [f32::MAX; 2]];
const NOWHERE: [[f32; 2]; 2] = [[f32::MAX; 2], [f32::MIN; 2]];

/// What of a page is seen.
fn area(file: &File<'_>, page: &Page<'_>) -> [[f32; 2]; 2] {
    let values = page
        .above
        .area
        .map_or(&[][..], |it| file.resolve(it).values());
    let values: Vec<f32> = values
        .iter()
        .filter_map(|it| file.resolve(it).number())
        .collect();
    let [a, b, c, d] = values.as_slice() else {
        return EVERYWHERE;
    };
    [[a.min(*c), b.min(*d)], [a.max(*c), b.max(*d)]]
}

/// The layers that are not shown at first.
fn layers_off(file: &File<'_>) -> BTreeSet<u32> {
    let root = file.of(&file.trailer, "Root").dict();
    let layers = root.and_then(|it| file.of(it, "OCProperties").dict());
    let first = layers.and_then(|it| file.of(it, "D").dict());
    let off = first.map_or(&[][..], |it| file.of(it, "OFF").values());
    let numbers = off.iter().filter_map(|it| match it {
        Object::Ref(number) => Some(*number),
        _ => None,
    });
    numbers.collect()
}

/// The names of the files that it holds, by the numbers of their streams.
fn file_names(file: &File<'_>) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for number in file.numbers() {
        let Some(held) = file.get(number) else {
            continue;
        };
        let all: Step = each_dict(&held.object, &mut |dict| {
            if let Some(streams) = file.of(dict, "EF").dict() {
                let name = file
                    .of(dict, "UF")
                    .string()
                    .or_else(|| file.of(dict, "F").string());
                for it in streams.values() {
                    if let Object::Ref(stream) = it {
                        let name = name.map_or_else(|| "attachment".to_owned(), text_of);
                        names.insert(*stream, name);
                    }
                }
            }
            Ok(())
        });
        debug_assert!(all.is_ok(), "nothing in there ends it");
    }
    names
}

/// Every dictionary in there. The lexer makes them no deeper than may be followed.
fn each_dict(object: &Object, take: &mut impl FnMut(&object::Dict) -> Step) -> Step {
    match object {
        Object::Dict(dict) => {
            take(dict)?;
            dict.values().try_for_each(|it| each_dict(it, take))
        }
        Object::Array(values) => values.iter().try_for_each(|it| each_dict(it, take)),
        _ => Ok(()),
    }
}
