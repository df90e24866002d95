//! Compressed streams: gzip, bzip2, LZMA, xz, Zstandard.
//!
//! A file of these may be several streams one after the other, which readers join; a scanner that ends
//! after the first misses the rest. What stands behind the last of them is looked at as a file.

pub(super) mod bzip2;
mod gzip;
mod lzma;
pub(super) mod packed;
pub(super) mod raw;
pub(super) mod series;
pub(super) mod xz;
pub(super) mod zstd;

use std::io::{self, Read};

pub(crate) use self::lzma::is_lzma;
use self::packed::Packed;
use self::series::{Next, Series};
use super::Through;
use crate::budget::Step;
use crate::kind::Kind;
use crate::walk::{Input, Setting, Walk};

pub(super) fn bzip2(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    streams(walk, input.name, &mut *input.source, bzip2::begin)
}

pub(super) fn gzip(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    streams(walk, input.name, &mut *input.source, gzip::begin)
}

pub(super) fn lzma(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    streams(walk, input.name, &mut *input.source, lzma::begin)
}

pub(super) fn xz(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    streams(walk, input.name, &mut *input.source, xz::begin)
}

pub(super) fn zstd(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    streams(walk, input.name, &mut *input.source, zstd::begin)
}

pub(super) fn through(kind: Kind) -> Through {
    match kind {
        Kind::Bzip2 => |walk, name, from| streams(walk, name, from, bzip2::begin),
        Kind::Lzma => |walk, name, from| streams(walk, name, from, lzma::begin),
        Kind::Xz => |walk, name, from| streams(walk, name, from, xz::begin),
        Kind::Zstd => |walk, name, from| streams(walk, name, from, zstd::begin),
        _ => |walk, name, from| streams(walk, name, from, gzip::begin),
    }
}

type Begin = for<'a> fn(Packed<'a>) -> io::Result<Next<'a>>;

fn streams(walk: &mut Walk<'_>, name: &str, from: &mut dyn Read, begin: Begin) -> Step {
    let packed = Packed::new(walk.budget.counted(from));
    let layer = walk.budget.layer(&packed.taken());
    let mut series = Series::new(packed, begin);
    walk.look_into(&unpacked(name), &mut series)?;
    drop(layer);
    let wants_memory = series.wants_memory();
    let texts = std::mem::take(&mut series.texts);
    let rest = series.into_rest();
    if wants_memory {
        walk.found(&super::MEMORY, None);
    }
    for (place, text) in texts {
        walk.text_in(place, &text, Setting::Metadata)?;
    }
    let Some(mut rest) = rest else {
        return Ok(());
    };
    let is_more = walk.read(rest.peek(1)).is_some_and(|it| !it.is_empty());
    if is_more {
        walk.look_into("(behind the end)", &mut rest)?;
    }
    Ok(())
}

/// What a packed file is called when it is unpacked.
fn unpacked(name: &str) -> String {
    const ENDINGS: &[(&str, &str)] = &[
        (".bz2", ""),
        (".gz", ""),
        (".lzma", ""),
        (".svgz", ".svg"),
        (".tbz", ".tar"),
        (".tbz2", ".tar"),
        (".tgz", ".tar"),
        (".tlz", ".tar"),
        (".txz", ".tar"),
        (".tzst", ".tar"),
        (".xz", ""),
        (".zst", ""),
    ];
    let (name, lower) = (name.trim(), name.trim().to_ascii_lowercase());
    for (packed, plain) in ENDINGS {
        let bare = lower
            .strip_suffix(packed)
            .and_then(|it| name.get(..it.len()));
        if let Some(bare) = bare.filter(|it| !it.is_empty()) {
            return format!("{bare}{plain}");
        }
    }
    "(unpacked)".to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_packed_file_is_called_what_it_is_unpacked_to() {
        let cases = [
            ("notes.txt.gz", "notes.txt"),
            ("Sources.TGZ", "Sources.tar"),
            (".gz", "(unpacked)"),
            ("ü", "(unpacked)"),
        ];
        for (packed, plain) in cases {
            assert_eq!(super::unpacked(packed), plain);
        }
    }
}
