//! RTF ([1.9.1](https://interoperability.blob.core.windows.net/files/Archive_References/%5BMSFT-RTF%5D.pdf)):
//! groups and control words, with text between.

mod charset;
mod group;
mod reader;
#[cfg(test)]
mod tests;

use self::reader::Reader;
use super::decode;
use crate::budget::Step;
use crate::extract::TOO_LONG;
use crate::walk::{Input, Setting, Walk};

/// Takes RTF apart.
pub(in crate::extract) fn rtf(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let Some(bytes) = input.held else {
        walk.found(&TOO_LONG, None);
        // As it is written, at least.
        return decode::text_of(walk, input, |walk, text| walk.text(text, Setting::Visible));
    };
    read(walk, bytes)
}

/// The same, of bytes that were packed.
pub(super) fn read(walk: &mut Walk<'_>, bytes: &[u8]) -> Step {
    Reader::new(walk, bytes).run()
}
