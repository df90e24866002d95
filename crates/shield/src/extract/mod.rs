//! Takes apart what holds other things: one file or folder a kind.
//!
//! An extractor hands every file that it finds to [`Walk::look_into`] and every text to [`Walk::text`],
//! with the place. One that cannot read its input notes [`UNREADABLE`] and goes on with what it has; an
//! error never ends a scan, only a [`Stop`] does.

mod archives;
mod compressed;
mod decoded;
mod documents;
mod images;
use std::io::Read;

use agentdrop_protocol::report::{Layer, ThreatLevel};

pub(crate) use self::archives::is_tar;
pub(crate) use self::compressed::is_lzma;
use self::decoded::decoded;
use crate::budget::{Step, Stop};
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Takes an input apart.
pub(crate) type Extract = fn(&mut Walk<'_>, &mut Input<'_>) -> Step;

/// Takes apart what comes, from its beginning to its end.
pub(crate) type Through = fn(&mut Walk<'_>, &str, &mut dyn Read) -> Step;

/// Those for this kind, each of which gets the input from its beginning.
pub(crate) fn all(kind: Kind) -> &'static [Extract] {
    match kind {
        Kind::Ar => &[archives::ar],
        Kind::Bzip2 => &[compressed::bzip2],
        Kind::Email => &[documents::email],
        Kind::Cpio => &[archives::cpio],
        Kind::Gif => &[images::gif],
        Kind::Gzip => &[compressed::gzip],
        Kind::Html => &[documents::html],
        Kind::Jpeg => &[images::jpeg],
        Kind::Lzma => &[compressed::lzma],
        Kind::Media => &[images::media],
        Kind::Ole => &[documents::ole],
        Kind::Pdf => &[documents::pdf],
        Kind::Png => &[images::png],
        Kind::Rar => &[archives::unopened],
        Kind::Rtf => &[documents::rtf],
        Kind::SevenZip => &[archives::sevenzip],
        Kind::Tar => &[archives::tar],
        Kind::Tiff => &[images::tiff],
        Kind::Webp => &[images::riff],
        Kind::Xml => &[documents::xml],
        Kind::Xz => &[compressed::xz],
        Kind::Zip => &[archives::zip, documents::office],
        Kind::Zstd => &[compressed::zstd],
        _ => &[],
    }
}

/// Those for what may stand behind an input of any kind.
pub(crate) const BEHIND: &[Extract] = &[archives::zip_behind];

/// The one for this kind, where it is too long to be held.
pub(crate) fn through(kind: Kind) -> Option<Through> {
    match kind {
        Kind::Bzip2 | Kind::Gzip | Kind::Lzma | Kind::Xz | Kind::Zstd => {
            Some(compressed::through(kind))
        }
        Kind::Ar => Some(archives::ar_through),
        Kind::Cpio => Some(archives::cpio_through),
        Kind::Tar => Some(archives::tar_through),
        Kind::Zip => Some(archives::zip_through),
        _ => None,
    }
}

/// Whether it is as well taken apart on its way past as in memory.
pub(crate) fn early(kind: Kind) -> bool {
    kind != Kind::Zip && through(kind).is_some()
}

/// What is lost where something of this kind is too long to be held, and only passes.
pub(crate) fn too_long(kind: Kind) -> Option<&'static Rule> {
    match kind {
        Kind::Gif | Kind::Jpeg | Kind::Media | Kind::Png | Kind::Tiff | Kind::Webp => {
            Some(&TOO_LONG_FOR_NOTES)
        }
        _ if all(kind).is_empty() => None,
        _ => Some(&TOO_LONG),
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
const TOO_LONG: Rule = Rule {
    id: "resource-limit/length",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::Medium,
    reason: "a file inside is too long to be taken apart; its bytes were looked at, but not what is packed in it",
    advice: "scan it by itself",
};

/// A picture or a recording inside an archive is too long to be taken apart.
const TOO_LONG_FOR_NOTES: Rule = Rule {
    level: ThreatLevel::Low,
    reason: "a picture or recording inside is too long to be taken apart; what is noted in it was not looked at",
    ..TOO_LONG
};

/// A decoder would take more memory than it gets.
pub(crate) const MEMORY: Rule = Rule {
    id: "resource-limit/memory",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::Medium,
    reason: "unpacking it takes more memory than it is given, so it was not wholly looked at",
    advice: "ask the sender to pack it with the usual settings",
};

/// The rule for what ended a scan.
pub(crate) fn limit(why: Stop) -> &'static Rule {
    match why {
        Stop::Expanded => &EXPANDED,
        Stop::Ratio => &RATIO,
        Stop::Entries => &ENTRIES,
        Stop::Time => &TIME,
        Stop::Slow => &SLOW,
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
    level: ThreatLevel::Medium,
    reason: "it takes longer than is looked, so not all of it was",
    advice: "unpack it where that does no harm, and scan the files",
};

static SLOW: Rule = Rule {
    id: "resource-limit/slow",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "looking at very little of it takes very long, as at a file that is made for that",
    advice: "ask the sender for the files as they are",
};

/// Said by whoever waited for a scanner that never answered.
pub(crate) const NOT_SURVIVED: Rule = Rule {
    id: "resource-limit/scanner",
    layer: Layer::ResourceGuard,
    level: ThreatLevel::High,
    reason: "the scanner did not survive it, or took far too long, as with a file that is made for that",
    advice: "do not open it; tell us, if it is an ordinary file",
};
