//! Looks at bytes: one file or folder a detector.
//!
//! One that needs the whole input is in [`WHOLE`]; one that a window is enough for is in [`PASSING`], and
//! sees inputs of any length, in several windows that overlap.

mod agents;
mod disguise;
mod encoded;
mod formulas;
mod macros;
mod names;
mod pickle;
mod polyglot;
mod programs;
mod sealed;
mod secrets;
mod shortcuts;
pub(crate) mod signatures;

use std::io::Read as _;

use crate::budget::Step;
use crate::walk::{Input, Walk, Window};

/// Looks at a whole input, from its beginning.
pub(crate) type Whole = fn(&mut Walk<'_>, &mut Input<'_>) -> Step;

/// Looks at what passes.
pub(crate) type Passing = fn(&mut Walk<'_>, &Window<'_>) -> Step;

/// Those that need the whole input.
pub(crate) const WHOLE: &[Whole] = &[
    agents::look,
    disguise::look,
    macros::look,
    names::look,
    pickle::look,
    polyglot::look,
    programs::look,
    sealed::look,
    secrets::look_at_name,
    shortcuts::look,
];

/// Those that a window is enough for.
pub(crate) const PASSING: &[Passing] = &[
    encoded::look,
    formulas::look,
    secrets::look,
    signatures::look,
];

/// The first bytes of an input.
pub(crate) fn head(input: &mut Input<'_>, most: usize) -> Vec<u8> {
    if let Some(held) = input.held {
        return held
            .get(..most.min(held.len()))
            .unwrap_or_default()
            .to_vec();
    }
    let mut head = Vec::new();
    // What cannot be read is noted where the input is read as a whole.
    if input.source.rewind().is_err()
        || input
            .source
            .take(most as u64)
            .read_to_end(&mut head)
            .is_err()
    {
        head.clear();
    }
    head
}
