//! Takes apart what holds other things: one file or folder a kind.
//!
//! An extractor hands every file that it finds to [`Walk::look_into`] and every text to [`Walk::text`],
//! with the place. One that cannot read its input notes [`UNREADABLE`] and goes on with what it has; an
//! error never ends a scan, only a [`Stop`] does.

mod documents;

use agentdrop_protocol::report::{Layer, ThreatLevel};

use crate::budget::{Step, Stop};
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Takes an input apart.
pub(crate) type Extract = fn(&mut Walk<'_>, &mut Input<'_>) -> Step;

/// Those for this kind, each of which gets the input from its beginning.
pub(crate) fn all(kind: Kind) -> &'static [Extract] {
    match kind {
        Kind::Email => &[documents::email],
        Kind::Html => &[documents::html],
        Kind::Ole => &[documents::ole],
        Kind::Pdf => &[documents::pdf],
        Kind::Rtf => &[documents::rtf],
        Kind::Xml => &[documents::xml],
        Kind::Zip => &[documents::office],
        _ => &[],
    }
}

/// Something cannot be read the way its kind says.
pub(crate) const UNREADABLE: Rule = Rule {
    id: "format/unreadable",
    layer: Layer::FormatValidation,
    level: ThreatLevel::Low,
    reason: "a part of it cannot be read, so it was not looked at; another program may be able to",
    advice: "ask the sender for a file that is not damaged",
};

/// Things lie in each other deeper than is looked.
pub(crate) const TOO_DEEP: Rule = Rule {
    id: "resource-limit/depth",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "files are packed into each other deeper than is looked",
    advice: "ask the sender for the files as they are",
};

/// A file inside another is too long to be taken apart.
pub(crate) const TOO_LONG: Rule = Rule {
    id: "resource-limit/length",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::Low,
    reason: "a file inside is too long to be taken apart; what passes of it was looked at",
    advice: "scan it by itself",
};

/// The rule for what ended a scan.
pub(crate) fn limit(why: Stop) -> &'static Rule {
    match why {
        Stop::Expanded => &EXPANDED,
        Stop::Ratio => &RATIO,
        Stop::Entries => &ENTRIES,
        Stop::Time => &TIME,
    }
}

static EXPANDED: Rule = Rule {
    id: "resource-limit/expanded",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::Medium,
    reason: "more comes out of it than is looked at",
    advice: "unpack it where that does no harm, and scan the files",
};

static RATIO: Rule = Rule {
    id: "resource-limit/ratio",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "very much comes out of very little, as of a decompression bomb",
    advice: "do not unpack it",
};

static ENTRIES: Rule = Rule {
    id: "resource-limit/entries",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::Medium,
    reason: "it holds more files than are looked at",
    advice: "unpack it where that does no harm, and scan the files",
};

static TIME: Rule = Rule {
    id: "resource-limit/time",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "looking at it takes too long, as at a file that is made for that",
    advice: "ask the sender for the files as they are",
};
