//! Patterns of bytes: rules in YARA's language, which are data.
//!
//! The same words are a script's deed and a manual's example, so a rule has two levels: `level` is that
//! for programs, `prose` that for texts about them.

mod rules;

use std::ops::Range;

use agentdrop_protocol::report::{Finding, Layer};

use self::rules::AROUND;
pub(crate) use self::rules::Signatures;
use super::names;
use crate::budget::Step;
use crate::excerpt::escaped;
use crate::kind::Kind;
use crate::walk::{MAX_EXCERPT, Walk, Window};

/// Looks for the patterns in what passes.
pub(crate) fn look(walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
    if window.bytes.is_empty() {
        return Ok(());
    }
    let is_prose = is_prose(window);
    let rules = walk.rules;
    let is_program = super::disguise::is_program(window.kind);
    for (rule, places) in rules.signatures.asked(window.bytes) {
        if is_program && rule.is_of_scripts {
            continue;
        }
        let mut found = None;
        for place in places.into_iter().flat_map(pieces) {
            let bytes = window.bytes.get(place.clone()).unwrap_or_default();
            walk.budget.work(bytes.len() as u64)?;
            found = rule.find(bytes).map(|it| (place.start + it.0, it.1));
            if found.is_some() {
                break;
            }
        }
        let Some((at, data)) = found else {
            continue;
        };
        // A text that begins with the deed is no text about it.
        let begins = window.offset == 0 && at < 200;
        let level = match rule.prose {
            Some(_) if !is_prose || begins => Some(rule.level),
            None if !is_prose => Some(rule.level),
            prose => prose,
        };
        let Some(threat_level) = level else {
            continue;
        };
        let place = walk.place();
        walk.add(Finding {
            rule: rule.id.clone(),
            layer: Layer::Code,
            threat_level,
            confidence: 1.0,
            place,
            line: line_of(window, at),
            excerpt: Some(escaped(&String::from_utf8_lossy(&data), MAX_EXCERPT)),
            reason: rule.reason.clone(),
            advice: rule.advice.clone(),
        });
    }
    Ok(())
}

/// What is said together stands together, and the clock is looked at in between.
const PIECE: usize = 64 << 10;

/// Pieces that overlap by as much as any rule looks around its words.
fn pieces(place: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { mut start, end } = place;
    std::iter::from_fn(move || {
        let piece = start..end.min(start + PIECE);
        let is_left = !piece.is_empty();
        start = if piece.end == end {
            end
        } else {
            piece.end - AROUND
        };
        is_left.then_some(piece)
    })
}

/// Whether it is a text for people: it is text, and neither its name nor its first line says program.
fn is_prose(window: &Window<'_>) -> bool {
    let is_text = matches!(
        window.kind,
        Kind::Text | Kind::Html | Kind::Xml | Kind::Rtf | Kind::Email
    );
    let is_started = window.offset == 0 && window.bytes.starts_with(b"#!");
    let extension = names::extension(window.name);
    is_text && !is_started && !names::is_of_script(&extension) && !names::is_of_program(&extension)
}

/// The line, where there are lines.
fn line_of(window: &Window<'_>, offset: usize) -> Option<u64> {
    let before = window.bytes.get(..offset)?;
    let is_known = window.offset == 0 && window.kind == Kind::Text;
    is_known.then(|| 1 + memchr::memchr_iter(b'\n', before).count() as u64)
}
