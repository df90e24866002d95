//! Looks at bytes: one file or folder a detector.
//!
//! One that needs the whole input is in [`WHOLE`]; one that a window is enough for is in [`PASSING`], and
//! sees inputs of any length, in several windows that overlap.

use crate::budget::Step;
use crate::walk::{Input, Walk, Window};

/// Looks at a whole input, from its beginning.
pub(crate) type Whole = fn(&mut Walk<'_>, &mut Input<'_>) -> Step;

/// Looks at what passes.
pub(crate) type Passing = fn(&mut Walk<'_>, &Window<'_>) -> Step;

/// Those that need the whole input.
pub(crate) const WHOLE: &[Whole] = &[];

/// Those that a window is enough for.
pub(crate) const PASSING: &[Passing] = &[];
